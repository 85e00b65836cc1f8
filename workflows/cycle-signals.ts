/** What a running cycle can be asked and told. Imported by clients, too. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { CycleProgress } from './cycle-result.js';

export const cycleProgressQuery = defineQuery<CycleProgress>('progress');
/** A continuous cycle ends once what it has begun is through; any other one does so by itself. */
export const finishCycleSignal = defineSignal('finish');
