import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberSelection, requireSelection, selectionTrouble } from '../../activities/cycle/established-selection.js';
import { differingSelections, selectedNames, selectionChange, selectionDigest } from '../../activities/cycle/selection.js';
import type { Selection } from '../../activities/engines/engine.js';
import type { TargetSite } from '../../activities/site.js';
import type { SiteName, StreamName } from '../../activities/vocabulary.js';
import { tableNameOf } from '../../config/load.js';

const selection = (databases: string[], include: string[] = [], exclude: string[] = []): Selection => ({
  databases,
  include: include.map(tableNameOf),
  exclude: exclude.map(tableNameOf),
});

describe('two selections', () => {
  it('are the same in whatever order they are written', () => {
    const one = selection(['shop', 'crm'], [], ['shop.log', 'crm.log']);
    const other = selection(['crm', 'shop', 'crm'], [], ['crm.log', 'shop.log']);
    expect(selectionDigest(one)).toBe(selectionDigest(other));
    expect(selectionChange(selectedNames(one), selectedNames(other))).toBeNull();
  });

  it.each([
    [selection(['shop']), selection(['shop', 'crm']), 'added to databases: crm'],
    [selection(['shop', 'crm', 'b']), selection(['shop']), 'removed from databases: b, crm'],
    [selection(['shop'], ['shop.a']), selection(['shop'], ['shop.b']), 'added to include: shop.b; removed from include: shop.a'],
    [selection(['shop'], ['shop.a']), selection(['shop'], [], ['shop.a']), 'removed from include: shop.a; added to exclude: shop.a'],
  ])('%j and %j differ', (established, configured, change) => {
    expect(selectionChange(selectedNames(established), selectedNames(configured))).toBe(change);
    expect(selectionDigest(established)).not.toBe(selectionDigest(configured));
    expect(differingSelections(selectionDigest(established), configured)).toMatchObject([{ severity: 'error', check: 'selection' }]);
    expect(differingSelections(selectionDigest(configured), configured)).toEqual([]);
  });

  it('are not compared with a source that doesn’t tell its own', () => {
    expect(differingSelections(undefined, selection(['shop']))).toEqual([]);
  });
});

describe('the selection a stream was established with', () => {
  const shop = 'shop' as StreamName;
  let stateDirectory = '';
  beforeEach(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), 'srdf-selection-'));
  });
  afterEach(() => rm(stateDirectory, { recursive: true, force: true }));
  const site = (...databases: string[]) =>
    ({ site: 'frankfurt' as SiteName, stateDirectory, stream: () => ({ selection: selection(databases) }) }) as unknown as TargetSite;

  it('is required, and what a copy is made of takes its place', async () => {
    await rememberSelection(site('shop'), shop);
    await requireSelection(site('shop'), shop);
    const refusal = { code: 'config-invalid', message: expect.stringMatching(/frankfurt.*added to databases: crm.*back as they were/) };
    for (let i = 0; i < 2; i++) await expect(requireSelection(site('shop', 'crm'), shop)).rejects.toMatchObject(refusal);
    expect(await selectionTrouble(site('shop', 'crm'), shop)).toMatchObject({ code: 'config-invalid' });
    expect(await selectionTrouble(site('shop'), shop)).toBeNull();
    await rememberSelection(site('shop', 'crm'), shop);
    await requireSelection(site('shop', 'crm'), shop);
    await expect(requireSelection(site('shop'), shop)).rejects.toMatchObject({ code: 'config-invalid' });
  });

  it('is what is configured now where none is known, however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, async () => await requireSelection(site('shop'), shop)));
    await expect(requireSelection(site('crm'), shop)).rejects.toMatchObject({ code: 'config-invalid' });
    await requireSelection(site('crm'), 'other' as StreamName);
    expect((await readdir(join(stateDirectory, 'selections'))).sort()).toEqual(['other.json', 'shop.json']);
  });

  it('isn’t guessed when its file is damaged', async () => {
    await rememberSelection(site('shop'), shop);
    await writeFile(join(stateDirectory, 'selections', 'shop.json'), '{"databases":["sho');
    expect(await selectionTrouble(site('shop'), shop)).toMatchObject({
      code: 'state-damaged',
      action: expect.stringContaining('remove the file'),
    });
  });
});
