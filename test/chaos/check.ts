/** What has to be true after a fault, by the servers' own words. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair } from '../integration/pair.js';
import { executedAtSource, gtidsOf, ledgerRow } from '../integration/pair-ledger.js';
import { until } from './until.js';

/** Nothing is on its way: the ledger stands at the source's last transaction, and every wagon is confirmed. */
async function isConfirmed(pair: Pair): Promise<boolean> {
  const [ledger, executed] = await Promise.all([ledgerRow(pair), executedAtSource(pair).catch(() => null)]);
  if (ledger?.phase !== 'consistent' || executed === null || gtidsOf(ledger.position) !== executed) return false;
  return (await waiting(pair, 'source-state/spool')) + (await waiting(pair, 'target-state/inbox')) === 0;
}
async function waiting(pair: Pair, store: string): Promise<number> {
  const names = await readdir(join(pair.directory, store), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.wagon')).length;
}

/** The scheduled cycles alone bring it there. Throws with the last cycle's error when they don't. */
export async function untilConfirmed(pair: Pair, since: Date, seconds: number): Promise<void> {
  try {
    await until('the stream goes on by itself', seconds, async () => await isConfirmed(pair));
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}; the last cycle’s error: ${await lastError(pair, since)}`);
  }
}
async function lastError(pair: Pair, since: Date): Promise<string> {
  const results = await pair.cycleResults(since).catch(() => []);
  const error = results.findLast((it) => it.error !== null)?.error;
  return error == null ? 'none' : `${error.code}: ${error.found}`;
}

/** Traffic has ended. Throws on the first thing that isn't as it has to be. */
export async function requireWhole(pair: Pair, sequenceBefore: number): Promise<void> {
  const [difference] = (await pair.compareBySql()).differences;
  if (difference !== undefined)
    throw new Error(`the sides differ: ${difference.where}: source ${shown(difference.source)}, target ${shown(difference.target)}`);
  const [doubled] = await pair.target.sql('SELECT COUNT(*) - COUNT(DISTINCT n) AS steps FROM steps', pair.name);
  if (Number(doubled?.steps) !== 0) throw new Error(`${doubled?.steps} changes are doubled`);
  const ledger = await ledgerRow(pair);
  if (ledger === null || ledger.intent || ledger.sequence < sequenceBefore) throw new Error(`the ledger says ${JSON.stringify(ledger)}`);
  for (const side of ['source', 'target'] as const)
    if (!pair.workers[side].running) throw new Error(`the ${side} worker has ended by itself`);
}
const shown = (text: string | null): string => (text === null ? 'has no row' : JSON.stringify(text.slice(0, 80)));
