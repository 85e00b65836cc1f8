/**
 * Preloaded into a worker (`--import`): its clock goes wrong by the milliseconds that stand in the file SRDF_TEST_CLOCK names, as soon as they
 * stand there. Shifted is `Date` in every thread of JavaScript. Not shifted: timers and performance.now() (monotonic in a real jump too),
 * what OpenSSL compares a certificate's dates with, Temporal's native client, the times of files, and other processes.
 */
import { readFileSync } from 'node:fs';

const file = process.env.SRDF_TEST_CLOCK ?? '';
const RealDate = Date;
const READ_EVERY_MILLISECONDS = 50;
let readAt = 0;
let shift = 0;

function now() {
  const real = RealDate.now();
  if (real - readAt >= READ_EVERY_MILLISECONDS) {
    readAt = real;
    try {
      shift = Number(readFileSync(file, 'utf8'));
    } catch {
      shift = 0;
    }
  }
  return real + shift;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters, newTarget) => Reflect.construct(target, parameters.length === 0 ? [now()] : parameters, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
