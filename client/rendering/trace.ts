/** A wagon's life as an operator reads it. Touches nothing. */
import type { Trace } from '../trace-wagon.js';
import { bytes } from './table.js';

export function renderTrace(trace: Trace): string {
  const lines = [`${trace.stream}: wagon ${trace.sequence} of epoch ${trace.epoch}`];
  for (const { side, site, state, wagon, receipts } of trace.sides) {
    lines.push(`  ${site} (${side}): ${state}`);
    if (wagon !== null) {
      lines.push(`    ${time(wagon.createdAt)}  sealed: ${wagon.kind}, ${bytes(wagon.bytes)}, hash ${wagon.hash}`);
      lines.push(`      from ${wagon.positionFrom}`, `      to   ${wagon.positionTo}`);
      if (wagon.train.index > 0 || !wagon.train.last)
        lines.push(`      part ${wagon.train.index + 1} of a transaction's train${wagon.train.last ? ', the last' : ''}`);
    }
    for (const it of receipts) {
      lines.push(
        `    ${time(it.issuedAt)}  receipt of ${it.site}, signature good: ${it.status}${it.reason === null ? '' : ` (${it.reason})`}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
