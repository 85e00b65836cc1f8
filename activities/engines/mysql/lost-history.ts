/** What to do about a source that is not, or may not be, what the target was fed from: in the same words wherever it is met. Pure. */

/** Establishing anew begins with an empty target: what was acknowledged once, and lost at the source since, would be gone for good with it. */
export const ESTABLISH_KEEPING =
  'The target may be the only one that still has what this source lacks: before anything else save its databases, on the target (mariadb-dump ' +
  'or mysqldump, with --single-transaction --databases), and compare the sides (srdf verify). Only then establish the stream again (srdf establish)';
