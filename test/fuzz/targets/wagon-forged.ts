/**
 * A wagon sealed and signed with the source's own keys around whatever an attacker inside likes. Accepted: then header and body have
 * exactly the one encoding that came. Input: length of the header (2 bytes), header, compressed body.
 */
import zstd from 'zstd-napi/binding.js';
import { SIGNATURE_BYTES } from '../../../activities/wagon/composite-signature.js';
import { decodeBody, encodeBody, putChecksum } from '../../../activities/wagon/encoding.js';
import { encodeHeader, parseHeader } from '../../../activities/wagon/header.js';
import { encapsulate, exportKey } from '../../../activities/wagon/hpke.js';
import { openWagon } from '../../../activities/wagon/open-wagon.js';
import { signInPlace } from '../../../activities/wagon/seal-wagon.js';
import { sealedLength, sealStream, secretStream } from '../../../activities/wagon/secretstream.js';
import { bodyInfo } from '../../../activities/wagon/transcript.js';
import { equalBytes, type FuzzTarget, require } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { EXPECTED, NOW, openingKeys, sealingKeys } from '../known-keys.js';
import { mutateBytes } from '../mutate-bytes.js';
import type { Random } from '../random.js';
import { WAGON_REFUSALS } from './wagon-refusals.js';

/** In the header: where the lengths of the body stand, compressed and plain (docs/wagon-format.md). */
const COMPRESSED_AT = 52;
const PLAIN_AT = 60;

const join = (header: Uint8Array, body: Uint8Array): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(Math.min(header.length, 0xffff));
  return Buffer.concat([length, header.subarray(0, 0xffff), body]);
};
function parts(input: Uint8Array): readonly [Buffer, Buffer] {
  const bytes = Buffer.from(input);
  const length = bytes.length < 2 ? 0 : bytes.readUInt16LE(0);
  return [bytes.subarray(2, 2 + length), bytes.subarray(2 + length)];
}
function zstdOf(plain: Uint8Array): Uint8Array {
  const into = new Uint8Array(zstd.compressBound(plain.length));
  return into.subarray(0, zstd.compress(into, plain, 1));
}
/** The lengths as they really are. */
function measured(header: Buffer, body: Uint8Array, plain: number): Buffer {
  if (header.length < PLAIN_AT + 8) return header;
  const copy = Buffer.from(header);
  copy.writeUInt32LE(copy.length, 12);
  copy.writeBigUInt64LE(BigInt(body.length), COMPRESSED_AT);
  copy.writeBigUInt64LE(BigInt(plain), PLAIN_AT);
  return copy;
}
function sealForged(header: Uint8Array, body: Uint8Array): Uint8Array {
  const { ciphertext, exporterSecret } = encapsulate(sealingKeys.recipientPublicKey, bodyInfo(header));
  const stream = new Uint8Array(sealedLength(body.length));
  sealStream(secretStream(), exportKey(exporterSecret, 'body'), header, body, stream);
  const wagon = new Uint8Array(Buffer.concat([header, ciphertext, stream, new Uint8Array(SIGNATURE_BYTES)]));
  signInPlace(wagon, sealingKeys.signer);
  return wagon;
}

function mutate(input: Uint8Array, random: Random): Buffer {
  const [header, body] = parts(input);
  const plain = new Uint8Array(1 << 20);
  const length = zstd.decompress(plain, body);
  switch (random.below(8)) {
    case 0: {
      const changed = mutateBytes(header, random);
      return join(random.chance(2) ? measured(changed, body, length) : changed, body);
    }
    case 1: {
      const changed = mutateBytes(body, random);
      return join(measured(header, changed, length), changed);
    }
    case 2: {
      // A small body that becomes a large one, with the truth and with a lie about its size.
      const bomb = zstdOf(new Uint8Array(random.pick([1 << 20, 64 << 20])));
      return join(measured(header, bomb, random.pick([length, 1 << 16])), bomb);
    }
    default: {
      const changed = new Uint8Array(mutateBytes(plain.subarray(0, length), random));
      if (changed.length >= 32 && !random.chance(20)) putChecksum(changed);
      const packed = zstdOf(changed);
      return join(measured(header, packed, changed.length), packed);
    }
  }
}

export const wagonForged: FuzzTarget = {
  name: 'wagon-forged',
  refusals: WAGON_REFUSALS,
  corpus: () =>
    corpusFiles('wagon').map(({ bytes }) => {
      const { header, encoded } = openWagon(bytes, EXPECTED, openingKeys, NOW);
      const packed = zstdOf(encoded);
      return join(encodeHeader({ ...header, compressedBytes: packed.length, plainBytes: encoded.length }), packed);
    }),
  mutate,
  run: (input) => {
    const [header, body] = parts(input);
    const opened = openWagon(sealForged(header, body), EXPECTED, openingKeys, NOW);
    require(equalBytes(encodeHeader(opened.header), header), () => 'a header with two encodings');
    require(parseHeader(header).headerBytes === header.length, () => 'a header of another length');
    const again = encodeBody(decodeBody(opened.encoded));
    putChecksum(again);
    require(equalBytes(again, opened.encoded), () => 'a body with two encodings');
  },
};
