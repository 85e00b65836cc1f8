/** Where a pair stands, by the word of its two servers alone. */
import type { Pair } from './pair.js';

export interface LedgerRow {
  readonly phase: string;
  readonly sequence: number;
  readonly position: string;
  /** A DDL statement is begun and not known to be done. */
  readonly intent: boolean;
}

/** The row of the ledger as SQL shows it; null before there is one, or while the server is down. */
export async function ledgerRow(pair: Pair): Promise<LedgerRow | null> {
  const rows = await pair.target
    .sql(`SELECT phase, sequence, position, intent_sequence FROM srdf.ledger WHERE stream = '${pair.name}'`)
    .catch(() => []);
  const [row] = rows;
  return row === undefined
    ? null
    : {
        phase: String(row.phase),
        sequence: Number(row.sequence),
        position: String(row.position ?? ''),
        intent: row.intent_sequence !== null,
      };
}

/** The source's own word for all it has committed. */
export async function executedAtSource(pair: Pair): Promise<string> {
  const [row] = await pair.source.sql(`SELECT @@GLOBAL.${pair.source.kind === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos'} AS executed`);
  return String(row?.executed).replaceAll('\n', '');
}

/** The transactions up to a position, in the source's own words. */
export const gtidsOf = (position: string): string => position.replace(/.*;gtid=/, '').replace(/;known=.*/, '');
