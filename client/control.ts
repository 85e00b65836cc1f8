/** A stream under the operator's hand: its config, its route, and Temporal. Loaded by commands that need Temporal, and by those alone. */
import type { Route } from '../activities/contracts.js';
import type { SiteName } from '../activities/vocabulary.js';
import { engineOf, loadConfig, streamOf } from '../config/load.js';
import type { SrdfConfig, StreamConfig } from '../config/schema.js';
import { connectClient, type TemporalClient } from '../temporal/connection.js';
import { operatorError } from './operator-error.js';

export interface PairControl {
  readonly config: SrdfConfig;
  readonly temporal: TemporalClient;
  route(stream: StreamConfig): Route;
}
export interface StreamControl extends PairControl {
  readonly stream: StreamConfig;
  readonly streamRoute: Route;
}

/** Connects, runs, closes. Errors that come back through Temporal are given as the catalogue's own. */
export async function withPair<T>(configPath: string, action: (control: PairControl) => Promise<T>): Promise<T> {
  const config = await loadConfig(configPath);
  return await connected(config, action);
}

/** The same for one stream. Throws `config-invalid` for a stream the config doesn't name, `engine-unsupported` for its engine. */
export async function withStream<T>(configPath: string, name: string, action: (control: StreamControl) => Promise<T>): Promise<T> {
  const config = await loadConfig(configPath);
  const stream = streamOf(config, name);
  engineOf(stream);
  return await connected(config, (pair) => action({ ...pair, stream, streamRoute: pair.route(stream) }));
}

async function connected<T>(config: SrdfConfig, action: (control: PairControl) => Promise<T>): Promise<T> {
  const temporal = await connectClient(config.temporal);
  try {
    return await action({ config, temporal, route: (stream) => routeOf(config, stream) });
  } catch (error) {
    throw operatorError(error);
  } finally {
    await temporal.close();
  }
}

export const routeOf = (config: SrdfConfig, stream: StreamConfig): Route => ({
  pair: config.pair,
  stream: stream.name as Route['stream'],
  source: config.source.name as SiteName,
  target: config.target.name as SiteName,
});
