/** A cycle's result as an operator reads it. Touches nothing. */
import type { CycleOutcome, CycleProgress, CycleResult } from '../../workflows/cycle-result.js';
import { bytes, count, duration } from './table.js';

export const OUTCOME_TEXT: Readonly<Record<CycleOutcome, string>> = {
  idle: 'nothing to replicate',
  replicated: 'replicated and confirmed',
  'source-unreachable': 'the source site was unreachable',
  'target-unreachable': 'the target site was unreachable',
  'dead-lettered': 'stopped at a wagon that cannot be applied',
  halted: 'stopped',
  'not-established': 'the stream is not established yet',
  suspended: 'the stream is suspended',
};

/** One line, while it is waited for. */
export const renderCycleEnd = ({ result: { counts, ledger } }: CycleProgress): string =>
  `a cycle that runs ends what it has begun: wagon ${ledger?.sequence ?? 0} applied, ${counts.wagons.confirmed} of this cycle confirmed`;

export function renderCycle(stream: string, result: CycleResult): string {
  const { counts, bytes: size, milliseconds: time, lagMilliseconds: lag } = result;
  const lines = [`${stream}: ${OUTCOME_TEXT[result.outcome]} in ${duration(time.total)}`];
  const add = (title: string, text: string) => lines.push(`  ${title.padEnd(10)}${text}`);
  if (counts.transactions > 0) {
    add('log', `${count(counts.transactions)} transactions, ${count(counts.captured)} changes, ${bytes(size.log)}`);
    add('carried', `${count(counts.carried)} changes after compaction, ${bytes(size.raw)} → ${bytes(size.wire)} on the wire`);
  }
  const { wagons, rows } = counts;
  if (wagons.captured + wagons.received + wagons.applied + wagons.confirmed > 0) {
    add('wagons', `${wagons.captured} captured, ${wagons.received} received, ${wagons.applied} applied, ${wagons.confirmed} confirmed`);
  }
  if (counts.applied > 0) {
    add('rows', `${count(rows.inserted)} inserted, ${count(rows.updated)} updated, ${count(rows.deleted)} deleted`);
  }
  if (lag.length > 0) add('lag', `${duration(Math.max(...lag))} at most, from commit to verified receipt`);
  if (result.ledger !== null) add('ledger', `${result.ledger.phase}, epoch ${result.ledger.epoch}, wagon ${result.ledger.sequence}`);
  if (result.positions.to !== null) add('position', result.positions.to);
  if (!result.caughtUp && result.error === null && result.outcome === 'replicated')
    add('more', 'the log holds more; the next cycle goes on');
  return `${lines.join('\n')}\n`;
}
