/**
 * Where Temporal is. In this order, the later wins: the profile of Temporal's own TOML file, `TEMPORAL_*` variables
 * (addresses, mTLS, API keys, as the Temporal CLI reads them), then `temporal.address` and `temporal.namespace` of srdf.yaml.
 */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { resolveSecret } from '../config/load.js';
import type { SrdfConfig } from '../config/schema.js';
import { createDataConverter } from './data-converter.js';
import { SrdfError } from './error-catalogue.js';

export interface TemporalAddress {
  readonly options: NativeConnectionOptions;
  readonly namespace: string;
}

export function temporalAddress(config: SrdfConfig['temporal']): TemporalAddress {
  const found = loadClientConnectConfig(config.profile === undefined ? {} : { profile: config.profile });
  const address = config.address ?? found.connectionOptions.address ?? 'localhost:7233';
  return { options: { ...found.connectionOptions, address }, namespace: config.namespace ?? found.namespace ?? 'default' };
}

const unreachable = (address: TemporalAddress, cause: unknown): SrdfError =>
  new SrdfError('temporal-unreachable', {
    tried: `connecting to Temporal at ${address.options.address}, namespace ${address.namespace}`,
    found: cause instanceof Error ? cause.message : String(cause),
    action: 'Start the Temporal server, or correct temporal.address or TEMPORAL_ADDRESS',
    cause,
  });

/** For workers. Close it after the workers have ended. */
export async function connectWorker(
  config: SrdfConfig['temporal'],
): Promise<{ readonly connection: NativeConnection; readonly namespace: string }> {
  const address = temporalAddress(config);
  try {
    return { connection: await NativeConnection.connect(address.options), namespace: address.namespace };
  } catch (cause) {
    throw unreachable(address, cause);
  }
}

export interface TemporalClient {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  close(): Promise<void>;
}

/** For the CLI, tests and the demo. `timeoutMilliseconds`: how long the server is waited for. */
export async function connectClient(config: SrdfConfig['temporal'], timeoutMilliseconds = 5_000): Promise<TemporalClient> {
  const address = temporalAddress(config);
  const dataConverter = createDataConverter(config.payloadKey === undefined ? undefined : await resolveSecret(config.payloadKey));
  const { address: at, apiKey, tls, metadata } = address.options;
  try {
    const connection = await Connection.connect({
      connectTimeout: timeoutMilliseconds,
      ...(at === undefined ? {} : { address: at }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(tls === undefined ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    const client = new Client({ connection, namespace: address.namespace, dataConverter });
    return { client, connection, namespace: address.namespace, close: () => connection.close() };
  } catch (cause) {
    if (cause instanceof SrdfError) throw cause;
    throw unreachable(address, cause);
  }
}
