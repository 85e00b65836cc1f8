/** All activities of the site that serves, with what they touch handed in. */
import { bootstrapSourceActivities } from './bootstrap/source.js';
import { compareSourceActivities } from './compare/source.js';
import type { SourceActivities } from './contracts.js';
import { cycleSourceActivities } from './cycle/source.js';
import type { SourceSite } from './site.js';

export const createSourceActivities = (site: SourceSite): SourceActivities => ({
  ...cycleSourceActivities(site),
  ...bootstrapSourceActivities(site),
  ...compareSourceActivities(site),
});
