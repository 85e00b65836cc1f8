/**
 * The sealed body: libsodium's secretstream (XChaCha20-Poly1305) over chunks, the wagon's header as additional data of the first,
 * TAG_FINAL on the last. sodium-native where it loads, else libsodium compiled to WebAssembly: the bytes are the same.
 */
import { createRequire } from 'node:module';
import sodium from 'libsodium-wrappers';

export const CHUNK_BYTES = 256 * 1024;
export const STREAM_HEADER_BYTES = 24;
export const CHUNK_OVERHEAD_BYTES = 17;
const TAG_MESSAGE = 0;
const TAG_FINAL = 3;

/** An empty body is one empty chunk. */
function chunkCount(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / CHUNK_BYTES));
}
export function sealedLength(bytes: number): number {
  return STREAM_HEADER_BYTES + bytes + chunkCount(bytes) * CHUNK_OVERHEAD_BYTES;
}

interface Push {
  readonly header: Uint8Array;
  push(plain: Uint8Array, additional: Uint8Array | null, final: boolean, into: Uint8Array): void;
}
/** null: the chunk isn't authentic here. */
type Pull = (sealed: Uint8Array, additional: Uint8Array | null, into: Uint8Array) => { readonly final: boolean } | null;
export interface SecretStream {
  readonly name: 'sodium-native' | 'libsodium-wrappers';
  push(key: Uint8Array): Push;
  pull(header: Uint8Array, key: Uint8Array): Pull;
}

/** `into` has exactly `sealedLength(plain.length)` bytes. */
export function sealStream(stream: SecretStream, key: Uint8Array, additional: Uint8Array, plain: Uint8Array, into: Uint8Array): void {
  const { header, push } = stream.push(key);
  into.set(header, 0);
  let at = STREAM_HEADER_BYTES;
  const chunks = chunkCount(plain.length);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const part = plain.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
    const end = at + part.length + CHUNK_OVERHEAD_BYTES;
    push(part, chunk === 0 ? additional : null, chunk === chunks - 1, into.subarray(at, end));
    at = end;
  }
}

/**
 * null when any chunk isn't authentic in its place, ends the stream too early, or doesn't end it.
 * secretstream itself would go on after the final tag, so the count of chunks is what `plainBytes` says and nothing else.
 */
export function openStream(
  stream: SecretStream,
  key: Uint8Array,
  additional: Uint8Array,
  sealed: Uint8Array,
  plainBytes: number,
): Uint8Array | null {
  if (sealed.length !== sealedLength(plainBytes)) return null;
  const pull = stream.pull(sealed.subarray(0, STREAM_HEADER_BYTES), key);
  const plain = new Uint8Array(plainBytes);
  const chunks = chunkCount(plainBytes);
  let at = STREAM_HEADER_BYTES;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const into = plain.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
    const end = at + into.length + CHUNK_OVERHEAD_BYTES;
    const pulled = pull(sealed.subarray(at, end), chunk === 0 ? additional : null, into);
    if (pulled === null || pulled.final !== (chunk === chunks - 1)) return null;
    at = end;
  }
  return plain;
}

/** Needs `hpkeReady()` first: the fallback and the keys come from the same library. */
export const wasmStream: SecretStream = {
  name: 'libsodium-wrappers',
  push: (key) => {
    const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
    return {
      header,
      push: (plain, additional, final, into) =>
        into.set(sodium.crypto_secretstream_xchacha20poly1305_push(state, plain, additional, final ? TAG_FINAL : TAG_MESSAGE), 0),
    };
  },
  pull: (header, key) => {
    const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
    return (sealed, additional, into) => {
      // It returns false instead of throwing when the chunk is not authentic; its types don't say so.
      const pulled: { message: Uint8Array; tag: number } | false = sodium.crypto_secretstream_xchacha20poly1305_pull(
        state,
        sealed,
        additional,
      );
      if (pulled === false || (pulled.tag !== TAG_MESSAGE && pulled.tag !== TAG_FINAL)) return null;
      into.set(pulled.message, 0);
      return { final: pulled.tag === TAG_FINAL };
    };
  },
};

/** What we use of sodium-native, which brings no types. */
interface SodiumNative {
  readonly crypto_secretstream_xchacha20poly1305_STATEBYTES: number;
  crypto_secretstream_xchacha20poly1305_init_push(state: Uint8Array, header: Uint8Array, key: Uint8Array): void;
  crypto_secretstream_xchacha20poly1305_init_pull(state: Uint8Array, header: Uint8Array, key: Uint8Array): void;
  crypto_secretstream_xchacha20poly1305_push(
    state: Uint8Array,
    sealed: Uint8Array,
    plain: Uint8Array,
    additional: Uint8Array | null,
    tag: number,
  ): number;
  crypto_secretstream_xchacha20poly1305_pull(
    state: Uint8Array,
    plain: Uint8Array,
    tag: Uint8Array,
    sealed: Uint8Array,
    additional: Uint8Array | null,
  ): number;
}

/** null where the package or its binary for this platform isn't there. */
export function nativeStream(): SecretStream | null {
  let native: SodiumNative;
  try {
    const require = createRequire(import.meta.url);
    native = require('sodium-native');
  } catch {
    return null;
  }
  // The native calls want buffers of their own kind.
  const buffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    name: 'sodium-native',
    push: (key) => {
      const state = Buffer.alloc(native.crypto_secretstream_xchacha20poly1305_STATEBYTES);
      const header = Buffer.alloc(STREAM_HEADER_BYTES);
      native.crypto_secretstream_xchacha20poly1305_init_push(state, header, buffer(key));
      return {
        header,
        push: (plain, additional, final, into) => {
          const extra = additional === null ? null : buffer(additional);
          native.crypto_secretstream_xchacha20poly1305_push(state, buffer(into), buffer(plain), extra, final ? TAG_FINAL : TAG_MESSAGE);
        },
      };
    },
    pull: (header, key) => {
      const state = Buffer.alloc(native.crypto_secretstream_xchacha20poly1305_STATEBYTES);
      native.crypto_secretstream_xchacha20poly1305_init_pull(state, buffer(header), buffer(key));
      const tag = Buffer.alloc(1);
      return (sealed, additional, into) => {
        try {
          const extra = additional === null ? null : buffer(additional);
          native.crypto_secretstream_xchacha20poly1305_pull(state, buffer(into), tag, buffer(sealed), extra);
        } catch {
          return null;
        }
        return tag[0] === TAG_MESSAGE || tag[0] === TAG_FINAL ? { final: tag[0] === TAG_FINAL } : null;
      };
    },
  };
}

let chosen: SecretStream | null = null;
export function secretStream(): SecretStream {
  chosen ??= nativeStream() ?? wasmStream;
  return chosen;
}
