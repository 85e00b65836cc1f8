/** What a comparison answers. */
import { defineQuery } from '@temporalio/workflow';
import type { CompareProgress } from './compare-result.js';

export const compareProgressQuery = defineQuery<CompareProgress>('progress');
