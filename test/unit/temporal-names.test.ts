import { describe, expect, it } from 'vitest';
import type { BootstrapId, StreamName } from '../../activities/vocabulary.js';
import { temporalAddress } from '../../temporal/connection.js';
import { createDataConverter } from '../../temporal/data-converter.js';
import { bootstrapTableWorkflowId, cycleScheduleId, deadLetterWorkflowId, streamWorkflowId } from '../../temporal/ids.js';
import { replicaId } from '../../workers/replica-id.js';

const route = { pair: 'main', stream: 'shop' as StreamName };

describe('names in Temporal', () => {
  it('are one for each pair, stream and purpose', () => {
    const other = { ...route, stream: 'crm' as StreamName };
    const all = [route, other].flatMap((it) => [cycleScheduleId(it), streamWorkflowId(it), deadLetterWorkflowId(it)]);
    expect(new Set(all).size).toBe(6);
    expect(cycleScheduleId({ pair: 'a-b', stream: 'c' as StreamName })).not.toBe(
      cycleScheduleId({ pair: 'a', stream: 'b-c' as StreamName }),
    );
  });
  it('keep tables apart whatever their names hold', () => {
    const id = (database: string, table: string) => bootstrapTableWorkflowId(route, 'b1' as BootstrapId, database, table);
    expect(id('a.b', 'c')).not.toBe(id('a', 'b.c'));
    expect(id('a', 'é')).toMatch(/^[\x21-\x7e]+$/);
  });
});

describe("the reader's replica id", () => {
  it('is the same each time, differs by stream, and fits a server', () => {
    expect(replicaId('main', 'shop')).toBe(replicaId('main', 'shop'));
    expect(replicaId('main', 'shop')).not.toBe(replicaId('main', 'crm'));
    for (const stream of ['shop', 'crm', 'a', 'b']) {
      expect(replicaId('main', stream)).toBeGreaterThan(2 ** 31);
      expect(replicaId('main', stream)).toBeLessThan(2 ** 32);
    }
  });
});

describe('the way to Temporal', () => {
  it('is what srdf.yaml says, before the environment', () => {
    const found = temporalAddress({ address: 'temporal.frankfurt:7233', namespace: 'srdf' });
    expect(found).toMatchObject({ options: { address: 'temporal.frankfurt:7233' }, namespace: 'srdf' });
  });
  it('is never taken without a payload key', () => {
    expect(() => createDataConverter(undefined)).toThrow(expect.objectContaining({ code: 'key-missing' }));
  });
});
