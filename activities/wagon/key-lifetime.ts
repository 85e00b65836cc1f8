/** When a site's keys end, its own and those it trusts, and how that is told in time: they end all at once, and everything stands. Pure. */
import type { KeyBundle } from './key-bundle.js';
import type { KeyRing } from './key-ring.js';

const MILLISECONDS_PER_DAY = 86_400_000;
/** Two operators have to find an hour together. */
const TOLD_DAYS = 60;

export interface KeyEnd {
  readonly site: string;
  /** Of the site itself, or trusted there. */
  readonly held: 'own' | 'trusted';
  /** ms since 1970. */
  readonly notAfter: number;
  /** Whole days; 0 on the last one, below 0 once they have ended. */
  readonly daysLeft: number;
}

/** Rounded down: who is told 3 days has 3 days. */
export const daysLeft = ({ notAfter }: Pick<KeyBundle, 'notAfter'>, now: number): number =>
  Math.floor((notAfter - now) / MILLISECONDS_PER_DAY);

/** What ends within 60 days or has ended, the first to end first. `now`: ms since 1970. */
export function endingKeys({ bundle, trusted }: Pick<KeyRing, 'bundle' | 'trusted'>, now: number): readonly KeyEnd[] {
  const end = (held: KeyEnd['held'], it: KeyBundle): KeyEnd => ({
    site: it.site,
    held,
    notAfter: it.notAfter,
    daysLeft: daysLeft(it, now),
  });
  return [end('own', bundle), ...[...trusted.values()].map((it) => end('trusted', it))]
    .filter((it) => it.daysLeft <= TOLD_DAYS)
    .sort((a, b) => a.notAfter - b.notAfter);
}

/** `the keys of paris end in 12 days, on 2028-12-28` */
export function tellKeyEnd({ site, notAfter, daysLeft: days }: KeyEnd): string {
  const date = new Date(notAfter).toISOString().slice(0, 10);
  if (days < 0) return `the keys of ${site} have ended, on ${date}: the stream stands`;
  return `the keys of ${site} end ${days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`}, on ${date}`;
}
