/** The queues a site's processes poll. Pure. */
import type { SiteName } from '../activities/vocabulary.js';

export const sourceQueue = (site: SiteName): string => `srdf-source-${site}`;
export const targetQueue = (site: SiteName): string => `srdf-target-${site}`;
/** Workflows: polled by workers of the target's side alone, so that losing the source leaves the control plane. */
export const CONTROL_QUEUE = 'srdf-control';
