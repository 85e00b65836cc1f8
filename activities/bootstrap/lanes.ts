/** At most so many pieces of work at a time: what bounds the memory that bodies of ranges take. Pure. */

/** `rank`: work of the highest goes first, within a rank in the order it came. */
export type Lanes = <T>(rank: number, work: () => Promise<T>) => Promise<T>;

interface Waiting {
  readonly rank: number;
  readonly begin: () => void;
}
/** Each so many lanes that come free go to whoever has waited longest, so that nothing waits for the end of what ranks above it. */
const TURNS = 3;

export function lanes(count: number): Lanes {
  let free = count;
  let turn = 0;
  const waiting: Waiting[] = [];
  const takeNext = (): Waiting | undefined => {
    turn = (turn + 1) % TURNS;
    if (turn === 0) return waiting.shift();
    const highest = waiting.reduce((most, it) => Math.max(most, it.rank), Number.NEGATIVE_INFINITY);
    const index = waiting.findIndex((it) => it.rank === highest);
    return index < 0 ? undefined : waiting.splice(index, 1)[0];
  };
  return async (rank, work) => {
    if (free > 0) free--;
    else
      await new Promise<void>((resolve) => {
        waiting.push({ rank, begin: resolve });
      });
    try {
      return await work();
    } finally {
      // Handed on without being free in between, so that nobody overtakes.
      const next = takeNext();
      if (next === undefined) free++;
      else next.begin();
    }
  };
}
