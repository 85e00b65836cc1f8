/** What a cycle adds to the target worker's Prometheus metrics. Leaves no event in the history. */
import { metricMeter } from '@temporalio/workflow';
import type { Route } from '../activities/contracts.js';
import type { CycleResult } from './cycle-result.js';

export function recordCycle(route: Route, result: CycleResult): void {
  const tags = { pair: route.pair, stream: route.stream };
  const count = (name: string, unit: string, description: string, value: number): void =>
    metricMeter.createCounter(name, unit, description).add(value, tags);
  const gauge = (name: string, unit: string, description: string, value: number): void =>
    metricMeter.createGauge(name, 'int', unit, description).set(value, tags);

  metricMeter.createCounter('srdf_cycles', '1', 'Cycles that ended, by outcome').add(1, { ...tags, outcome: result.outcome });
  count('srdf_changes_captured', '1', 'Row changes read from the log', result.counts.captured);
  count('srdf_changes_applied', '1', 'Row changes applied at the target', result.counts.applied);
  count('srdf_changes_confirmed', '1', 'Row changes whose signed receipt was verified', result.counts.confirmed.captured);
  count('srdf_wagons_confirmed', '1', 'Wagons whose signed receipt was verified', result.counts.wagons.confirmed);
  count('srdf_log_bytes', 'By', 'Log read', result.bytes.log);
  count('srdf_wire_bytes', 'By', 'Bytes sent to the target', result.bytes.sent);
  gauge(
    'srdf_stream_stopped',
    '1',
    '1 while a dead letter or a halt stops the stream',
    Number(['dead-lettered', 'halted'].includes(result.outcome)),
  );
  if (result.ledger !== null) gauge('srdf_ledger_sequence', '1', 'The last wagon applied', result.ledger.sequence);
  const lag = result.lagMilliseconds.at(-1);
  if (lag !== undefined)
    gauge('srdf_lag_milliseconds', 'ms', "From the source's commit to the verified receipt, newest wagon", Math.round(lag));
}
