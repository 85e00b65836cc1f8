/**
 * The queues a site's processes poll. Each names its pair: two pairs may share a namespace, and their sites and streams their names, and still
 * no worker ever takes the other pair's work, whose ledger is another one. A dot stands in no name of pair or site. Pure.
 */
import type { Route } from '../activities/contracts.js';

export const sourceQueue = ({ pair, source }: Pick<Route, 'pair' | 'source'>): string => `srdf-source-${pair}.${source}`;
export const targetQueue = ({ pair, target }: Pick<Route, 'pair' | 'target'>): string => `srdf-target-${pair}.${target}`;
/** Workflows: polled by workers of the target's side alone, so that losing the source leaves the control plane. */
export const controlQueue = ({ pair }: Pick<Route, 'pair'>): string => `srdf-control-${pair}`;
