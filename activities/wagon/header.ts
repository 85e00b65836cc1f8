/** A wagon's header in clear, to bytes and back (docs/wagon-format.md). Pure. One encoding; unknown values are refused. */
import { SrdfError } from '../../temporal/error-catalogue.js';
import { type Epoch, NO_WAGON, type Position, type Sequence, type SiteName, type StreamName, type WagonHash } from '../vocabulary.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { SIGNATURE_BYTES } from './composite-signature.js';
import type { WagonHeader, WagonKind } from './contract.js';
import { KEM_CIPHERTEXT_BYTES } from './hpke.js';
import { LIMITS } from './limits.js';
import { CHUNK_BYTES, sealedLength } from './secretstream.js';

const MAGIC = Buffer.from('SRDFWAGN', 'ascii');
const VERSION = 1;
/** X-Wing, HKDF-SHA256, secretstream, id-MLDSA65-Ed25519-SHA512. */
const SUITE = 1;
const CODEC_ZSTD = 1;
/** Magic, version, suite and the header's whole length: enough to know how much to read. */
const HEADER_PREFIX_BYTES = 16;
export const KINDS = ['changes', 'ddl', 'schema', 'range'] as const satisfies readonly WagonKind[];
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const KEY_ID_BYTES = 16;
const TRIED = "reading a wagon's header";

export function encodeHeader(header: WagonHeader): Uint8Array {
  for (const name of [header.stream, header.sourceSite, header.targetSite]) {
    if (!NAME.test(name)) throw malformed('writing the header of a wagon', `"${name}" is not the name of a stream or site`);
  }
  const writer = new ByteWriter(512 + header.positionFrom.length + header.positionTo.length);
  writer.raw(MAGIC);
  writer.u16(VERSION);
  writer.u16(SUITE);
  writer.u32(0);
  writer.u8(KINDS.indexOf(header.kind));
  writer.u8(CODEC_ZSTD);
  writer.bool(header.train.last);
  writer.u8(0);
  writer.u32(header.train.index);
  writer.u32(CHUNK_BYTES);
  writer.u53(header.epoch);
  writer.u53(header.sequence);
  writer.u53(header.createdAt);
  writer.u53(header.compressedBytes);
  writer.u53(header.plainBytes);
  writer.raw(Buffer.from(header.previousHash, 'hex'));
  writer.raw(Buffer.from(header.recipientKeyId, 'hex'));
  writer.raw(Buffer.from(header.signerKeyId, 'hex'));
  writer.text(header.stream);
  writer.text(header.sourceSite);
  writer.text(header.targetSite);
  writer.text(header.positionFrom);
  writer.text(header.positionTo);
  const bytes = writer.finish();
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, bytes.length, true);
  // Whatever a reader would refuse is refused here, before it is sealed.
  parseHeader(bytes);
  return bytes;
}

/**
 * Reads the header from a wagon's first bytes; more may follow. Nothing is authenticated yet.
 * `headerBytes`: the header's length. `sealedBytes`: the whole wagon's exact length.
 * Throws `wagon-malformed`, `wagon-suite` (another suite or version) or `wagon-too-large`.
 */
export function parseHeader(bytes: Uint8Array): {
  readonly header: WagonHeader;
  readonly headerBytes: number;
  readonly sealedBytes: number;
} {
  const prefix = new ByteReader(bytes, 'wagon-malformed', TRIED);
  if (!MAGIC.equals(prefix.raw(MAGIC.length))) prefix.refuse('it does not begin as a wagon does');
  const version = prefix.u16();
  const suite = prefix.u16();
  if (version !== VERSION || suite !== SUITE) {
    throw new SrdfError('wagon-suite', {
      tried: TRIED,
      found: `format ${version} and suite ${suite}, known are format ${VERSION} and suite ${SUITE}`,
      action: 'Run the same version of SRDF at both sites; if they are the same, the wagon is damaged or forged',
    });
  }
  const headerBytes = prefix.u32();
  if (headerBytes > LIMITS.headerBytes) throw tooLarge(`a header of ${headerBytes} bytes`);
  if (headerBytes > bytes.length || headerBytes < HEADER_PREFIX_BYTES) prefix.refuse(`a header of ${headerBytes} bytes in ${bytes.length}`);
  const reader = new ByteReader(bytes.subarray(0, headerBytes), 'wagon-malformed', TRIED, HEADER_PREFIX_BYTES);
  const header = readFields(reader);
  reader.end();
  const sealedBytes = headerBytes + KEM_CIPHERTEXT_BYTES + sealedLength(header.compressedBytes) + SIGNATURE_BYTES;
  if (sealedBytes > LIMITS.sealedBytes) throw tooLarge(`${sealedBytes} bytes sealed`);
  return { header, headerBytes, sealedBytes };
}

function readFields(reader: ByteReader): WagonHeader {
  const kind = reader.oneOf(KINDS, 'kind');
  if (reader.u8() !== CODEC_ZSTD) reader.refuse('unknown codec');
  const last = reader.bool();
  if (reader.u8() !== 0) reader.refuse('a reserved byte is set');
  const index = reader.u32();
  if (reader.u32() !== CHUNK_BYTES) reader.refuse('unknown chunk size');
  const epoch = reader.u53() as Epoch;
  const sequence = reader.u53() as Sequence;
  const createdAt = reader.u53();
  const compressedBytes = reader.u53();
  const plainBytes = reader.u53();
  if (plainBytes > LIMITS.plainBytes || compressedBytes > LIMITS.plainBytes)
    throw tooLarge(`${plainBytes} bytes (${compressedBytes} compressed)`);
  const hex = (length: number) => Buffer.from(reader.raw(length)).toString('hex');
  const previousHash = hex(32) as WagonHash;
  const recipientKeyId = hex(KEY_ID_BYTES);
  const signerKeyId = hex(KEY_ID_BYTES);
  const stream = name(reader) as StreamName;
  const sourceSite = name(reader) as SiteName;
  const targetSite = name(reader) as SiteName;
  const positionFrom = reader.text(LIMITS.positionBytes) as Position;
  const positionTo = reader.text(LIMITS.positionBytes) as Position;
  if (epoch < 1) reader.refuse('epoch 0');
  const chained = kind === 'changes' || kind === 'ddl';
  if (chained && sequence < 1) reader.refuse('sequence 0');
  if (!chained && previousHash !== NO_WAGON) reader.refuse(`a ${kind} wagon in a chain`);
  if (kind !== 'changes' && (index !== 0 || !last)) reader.refuse(`a ${kind} wagon in a train`);
  if (!last && positionTo !== positionFrom) reader.refuse('a train moves the position before its last wagon');
  return {
    kind,
    stream,
    epoch,
    sequence,
    previousHash,
    recipientKeyId,
    signerKeyId,
    sourceSite,
    targetSite,
    createdAt,
    positionFrom,
    positionTo,
    train: { index, last },
    compressedBytes,
    plainBytes,
  };
}

function name(reader: ByteReader): string {
  const text = reader.text(LIMITS.siteBytes);
  return NAME.test(text) ? text : reader.refuse('not the name of a stream or site');
}

function tooLarge(found: string): SrdfError {
  return new SrdfError('wagon-too-large', {
    tried: TRIED,
    found,
    action: `A wagon holds at most ${LIMITS.plainBytes} bytes: lower \`wagon.bytes\` in srdf.yaml; if it is lower, the wagon is damaged or forged`,
  });
}
function malformed(tried: string, found: string): SrdfError {
  return new SrdfError('wagon-malformed', { tried, found, action: 'Correct the name in srdf.yaml' });
}
