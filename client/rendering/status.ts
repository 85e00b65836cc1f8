/** The state of streams as an operator reads it. Touches nothing. */
import type { StreamStatus } from '../derive-status.js';
import { OUTCOME_TEXT } from './cycle.js';
import { bytes, count, duration } from './table.js';

const PHASE_TEXT: Readonly<Record<StreamStatus['phase'], string>> = {
  'not-established': 'not established',
  bootstrapping: 'bootstrapping: the first copy is being made',
  'bootstrap-failed': 'the bootstrap ended without a consistent copy',
  'catching-up': 'catching up with what changed during the first copy; not consistent yet',
  consistent: 'consistent',
  unknown: 'unknown',
};

export function renderStatus(statuses: readonly StreamStatus[], now: number, temporalUi: string | undefined): string {
  return `${statuses.map((it) => renderStream(it, now)).join('\n')}${temporalUi === undefined ? '' : `\nTemporal: ${temporalUi}\n`}`;
}

function renderStream(status: StreamStatus, now: number): string {
  const lines = [
    `${status.stream}: ${PHASE_TEXT[status.phase]}${status.mode === 'active' || status.mode === 'unknown' ? '' : `, ${status.mode}`}`,
  ];
  const add = (title: string, text: string) => lines.push(`  ${title.padEnd(12)}${text}`);
  if (status.bootstrap?.progress && status.bootstrap.running) add('progress', status.bootstrap.progress);
  const cycle = status.lastCycle;
  if (cycle !== null) {
    add(
      'last cycle',
      `${cycle.outcome === 'failed' ? 'ended without a result' : OUTCOME_TEXT[cycle.outcome]}, ${duration(Math.max(0, now - cycle.ended))} ago${status.running ? '; one runs now' : ''}`,
    );
    if (cycle.why !== null && status.deadLetter === null) add('why', `${cycle.why.tried}: ${cycle.why.found} (${cycle.why.code})`);
  } else if (status.running) add('cycle', 'the first one runs now');
  if (status.late !== null) add('why', status.late.found);
  if (status.phase !== 'not-established') {
    add(
      'lag',
      status.lagSeconds === null
        ? 'unknown: no cycle has come to the end of the log with the target as it stands'
        : `at most ${duration(status.lagSeconds * 1_000)}`,
    );
  }
  const { waiting, received, applied } = status.wagons;
  if (applied !== null || waiting !== null) {
    const known = (n: number | null) => (n === null ? '?' : count(n));
    add('wagons', `applied to ${known(applied)}, received to ${known(received)}, ${known(waiting)} in the spool not confirmed yet`);
  }
  if (status.states !== null && status.states.captured.wagons > 0) {
    const { captured, received: arrived, applied: done, confirmed } = status.states;
    const text = [captured, arrived, done, confirmed].map((it) => count(it.changes));
    add(
      'changes',
      `captured ${text[0]}, received ${text[1]}, applied ${text[2]}, confirmed ${text[3]} (newest ${count(captured.wagons)} wagons)`,
    );
  }
  if (status.spool !== null && status.spool.bytes > 0) add('spool', `${bytes(status.spool.bytes)} of ${bytes(status.spool.maxBytes)}`);
  if (status.position !== null) add('position', status.position);
  if (status.logEnd !== null && status.logEnd !== status.position) add('log end', status.logEnd);
  for (const { site, why } of status.unreachable) add(site, `${why.tried}: ${why.found} (${why.code})`);
  if (status.deadLetter !== null) {
    const { sequence, error, since } = status.deadLetter;
    add('dead letter', `wagon ${sequence}, for ${duration(Math.max(0, now - since))}: ${error.tried}: ${error.found} (${error.code})`);
  }
  if (status.discarded !== null) {
    const { wagons, last } = status.discarded;
    add(
      'left out',
      `${count(wagons)} ${wagons === 1 ? 'wagon' : 'wagons'}, by decision, the last ${duration(Math.max(0, now - last))} ago: the target lacks their changes`,
    );
  }
  if (status.bootstrap?.error && status.phase !== 'consistent') {
    const { tried, found, code } = status.bootstrap.error;
    add('bootstrap', `${tried}: ${found} (${code})`);
  }
  if (status.next !== null) add('do', status.next);
  return `${lines.join('\n')}\n`;
}
