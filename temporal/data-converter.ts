/** How values become payloads: JSON, sealed with the payload key, failures included. The same for workers, CLI and replay. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { SrdfError } from './error-catalogue.js';
import { EncryptingPayloadCodec, parsePayloadKey } from './payload-codec.js';

/** The compiled converter; from the TypeScript source (tests) the one in dist/, since `require` reads JavaScript alone. */
export function failureConverterPath(): string {
  const beside = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));
  if (existsSync(beside)) return beside;
  return fileURLToPath(new URL('../dist/temporal/failure-converter.cjs', import.meta.url));
}

/** `secret`: config.temporal.payloadKey, resolved. Without one nothing starts: payloads never travel in clear. */
export function createDataConverter(secret: string | undefined): DataConverter {
  if (secret === undefined || secret === '')
    throw new SrdfError('key-missing', {
      tried: 'preparing the connection to Temporal',
      found: 'no payload key is configured',
      action: 'Set temporal.payloadKey to { env: NAME } or { file: PATH } with 32 bytes: openssl rand -hex 32',
    });
  return { payloadCodecs: [new EncryptingPayloadCodec(parsePayloadKey(secret))], failureConverterPath: failureConverterPath() };
}
