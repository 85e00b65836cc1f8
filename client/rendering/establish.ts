/** A bootstrap's plan, progress and end as an operator reads them. Touches nothing. */
import type { Finding } from '../../activities/engines/engine.js';
import type { BootstrapProgress, BootstrapResult } from '../../workflows/bootstrap-result.js';
import type { Established } from '../establish-stream.js';
import { bytes, count, duration, table } from './table.js';

export function renderPlan(stream: string, { plan, findings }: BootstrapResult): string {
  const sum = (values: readonly number[]) => values.reduce((total, it) => total + it, 0);
  const rows = plan.tables.map((it) => [
    `${it.database}.${it.table}`,
    count(it.estimatedRows),
    bytes(it.estimatedBytes),
    it.keyed ? '' : 'no key: copied in one piece, its changes kept in source order',
  ]);
  const total = `about ${count(sum(plan.tables.map((it) => it.estimatedRows)))} rows, ${bytes(sum(plan.tables.map((it) => it.estimatedBytes)))}`;
  return [
    `${stream}: ${plan.tables.length} tables, ${total}, copied in this order\n\n`,
    `${table([{ title: 'table' }, { title: 'rows, about', align: 'right' }, { title: 'size', align: 'right' }, { title: '' }], rows)}\n`,
    renderWarnings(findings),
    `Nothing was written. Do it: srdf establish ${stream}\n`,
  ].join('');
}

export function renderWarnings({ source, target }: BootstrapResult['findings']): string {
  const of = (side: string, list: readonly Finding[]) =>
    list.filter((it) => it.severity === 'warning').map((it) => `warning, ${side}: ${it.found}\n  ${it.fix}\n`);
  return [...of('source', source), ...of('target', target)].join('');
}

const PHASE_TEXT: Readonly<Record<BootstrapProgress['phase'], string>> = {
  checking: 'checking both servers',
  planning: 'looking at the tables',
  schema: 'creating databases and tables',
  copying: 'copying',
  settling: 'looking for what changed its definition meanwhile',
  objects: 'creating views and routines',
  'catching-up': 'copied',
  planned: 'planned',
  refused: 'refused',
};

/** One line. */
export function renderProgress({ phase, round, tables, rows, bytes: size, current }: BootstrapProgress): string {
  const what = `${PHASE_TEXT[phase]}${round > 1 ? `, round ${round}` : ''}`;
  if (phase !== 'copying' && phase !== 'settling') return what;
  const now = current.length === 0 ? '' : `; now ${current.join(', ')}`;
  return `${what}: ${tables.done} of ${tables.total} tables, ${count(rows.copied)} of about ${count(rows.estimated)} rows, ${bytes(size.wire)} on the wire${now}`;
}

export function renderEstablished(stream: string, { bootstrap: it, ledger }: Established): string {
  const copied =
    it === null
      ? `${stream}: established and consistent\n`
      : `${stream}: established and consistent. ${it.tables} tables, ${count(it.rows)} rows copied in ${duration(it.milliseconds)}, ${bytes(it.bytesWire)} on the wire\n` +
        (it.copiedAgain > 0 ? `  ${it.copiedAgain} tables changed their definition meanwhile and were copied again\n` : '') +
        (it.objects.deferred > 0
          ? `  ${it.objects.created} databases, tables, views and routines created; ${it.objects.deferred} triggers and events kept for the promotion\n`
          : '') +
        renderWarnings(it.findings);
  return `${copied}  position  ${ledger.position ?? '?'}\nCycles are scheduled. See: srdf status ${stream}\n`;
}
