/** At most so many pieces of work at a time, the others in the order they came: what bounds the memory that bodies of ranges take. Pure. */

export type Lanes = <T>(work: () => Promise<T>) => Promise<T>;

export function lanes(count: number): Lanes {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    try {
      return await work();
    } finally {
      // Handed on without being free in between, so that nobody overtakes.
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
