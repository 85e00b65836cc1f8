/** A bootstrap's plan, progress and end as an operator reads them. Touches nothing. */
import type { BootstrapPlan } from '../../activities/contracts.js';
import type { BootstrapProgress, BootstrapResult } from '../expected-workflows.js';
import { bytes, count, duration, table } from './table.js';

export function renderPlan(stream: string, plan: BootstrapPlan): string {
  const total = plan.tables.reduce((sum, it) => ({ rows: sum.rows + it.estimatedRows, bytes: sum.bytes + it.estimatedBytes }), {
    rows: 0,
    bytes: 0,
  });
  const rows = plan.tables.map((it) => [
    `${it.database}.${it.table}`,
    count(it.estimatedRows),
    bytes(it.estimatedBytes),
    it.keyed ? '' : 'no key: copied in one piece, changes kept in source order',
  ]);
  const warnings = plan.warnings.map((it) => `warning  ${it.check}: ${it.found}\n         ${it.fix}\n`).join('');
  return (
    `${stream}: ${plan.tables.length} tables, about ${count(total.rows)} rows, ${bytes(total.bytes)}; copied in this order\n\n` +
    `${table([{ title: 'table' }, { title: 'rows, about', align: 'right' }, { title: 'size', align: 'right' }, { title: '' }], rows)}\n` +
    `${warnings}Nothing was written. Do it: srdf establish ${stream}\n`
  );
}

export function renderProgress(_progress: BootstrapProgress): string {
  return '';
}
export function renderEstablished(stream: string, _result: BootstrapResult): string {
  return `${stream}\n ${duration(0)}`;
}
