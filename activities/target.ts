/** All activities of the site that stands by, with what they touch handed in. */
import { bootstrapTargetActivities } from './bootstrap/target.js';
import { compareTargetActivities } from './compare/target.js';
import type { TargetActivities } from './contracts.js';
import { cycleTargetActivities } from './cycle/target.js';
import type { TargetSite } from './site.js';

export const createTargetActivities = (site: TargetSite): TargetActivities => ({
  ...cycleTargetActivities(site),
  ...bootstrapTargetActivities(site),
  ...compareTargetActivities(site),
});
