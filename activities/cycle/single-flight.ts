/** One call per stream at a time. A newer one is the retry of a timed-out one that still runs: it ends it, and begins when it has ended. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { StreamName } from '../vocabulary.js';

interface Flight {
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

export class SingleFlight {
  private readonly flights = new Map<StreamName, Flight>();

  constructor(private readonly what: string) {}

  async run<T>(stream: StreamName, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.flights.get(stream);
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const mine = (async () => {
      if (before !== undefined) {
        before.abort.abort(
          new SrdfError('worker-silent', {
            tried: `${this.what} ${stream}`,
            found: 'a newer attempt has taken over',
            action: 'Nothing is to be done: the newer attempt goes on',
          }),
        );
        await before.ended.catch(() => undefined);
      }
      both.throwIfAborted();
      return await work(both);
    })();
    const flight = { abort, ended: mine };
    this.flights.set(stream, flight);
    try {
      return await mine;
    } finally {
      if (this.flights.get(stream) === flight) this.flights.delete(stream);
    }
  }
}
