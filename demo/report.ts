/** The end of the demo: one table for people, one line of JSON for scripts. Pure. */
import Table from 'cli-table3';
import colours from 'picocolors';
import type { Comparison } from '../test/servers/comparison.js';
import type { Measures } from './measures.js';

export interface DemoResult {
  readonly identical: boolean;
  readonly tables: number;
  readonly rows: number;
  readonly changes: { readonly captured: number; readonly received: number; readonly applied: number; readonly confirmed: number };
  readonly bytes: { readonly log: number; readonly wire: number };
  readonly lagSeconds: { readonly p50: number; readonly p99: number } | null;
  readonly phases: Measures['phases'];
  readonly temporalUi: string | null;
}

/**
 * Row changes as the source made them, in each state. What a killed worker had counted died with it, but nothing is confirmed
 * that wasn't captured, received and applied before: so what is confirmed, which each wagon tells itself, is the least of every state.
 */
export function toResult(measures: Measures, comparison: Comparison, temporalUi: string | null): DemoResult {
  const { changes, bytes, lagSeconds, phases } = measures;
  return {
    identical: comparison.differences.length === 0,
    tables: comparison.tables,
    rows: comparison.rows,
    changes: {
      captured: Math.max(changes.captured, changes.confirmed),
      received: changes.confirmed,
      applied: changes.confirmed,
      confirmed: changes.confirmed,
    },
    bytes: { log: bytes.log, wire: bytes.wire },
    lagSeconds,
    phases,
    temporalUi,
  };
}

const count = (value: number): string => value.toLocaleString('en');
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(2)} s`;
const share = (part: number, whole: number): string => (whole === 0 ? '–' : (part / whole).toFixed(2));

export function renderReport(measures: Measures, comparison: Comparison): string {
  const { wagons, transactions, changes, bytes, lagSeconds, phases } = measures;
  const table = new Table({
    style: { head: [], border: [] },
    head: ['', 'captured', 'received', 'applied', 'confirmed'].map((it) => colours.bold(it)),
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  table.push(
    ['wagons', count(wagons.captured), count(wagons.received), count(wagons.applied), count(wagons.confirmed)],
    ['transactions', count(transactions.captured), '', '', count(transactions.confirmed)],
    ['row changes at the source', count(changes.captured), '', '', count(changes.confirmed)],
    ['row changes after compaction', count(changes.carried), '', count(changes.applied), count(changes.confirmedCarried)],
    [`binlog → wire`, mebibytes(bytes.log), mebibytes(bytes.wire), { colSpan: 2, content: `${share(bytes.log, bytes.wire)} : 1` }],
    ['compaction', { colSpan: 4, content: `${share(changes.captured, changes.carried)} changes of the source for each one applied` }],
    [
      'lag, commit to verified receipt',
      { colSpan: 4, content: lagSeconds === null ? '–' : `p50 ${lagSeconds.p50.toFixed(2)} s   p99 ${lagSeconds.p99.toFixed(2)} s` },
    ],
    [
      `time by phase, ${measures.cycles} cycles`,
      {
        colSpan: 4,
        content: `read ${seconds(phases.read)}   compact ${seconds(phases.compact)}   seal ${seconds(phases.seal)}   ship ${seconds(phases.ship)}\nopen ${seconds(phases.open)}   apply ${seconds(phases.apply)}   confirm ${seconds(phases.confirm)}`,
      },
    ],
    [
      'Paris and Frankfurt',
      {
        colSpan: 4,
        content:
          comparison.differences.length === 0
            ? colours.green(
                colours.bold(`identical: ${count(comparison.tables)} tables, ${count(comparison.rows)} rows, compared row by row`),
              )
            : colours.red(colours.bold(`DIFFERENT: ${comparison.differences.map((it) => it.where.replace('\u0000', '.')).join(', ')}`)),
      },
    ],
  );
  const differences = comparison.differences
    .slice(0, 10)
    .map((it) => `${it.where.replace('\u0000', '.')}\n  paris      ${it.source ?? '(nothing)'}\n  frankfurt  ${it.target ?? '(nothing)'}`);
  return [table.toString(), ...differences].join('\n');
}
