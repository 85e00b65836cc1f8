/** What a running cycle can be asked and told. Imported by clients, too. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { CycleProgress } from './cycle-result.js';

export const cycleProgressQuery = defineQuery<CycleProgress>('progress');
/** `rest`: the stream is put to rest, and its mode is written already. Absent: the cycle shall only make way. */
export interface FinishRequest {
  readonly rest?: boolean;
}
/**
 * A continuous cycle ends once what it has begun is through; any other one ends by itself, at the end of the log. Told to `rest` it does so
 * here and now, too: that end may be hours away.
 */
export const finishCycleSignal = defineSignal<[FinishRequest?]>('finish');
