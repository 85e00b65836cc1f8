/**
 * Every workflow against what real runs of it have left: a change that would break the runs under way fails here.
 * Record anew, after a change that is meant: `SRDF_RECORD_HISTORIES=1 npx vitest run test/replay/record.test.ts`
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { failureConverterPath } from '../../temporal/data-converter.js';
import { workflowBundle } from '../../temporal/workflow-bundle.js';
import * as workflows from '../../workflows/index.js';

const directory = new URL('./histories/', import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith('.json'));

let bundle: WorkflowBundleOption;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  bundle = await workflowBundle({ info: () => undefined });
});
const replay = async (history: unknown) =>
  // The recorder has opened the payloads, so no codec is needed here.
  await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter: { failureConverterPath: failureConverterPath() } }, history);

describe('recorded histories', () => {
  it.each(names)('%s goes the same way today', async (name) => {
    await replay(JSON.parse(await readFile(new URL(name, directory), 'utf8')));
  });

  it('are there for every workflow', () => {
    const recorded = new Set(names.map((name) => name.split('.')[0]));
    expect(Object.keys(workflows).filter((type) => !recorded.has(type))).toEqual([]);
  });

  it('tell a run that goes another way', async () => {
    const text = await readFile(new URL('replicationCycle.idle.json', directory), 'utf8');
    expect(text).toContain('cutWagons');
    await expect(replay(JSON.parse(text.replaceAll('"cutWagons"', '"shipWagons"')))).rejects.toThrow(/[Nn]ondeterminism/);
  });

  it('hold no password, no key and no row', async () => {
    for (const name of names) {
      const text = await readFile(new URL(name, directory), 'utf8');
      const payloads = [...text.matchAll(/"data":\s*"([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString());
      for (const plain of [text, ...payloads]) expect(plain).not.toMatch(/password|PRIVATE KEY|secret-row/i);
    }
  });
});
