/**
 * Memory that is known to be used no more, given back at once. A thread's engine collects such buffers only once some 64 MB of them have come
 * together (V8's limit of external memory), in each thread: with bodies of megabytes that was most of a worker's memory.
 */
import { MessageChannel } from 'node:worker_threads';

/** Nobody listens: what is handed over to it is freed. `ArrayBuffer.prototype.transfer` does the same, from Node 22 on. */
const { port1: nowhere, port2 } = new MessageChannel();
port2.close();
nowhere.unref();

/** Less isn't worth it, and might be Node's pool, which others use too. */
const WORTH_BYTES = 2 ** 18;

/** A buffer of its own behind `bytes`, which is worth handing over or giving back. */
export const isLarge = ({ buffer }: Uint8Array): boolean => buffer instanceof ArrayBuffer && buffer.byteLength >= WORTH_BYTES;

/** Gives the whole buffer behind `bytes` back, which must be the caller's own: every view of it is empty afterwards. */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && isLarge(bytes)) nowhere.postMessage(null, [buffer]);
}
