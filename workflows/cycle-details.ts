/** A cycle's result as people read it in the Temporal UI. Pure. */
import type { CycleResult } from './cycle-result.js';

const size = (bytes: number): string =>
  bytes < 2 ** 10 ? `${bytes} B` : bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export function cycleDetails(result: CycleResult): string {
  const { counts, bytes, milliseconds } = result;
  const lines = [`**${result.outcome}**${result.caughtUp ? ', caught up' : ''}, ${milliseconds.total} ms`];
  if (result.error !== null)
    lines.push('', `\`${result.error.code}\`: ${result.error.tried}: ${result.error.found}.`, '', `**Next:** ${result.error.action}`);
  if (result.ledger?.position)
    lines.push('', `Ledger: epoch ${result.ledger.epoch}, sequence ${result.ledger.sequence}, \`${result.ledger.position}\``);
  if (counts.wagons.captured + counts.wagons.applied > 0)
    lines.push(
      '',
      '| wagons | captured | received | applied | confirmed |',
      '|---|---|---|---|---|',
      `| | ${counts.wagons.captured} | ${counts.wagons.received} | ${counts.wagons.applied} | ${counts.wagons.confirmed} |`,
      '',
      `${counts.transactions} transactions, ${counts.captured} changes, ${counts.carried} after compaction; ` +
        `log ${size(bytes.log)} → raw ${size(bytes.raw)} → wire ${size(bytes.wire)}`,
      '',
      `read ${milliseconds.read} ms, seal ${milliseconds.seal} ms, ship ${milliseconds.ship} ms, apply ${milliseconds.apply} ms, confirm ${milliseconds.confirm} ms`,
    );
  return lines.join('\n');
}
