/** The end of the demo: one table for people, one line of JSON for scripts. Pure. */
import Table from 'cli-table3';
import colours from 'picocolors';
import type { SpoolState } from '../activities/contracts.js';
import type { Comparison } from '../test/servers/comparison.js';
import type { Measures } from './measures.js';

type States = SpoolState['states'];

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

/** Row changes as the source made them, by the state that the wagons they travelled in have reached. */
export function toResult(measures: Measures, states: States, comparison: Comparison, temporalUi: string | null): DemoResult {
  const { lagSeconds, phases } = measures;
  return {
    identical: comparison.differences.length === 0 && states.confirmed.wagons === states.captured.wagons,
    tables: comparison.tables,
    rows: comparison.rows,
    changes: {
      captured: states.captured.changes,
      received: states.received.changes,
      applied: states.applied.changes,
      confirmed: states.confirmed.changes,
    },
    bytes: { log: states.captured.logBytes, wire: states.captured.wireBytes },
    lagSeconds,
    phases,
    temporalUi,
  };
}

const count = (value: number): string => value.toLocaleString('en');
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(2)} s`;
const share = (part: number, whole: number): string => (whole === 0 ? '–' : (part / whole).toFixed(2));

export function renderReport(measures: Measures, states: States, comparison: Comparison): string {
  const { lagSeconds, phases } = measures;
  const { captured } = states;
  const byState = (of: keyof States['captured']): string[] =>
    [states.captured, states.received, states.applied, states.confirmed].map((it) => count(it[of]));
  const table = new Table({
    style: { head: [], border: [] },
    head: ['', 'captured', 'received', 'applied', 'confirmed'].map((it) => colours.bold(it)),
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  table.push(
    ['wagons', ...byState('wagons')],
    ['transactions', ...byState('transactions')],
    ['row changes at the source', ...byState('changes')],
    ['row changes after compaction', ...byState('carried')],
    [
      'binlog → wire',
      mebibytes(captured.logBytes),
      mebibytes(captured.wireBytes),
      { colSpan: 2, content: `${share(captured.logBytes, captured.wireBytes)} : 1` },
    ],
    ['compaction', { colSpan: 4, content: `${share(captured.changes, captured.carried)} changes of the source for each one applied` }],
    [
      'lag of the oldest in each wagon,\ncommit to verified receipt',
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
