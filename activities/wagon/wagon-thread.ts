/** The entry of a wagon thread: sealing, signing, opening and verifying, off the event loop of the worker process. */
import { parentPort, workerData } from 'node:worker_threads';
import { createTaskRunner, packError, type WagonAnswer, type WagonKeys, type WagonTask } from './wagon-tasks.js';

const port = parentPort;
if (port === null) throw new Error('wagon-thread.js is started as a worker thread');

const run = createTaskRunner(workerData as WagonKeys);

port.on('message', ({ id, task }: { readonly id: number; readonly task: WagonTask }) => {
  run
    .then((answer) => {
      const done = answer(task);
      port.postMessage({ id, answer: done }, transferable(done));
    })
    .catch((error: unknown) => port.postMessage({ id, error: packError(error) }));
});

/** Our own buffers of exactly this wagon are handed over; a view of a shared pool is copied. */
function transferable(answer: WagonAnswer): ArrayBuffer[] {
  if (answer.task === 'verify') return [];
  const { buffer, byteLength } = answer.bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
