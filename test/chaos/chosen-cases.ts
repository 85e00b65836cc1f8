/** Which cases a run goes through, by what it was told. Touches no file; the time alone comes from outside. */
import type { Case } from './contract.js';
import { goodOnPage } from './faults-page.js';
import { atRandom, EVERYWHERE, MATRIX, nameOf } from './matrix.js';
import type { ChaosOptions } from './options.js';

const DEFAULT_MINUTES = 10;

export const ENGINE_NAMES: Readonly<Record<ChaosOptions['engine'], string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

export interface Choice {
  /** In the order of the matrix. */
  readonly possible: readonly Case[];
  /** Whether the run draws from them until its time is up, or goes through them once. */
  readonly random: boolean;
  /** Absent: as long as it takes. */
  readonly minutes?: number;
}

/** `page`: docs/faults.md as it is, '' when there is none. */
export function choose({ engine, only, seed, minutes, missing }: ChaosOptions, page: string): Choice {
  const random = seed !== undefined || (minutes !== undefined && !missing);
  const good = missing ? goodOnPage(page, ENGINE_NAMES[engine]) : new Set<string>();
  const possible = (random ? EVERYWHERE : MATRIX).filter((it) => (only === undefined || only.test(nameOf(it))) && !good.has(nameOf(it)));
  if (random) return { possible, random, minutes: minutes ?? DEFAULT_MINUTES };
  return { possible, random, ...(minutes !== undefined && { minutes }) };
}

/** The cases, one after the other; none begins once the time is up. `now`: milliseconds. */
export function* casesOf({ possible, random, minutes }: Choice, seed: number, now: () => number): Generator<Case, void, void> {
  const end = now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  for (const it of random ? atRandom(possible, seed) : possible) {
    if (now() > end) return;
    yield it;
  }
}
