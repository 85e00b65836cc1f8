/**
 * One call per stream at a time. The retry of a timed-out attempt that still runs ends it, and begins when it has ended.
 * A call of another cycle waits its turn: two that end each other would never get anywhere.
 */
import { SrdfError } from '../../temporal/error-catalogue.js';
import type { StreamName } from '../vocabulary.js';
import type { Heartbeat } from './heartbeat.js';

interface Flight {
  readonly owner: string;
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

export class SingleFlight {
  private readonly flights = new Map<StreamName, Flight>();

  constructor(private readonly what: string) {}

  async run<T>(
    stream: StreamName,
    { signal, owner }: Pick<Heartbeat, 'signal' | 'owner'>,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const before = this.flights.get(stream);
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const mine = (async () => {
      if (before !== undefined) {
        if (before.owner === owner)
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
    const flight = { owner, abort, ended: mine };
    this.flights.set(stream, flight);
    try {
      return await mine;
    } finally {
      if (this.flights.get(stream) === flight) this.flights.delete(stream);
    }
  }
}
