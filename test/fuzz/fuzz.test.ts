/** A sample of `npm run fuzz`: the corpus is accepted, what was once found is answered rightly, and so are some changed inputs. */
import { afterAll, describe, expect, it } from 'vitest';
import { foundInputs } from './corpus.js';
import { execute, inputOf } from './search.js';
import { TARGETS } from './targets/index.js';

const SEED = 20_261_124;
/** Of each target, about a second's worth. */
const EXECUTIONS: Readonly<Record<string, number>> = {
  'binlog-damaged': 600,
  'binlog-forged': 200,
  config: 150,
  'wagon-forged': 30,
  receipt: 20,
  'key-bundle': 30,
  receiver: 60,
  'wagon-damaged': 60,
};

afterAll(async () => {
  for (const target of TARGETS) await target.close?.();
});

describe.each(TARGETS)('$name', (target) => {
  it('accepts its corpus', async () => {
    const corpus = target.corpus();
    expect(corpus.length).toBeGreaterThan(0);
    for (const input of corpus) expect(await execute(target, input)).toBe('accepted');
  });
  it('answers rightly what was once found', async () => {
    for (const { name, bytes } of foundInputs(target.name)) {
      const outcome = await execute(target, bytes);
      expect(typeof outcome === 'object' ? `${name}: ${outcome.story}` : 'right').toBe('right');
    }
  });
  it(`answers rightly changed inputs of seed ${SEED}`, async () => {
    const corpus = target.corpus();
    for (let number = 0; number < (EXECUTIONS[target.name] ?? 1_000); number++) {
      const outcome = await execute(target, inputOf(target, corpus, SEED, number));
      expect(typeof outcome === 'object' ? `${number}: ${outcome.story}` : 'right').toBe('right');
    }
  });
});
