/** Placeholder types until workflows/bootstrap.ts and workflows/compare.ts are there. */
import type { BootstrapPlan, Route } from '../activities/contracts.js';
import type { BootstrapId } from '../activities/vocabulary.js';

export interface BootstrapWorkflowInput {
  readonly route: Route;
  readonly bootstrap: BootstrapId;
  readonly dryRun?: boolean;
}
export type BootstrapResult = BootstrapPlan;
export type BootstrapProgress = Record<string, unknown>;
