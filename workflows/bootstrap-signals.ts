/** What a bootstrap answers and hears. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { BootstrapProgress, TableCopy } from './bootstrap-result.js';

export const progressQuery = defineQuery<BootstrapProgress>('progress');
/** A child's word on how far its table is. */
export const tableProgress = defineSignal<[TableCopy & { readonly name: string }]>('tableProgress');
