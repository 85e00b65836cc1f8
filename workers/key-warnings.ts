/** A worker's word that keys will end: when they do, wagons are refused, and a worker that ended doesn't start again. */
import type { Logger } from 'pino';
import { RENEWAL } from '../activities/wagon/key-bundle.js';
import { endingKeys, tellKeyEnd } from '../activities/wagon/key-lifetime.js';
import type { KeyRing } from '../activities/wagon/key-ring.js';
import type { Closable } from './close-all.js';

const DAY_MILLISECONDS = 86_400_000;

/** Warns at once and then once a day, of the own keys and of the trusted ones, from 60 days before their end. */
export function warnOfEndingKeys(ring: Pick<KeyRing, 'bundle' | 'trusted'>, log: Pick<Logger, 'warn'>): Closable {
  const warn = (): void => {
    for (const end of endingKeys(ring, Date.now()))
      log.warn(
        { keysOf: end.site, daysLeft: end.daysLeft, notAfter: new Date(end.notAfter).toISOString(), action: RENEWAL },
        tellKeyEnd(end),
      );
  };
  warn();
  const timer = setInterval(warn, DAY_MILLISECONDS).unref();
  return { close: async () => clearInterval(timer) };
}
