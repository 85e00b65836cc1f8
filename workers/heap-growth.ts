/** How far a worker's heap may grow before V8 collects the whole of it. */
import { setFlagsFromString } from 'node:v8';

/**
 * As far again as after the last collection. Left to itself the target collected its 46 MB twice a second through a long first copy, 127 times where it
 * now does 11 times: most likely since V8 lets a heap in which hardly anything grows old rise by a tenth only, and counts the bodies of wagons in.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
