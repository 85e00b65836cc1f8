/**
 * Everything that passes through Temporal's history, sealed with AES-256-GCM (NIST SP 800-38D): 96-bit random nonce,
 * 128-bit tag, the key's id as additional data and in the metadata. The server and its database see ciphertext alone.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { SrdfError } from './error-catalogue.js';

export const ENCRYPTED_ENCODING = 'binary/encrypted';
const KEY_ID = 'srdf-key-id';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const text = new TextEncoder();
const decodeText = (bytes: Uint8Array | null | undefined): string => (bytes ? new TextDecoder().decode(bytes) : '');

/** 32 bytes, as 64 hex digits or as base64. Throws `key-missing` for anything else. */
export function parsePayloadKey(secret: string): Uint8Array {
  const trimmed = secret.trim();
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (key.length !== 32)
    throw new SrdfError('key-missing', {
      tried: 'reading the payload key',
      found: `a key of ${key.length} bytes`,
      action: 'Give temporal.payloadKey 32 bytes as hex or base64: openssl rand -hex 32',
    });
  return key;
}

/** Tells keys apart without telling anything of the key: the first 16 hex digits of its SHA-256. */
export const payloadKeyId = (key: Uint8Array): string =>
  createHash('sha256').update('srdf/payload-key/v1').update(key).digest('hex').slice(0, 16);

export class EncryptingPayloadCodec implements PayloadCodec {
  private readonly id: string;
  constructor(private readonly key: Uint8Array) {
    this.id = payloadKeyId(key);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(text.encode(this.id));
      const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { metadata: { [METADATA_ENCODING_KEY]: text.encode(ENCRYPTED_ENCODING), [KEY_ID]: text.encode(this.id) }, data };
    });
  }

  /** Payloads in clear pass: search attributes and what other clients sent carry no secret of ours. */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (decodeText(payload.metadata?.[METADATA_ENCODING_KEY]) !== ENCRYPTED_ENCODING) return payload;
      const id = decodeText(payload.metadata?.[KEY_ID]);
      if (id !== this.id)
        throw new SrdfError('key-missing', {
          tried: 'opening a Temporal payload',
          found: `it is sealed with key ${id}, this process has ${this.id}`,
          action: 'Give every worker and the CLI the same temporal.payloadKey',
        });
      const data = payload.data ?? new Uint8Array();
      try {
        const decipher = createDecipheriv('aes-256-gcm', this.key, data.subarray(0, NONCE_BYTES))
          .setAAD(text.encode(this.id))
          .setAuthTag(data.subarray(data.length - TAG_BYTES));
        const plain = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES)), decipher.final()]);
        return proto.temporal.api.common.v1.Payload.decode(plain);
      } catch (cause) {
        throw new SrdfError('wagon-sealed-body', {
          tried: 'opening a Temporal payload',
          found: 'it was altered or cut short',
          action: 'Look for who can write to the Temporal database; the payload is refused',
          cause,
        });
      }
    });
  }
}
