/** How far a worker's heap may grow before V8 collects the whole of it. */
import { setFlagsFromString } from 'node:v8';

/**
 * As far again as after the last collection. Left to itself V8 comes down to a tenth, since hardly anything of ours grows old; but it counts buffers
 * in, and one body of a wagon is more than that: the target collected its 46 MB twice a second through a long first copy.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
