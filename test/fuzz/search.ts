/** Runs one input and judges what came of it; goes on with changed inputs; makes a find small. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { type FuzzTarget, Violation } from './contract.js';
import { Random } from './random.js';

/** Longer for one small input isn't slowness of the machine any more. */
const SLOW_MILLISECONDS = 5_000;
const MEMORY_BYTES = 64 * 2 ** 20;
const MINIMISING_EXECUTIONS = 600;

export interface Find {
  readonly input: Uint8Array;
  /** Equal for finds that most likely have one cause. */
  readonly cause: string;
  readonly story: string;
}
export type Outcome = 'accepted' | 'refused' | Find;

export async function execute(target: FuzzTarget, input: Uint8Array): Promise<Outcome> {
  const copy = Uint8Array.from(input);
  const heapBefore = process.memoryUsage();
  const began = process.cpuUsage();
  let outcome: 'accepted' | 'refused' = 'accepted';
  try {
    await target.run(copy);
  } catch (error) {
    if (!(error instanceof SrdfError) || !target.refusals.has(error.code)) return find(input, error);
    outcome = 'refused';
  }
  const after = process.memoryUsage();
  const { user, system } = process.cpuUsage(began);
  // Of the processor, not of the clock: the machine may be busy with other things.
  const took = (user + system) / 1000;
  const allocated = after.arrayBuffers - heapBefore.arrayBuffers + Math.max(0, after.heapUsed - heapBefore.heapUsed);
  if (took > SLOW_MILLISECONDS) return find(input, new Violation(`${outcome} after ${Math.round(took)} ms`));
  if (allocated > (target.memoryBytes ?? MEMORY_BYTES) + 64 * input.length)
    return find(input, new Violation(`${outcome} with ${Math.round(allocated / 2 ** 20)} MiB allocated`));
  return outcome;
}

function find(input: Uint8Array, error: unknown): Find {
  const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const where = /\n\s+at (\S+) .*\/activities\/(\S+?):\d+/.exec(story);
  const message = error instanceof Error ? `${error.name} ${error instanceof SrdfError ? error.code : error.message}` : story;
  // What a violation tells behind the colon differs from input to input.
  if (error instanceof Violation) return { input, story, cause: error.message.replace(/:.*/s, '').replaceAll(/\d+/g, 'n') };
  return { input, story, cause: `${message.slice(0, 80).replaceAll(/\d+/g, 'n')} ${where?.[1] ?? ''} ${where?.[2] ?? ''}` };
}

/** Pieces left out as long as the same comes of it. */
export async function minimise(target: FuzzTarget, found: Find): Promise<Find> {
  let best = found;
  let left = MINIMISING_EXECUTIONS;
  for (let piece = best.input.length >> 1; piece >= 1 && left > 0; piece >>= 1) {
    for (let at = 0; at < best.input.length && left > 0; left--) {
      const shorter = Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + piece)]);
      const outcome = await execute(target, shorter);
      if (typeof outcome === 'object' && outcome.cause === best.cause) best = outcome;
      else at += piece;
    }
  }
  return best;
}

/** One changed input: the same for the same seed and number. */
export function inputOf(target: FuzzTarget, corpus: readonly Uint8Array[], seed: number, number: number): Uint8Array {
  const random = new Random(seed + Math.imul(number, 0x9e3779b1));
  return target.mutate(random.pick(corpus), random);
}
