/**
 * How a sealed wagon or a receipt lies on disk: its bytes, then a trailer of 80 bytes
 *
 *     'SRDFend1' | length of the bytes before, u64 LE | SHA-256 of them | SHA-256 of the wagon it concerns
 *
 * A file cut short, empty or ending in zeros (power cut) shows at once, and a wagon's hash is known without reading it all.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { WagonHash } from '../vocabulary.js';
import { LIMITS } from '../wagon/limits.js';
import { errorCode } from './atomic-file.js';

export const TRAILER_BYTES = 80;
/** Holds nearly every header; one with very long positions is read again with `HEADER_BYTES_MOST`. */
export const HEADER_BYTES_USUAL = 64 * 1024;
export const HEADER_BYTES_MOST = LIMITS.headerBytes;
const MAGIC = Buffer.from('SRDFend1', 'latin1');

export interface Trailer {
  readonly bytes: number;
  readonly hash: WagonHash;
  /** Of a receipt: the wagon it speaks of. Of a wagon: its own. */
  readonly wagonHash: WagonHash;
}

export function encodeTrailer(trailer: Trailer): Buffer {
  const encoded = Buffer.alloc(TRAILER_BYTES);
  MAGIC.copy(encoded, 0);
  encoded.writeBigUInt64LE(BigInt(trailer.bytes), 8);
  encoded.write(trailer.hash, 16, 'hex');
  encoded.write(trailer.wagonHash, 48, 'hex');
  return encoded;
}

/** null when the file isn't whole. `fileBytes` is the file's size, `encoded` its last 80 bytes. */
function decodeTrailer(encoded: Buffer, fileBytes: number): Trailer | null {
  if (encoded.length !== TRAILER_BYTES || !encoded.subarray(0, 8).equals(MAGIC)) return null;
  if (encoded.readBigUInt64LE(8) !== BigInt(fileBytes - TRAILER_BYTES)) return null;
  return {
    bytes: fileBytes - TRAILER_BYTES,
    hash: encoded.toString('hex', 16, 48) as WagonHash,
    wagonHash: encoded.toString('hex', 48, 80) as WagonHash,
  };
}

export type FileCheck<T> = { readonly state: 'absent' } | { readonly state: 'damaged' } | ({ readonly state: 'whole' } & T);

/** A file's trailer and its first bytes (at most `prefixBytes`). Its middle isn't read: that the bytes hash right is for the verifier to see. */
export async function inspectFile(
  path: string,
  prefixBytes: number,
): Promise<FileCheck<{ readonly trailer: Trailer; readonly prefix: Uint8Array }>> {
  return withFile<{ readonly trailer: Trailer; readonly prefix: Uint8Array }>(path, async (handle, size) => {
    const trailer = await readTrailer(handle, size);
    if (trailer === null || trailer.bytes === 0) return { state: 'damaged' };
    const prefix = await readExactly(handle, Math.min(trailer.bytes, prefixBytes), 0);
    return prefix === null ? { state: 'damaged' } : { state: 'whole', trailer, prefix };
  });
}

/** The bytes before the trailer, read into memory. */
export async function readWhole(path: string): Promise<FileCheck<{ readonly trailer: Trailer; readonly content: Uint8Array }>> {
  return withFile<{ readonly trailer: Trailer; readonly content: Uint8Array }>(path, async (handle, size) => {
    const trailer = await readTrailer(handle, size);
    if (trailer === null) return { state: 'damaged' };
    const content = await readExactly(handle, trailer.bytes, 0);
    return content === null ? { state: 'damaged' } : { state: 'whole', trailer, content };
  });
}

/** Reads all of it: whether its bytes are other than those its trailer speaks of. */
export async function isDamaged(path: string): Promise<boolean> {
  const file = await readWhole(path);
  if (file.state !== 'whole') return file.state === 'damaged';
  return createHash('sha256').update(file.content).digest('hex') !== file.trailer.hash;
}

async function withFile<T>(path: string, use: (handle: FileHandle, size: number) => Promise<FileCheck<T>>): Promise<FileCheck<T>> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { state: 'absent' };
    throw error;
  }
  try {
    return await use(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

async function readTrailer(handle: FileHandle, size: number): Promise<Trailer | null> {
  if (size < TRAILER_BYTES) return null;
  const encoded = await readExactly(handle, TRAILER_BYTES, size - TRAILER_BYTES);
  return encoded === null ? null : decodeTrailer(encoded, size);
}

async function readExactly(handle: FileHandle, bytes: number, position: number): Promise<Buffer | null> {
  const buffer = Buffer.allocUnsafe(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, position + done);
    if (bytesRead === 0) return null;
    done += bytesRead;
  }
  return buffer;
}
