/** Makes the search attributes known to a namespace, once; those already there stay. */
import type { Connection } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import type { NativeConnection } from '@temporalio/worker';
import { SrdfError } from './error-catalogue.js';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';

/** gRPC status codes: https://grpc.io/docs/guides/status-codes/ */
const ALREADY_EXISTS = 6;
const NOT_FOUND = 5;
/** Deadline exceeded, resource exhausted, aborted, unavailable: a server that starts, or whose database does, answers so. */
const PASSING: ReadonlySet<unknown> = new Set([4, 8, 10, 14]);

/**
 * Registers what is missing through the operator service. Servers whose operator service is closed to us (Temporal Cloud) want them
 * made beforehand: the error names the ones that lack. A server that isn't ready, or a new one whose namespace is yet to be made, is
 * `temporal-unreachable`: waiting helps.
 */
export async function registerSearchAttributes(connection: Connection | NativeConnection, namespace: string): Promise<void> {
  const service = connection.operatorService;
  try {
    const { customAttributes } = await service.listSearchAttributes({ namespace });
    const missing = SEARCH_ATTRIBUTES.filter((key) => customAttributes?.[key.name] === undefined);
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map((key) => [key.name, encodeSearchAttributeIndexedValueType(key.type) ?? 0]));
    await service.addSearchAttributes({ namespace, searchAttributes });
  } catch (cause) {
    // Two workers that start at once both see them missing; the second's request comes too late and is no error.
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null;
    if (code === ALREADY_EXISTS) return;
    const tried = `registering search attributes in namespace ${namespace}`;
    const found = cause instanceof Error ? cause.message : String(cause);
    if (code === NOT_FOUND || PASSING.has(code))
      throw new SrdfError('temporal-unreachable', {
        tried,
        found,
        action:
          code === NOT_FOUND
            ? `Create the namespace (temporal operator namespace create --namespace ${namespace}), or correct temporal.namespace; it is tried again by itself`
            : 'Let the Temporal server come up; it is tried again by itself',
        cause,
      });
    throw new SrdfError('temporal-missing', {
      tried,
      found,
      action: `Create them once: ${SEARCH_ATTRIBUTES.map((key) => `temporal operator search-attribute create --name ${key.name} --type ${key.type === 'INT' ? 'Int' : 'Keyword'}`).join('; ')}`,
      cause,
    });
  }
}
