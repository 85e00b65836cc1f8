/** An operator who calls `srdf establish` again when it ended because a part of the pair was away: it goes on with the bootstrap that runs. */
import type { Pair } from '../integration/pair.js';

const AWAY = /temporal-unreachable|source-unreachable|target-unreachable|receiver-unreachable|worker-silent/;
const ATTEMPTS = 20;

/** Throws what else it ends with. */
export async function establishThrough(pair: Pair): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { exitCode, stdout, stderr } = await pair.srdf('establish', pair.name);
    if (exitCode === 0) return;
    if (attempt === ATTEMPTS || !AWAY.test(stderr)) throw new Error(`srdf establish ended with ${exitCode}: ${(stderr || stdout).trim()}`);
  }
}
