/** What can be done to a sealed wagon, with and without the source's signing key, and how each must be refused. */
import { createHash, randomBytes } from 'node:crypto';
import zstd from 'zstd-napi/binding.js';
import { mysqlRowFormat } from '../../activities/engines/mysql/binlog/row-format.js';
import {
  type Epoch,
  NO_WAGON,
  type Position,
  type Sequence,
  type SiteName,
  type StreamName,
  type WagonHash,
} from '../../activities/vocabulary.js';
import type { ChangesBody } from '../../activities/wagon/body.js';
import { openSigningKey, SIGNATURE_BYTES } from '../../activities/wagon/composite-signature.js';
import type { HeaderFields } from '../../activities/wagon/contract.js';
import { encodeBody, putChecksum } from '../../activities/wagon/encoding.js';
import { parseHeader } from '../../activities/wagon/header.js';
import { hpkeReady, KEM_CIPHERTEXT_BYTES, recipientPublicKey } from '../../activities/wagon/hpke.js';
import { keyId } from '../../activities/wagon/key-bundle.js';
import type { KeyRing } from '../../activities/wagon/key-ring.js';
import { type SealingKeys, sealCompressed, sealWagon, signInPlace } from '../../activities/wagon/seal-wagon.js';
import { CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, STREAM_HEADER_BYTES } from '../../activities/wagon/secretstream.js';
import { changesBody, images } from '../unit/wagon-fixture.js';

export interface Tampered {
  readonly what: string;
  readonly codes: readonly string[];
  /** What the refusal says, where the code alone doesn't tell which check refused. */
  readonly found?: RegExp;
  readonly bytes: Uint8Array;
}
/** Where the next wagon has its place: what its header must say to be the one that is applied. */
export interface NextPlace {
  readonly epoch: number;
  readonly sequence: number;
  readonly previousHash: string;
  readonly position: string;
}

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** The ML-DSA-65 half of a composite signature (FIPS 204); the rest is Ed25519's. */
const ML_DSA_BYTES = 3309;

/** Behind the names of a table map, what no server writes there: count of columns, their types, length of the types' metadata, metadata, null bits. */
const NO_TABLE_MAPS: readonly [string, readonly number[]][] = [
  ['that ends behind its names', []],
  ['without columns', [0]],
  ['of more columns than it has', [200, 3, 15]],
  ['of more columns than a table can have', [0xfd, 0xff, 0xff, 0xff, 3]],
  ['with a DECIMAL wider than any', [1, 246, 2, 255, 0, 0]],
  ['with metadata left over', [2, 3, 15, 4, 200, 0, 1, 1, 0]],
  ['without its null bits', [2, 3, 15, 2, 200, 0]],
  ['whose key is of a column it lacks', [2, 3, 15, 2, 200, 0, 0, 8, 1, 7]],
];

/** An insert into `shop.item` by this table map. */
function bodyOf(behindNames: readonly number[]): ChangesBody {
  const names = Buffer.from('\x04shop\0\x04item\0', 'latin1');
  return {
    ...changesBody(),
    rowFormat: mysqlRowFormat.name,
    tables: [{ database: 'shop', table: 'item', bytes: new Uint8Array([...names, ...behindNames]) }],
    ordered: [{ table: 0, operation: 'insert', rows: images(Uint8Array.of(0, 9, 0, 0, 0, 0)), foreignKeyChecks: true, uniqueChecks: true }],
    net: [],
    counts: { transactions: 1, captured: 1, carried: 1, logBytes: 1 },
  };
}

export class Forger {
  private readonly keys: SealingKeys;
  private constructor(
    private readonly source: KeyRing,
    private readonly target: KeyRing,
    private readonly next: NextPlace,
  ) {
    const { recipientPublicKey: key } = target.bundle;
    if (key === null) throw new Error('a target without a recipient key');
    this.keys = { signer: source.signing, signerKeyId: source.signingKeyId, recipientPublicKey: key, recipientKeyId: keyId(key) };
  }
  static async of(source: KeyRing, target: KeyRing, next: NextPlace): Promise<Forger> {
    await hpkeReady();
    return new Forger(source, target, next);
  }

  private fields(over: Partial<HeaderFields> = {}): HeaderFields {
    return {
      kind: 'changes',
      stream: 'shop' as StreamName,
      epoch: this.next.epoch as Epoch,
      sequence: this.next.sequence as Sequence,
      previousHash: this.next.previousHash as WagonHash,
      sourceSite: 'paris' as SiteName,
      targetSite: 'frankfurt' as SiteName,
      createdAt: 1_700_000_000_000,
      positionFrom: this.next.position as Position,
      positionTo: this.next.position as Position,
      train: { index: 0, last: true },
      ...over,
    };
  }
  seal(over: Partial<HeaderFields> = {}, keys: Partial<SealingKeys> = {}, body = changesBody()): Uint8Array {
    return sealWagon(this.fields(over), encodeBody(body), { ...this.keys, ...keys }).bytes;
  }

  /** Without the signing key: what stands on the line can do, and what a stranger can seal. */
  *withoutKey(): Generator<Tampered> {
    const wagon = this.seal();
    const { headerBytes } = parseHeader(wagon);
    const kem = headerBytes + KEM_CIPHERTEXT_BYTES;
    const signatureAt = wagon.length - SIGNATURE_BYTES;
    const flip = (at: number): Uint8Array => wagon.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
    const ofHeader = ['wagon-malformed', 'wagon-signature', 'wagon-signer', 'wagon-suite', 'wagon-too-large'];
    for (let at = 0; at < headerBytes; at += 7) yield { what: `byte ${at} of the header flipped`, codes: ofHeader, bytes: flip(at) };
    const parts: readonly [string, number, number][] = [
      ['the key’s post-quantum half', headerBytes, kem - 32],
      ['the key’s classical half', kem - 32, kem],
      ['the stream’s header', kem, kem + STREAM_HEADER_BYTES],
      ['the body', kem + STREAM_HEADER_BYTES, signatureAt],
      ['the signature’s post-quantum half', signatureAt, signatureAt + ML_DSA_BYTES],
      ['the signature’s classical half', signatureAt + ML_DSA_BYTES, wagon.length],
    ];
    for (const [what, from, to] of parts) {
      for (const at of [from, (from + to) >> 1, to - 1])
        yield { what: `a bit of ${what} flipped`, codes: ['wagon-signature'], bytes: flip(at) };
      yield { what: `${what} zeroed`, codes: ['wagon-signature'], bytes: wagon.map((byte, at) => (at >= from && at < to ? 0 : byte)) };
    }
    for (const length of [1, 8, headerBytes - 1, headerBytes, kem, signatureAt, wagon.length - 1])
      yield { what: `cut off after ${length} bytes`, codes: ['wagon-malformed'], bytes: wagon.subarray(0, length) };
    yield { what: 'with a byte behind it', codes: ['wagon-malformed'], bytes: Buffer.concat([wagon, Buffer.of(0)]) };
    const other = this.seal();
    yield {
      what: 'with another’s body',
      codes: ['wagon-signature'],
      bytes: Buffer.concat([wagon.subarray(0, kem), other.subarray(kem, -SIGNATURE_BYTES), wagon.subarray(signatureAt)]),
    };
    yield {
      what: 'with another’s signature',
      codes: ['wagon-signature'],
      bytes: Buffer.concat([wagon.subarray(0, signatureAt), other.subarray(-SIGNATURE_BYTES)]),
    };
    const stranger = openSigningKey(new Uint8Array(randomBytes(64)));
    const { signing, signingKeyId } = this.target;
    yield {
      what: 'signed by a stranger',
      codes: ['wagon-signer'],
      bytes: this.seal({}, { signer: stranger, signerKeyId: keyId(stranger.publicKey) }),
    };
    yield { what: 'signed by a stranger in the source’s name', codes: ['wagon-signature'], bytes: this.seal({}, { signer: stranger }) };
    yield {
      what: 'signed by the target’s key',
      codes: ['wagon-role'],
      bytes: this.seal({}, { signer: signing, signerKeyId: signingKeyId }),
    };
    const asReceipt = wagon.slice();
    signInPlace(asReceipt, { publicKey: signing.publicKey, sign: (message) => this.source.signing.sign(message, 'srdf/receipt/v1') });
    yield { what: 'signed as a receipt', codes: ['wagon-signature'], bytes: asReceipt };
  }

  /** Signed by the source and for another place: refused at the door. */
  *misdirected(): Generator<Tampered> {
    yield { what: 'of another source', codes: ['wagon-signer'], bytes: this.seal({ sourceSite: 'lyon' as SiteName }) };
    yield { what: 'for another target', codes: ['wagon-destination'], bytes: this.seal({ targetSite: 'berlin' as SiteName }) };
    yield { what: 'of another stream', codes: ['wagon-destination'], bytes: this.seal({ stream: 'crm' as StreamName }) };
    yield { what: 'of another number', codes: ['wagon-destination'], bytes: this.seal({ sequence: (this.next.sequence + 1) as Sequence }) };
    yield { what: 'of another epoch', codes: ['wagon-destination'], bytes: this.seal({ epoch: (this.next.epoch + 1) as Epoch }) };
    const ranged = this.fields({ kind: 'range', previousHash: NO_WAGON });
    yield {
      what: 'of another kind',
      codes: ['wagon-destination', 'wagon-malformed'],
      bytes: sealWagon(ranged, encodeBody(changesBody()), this.keys).bytes,
    };
  }

  /** With the stolen signing key: taken at the door, which holds no key to look inside, and refused before anything of it is applied. */
  *withSigningKey(): Generator<Tampered> {
    const wagon = this.seal({}, {}, changesBody([new Uint8Array(randomBytes(3 * CHUNK_BYTES))]));
    const { headerBytes, header } = parseHeader(wagon);
    const kem = headerBytes + KEM_CIPHERTEXT_BYTES;
    const first = kem + STREAM_HEADER_BYTES;
    const size = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;
    const chunk = (index: number) => wagon.slice(first + index * size, first + (index + 1) * size);
    const resigned = (bytes: Uint8Array, change: (it: Uint8Array) => void): Uint8Array => {
      const copy = bytes.slice();
      change(copy);
      signInPlace(copy, this.keys.signer);
      return copy;
    };
    // compressedBytes stands at byte 52: made to agree, since another length is malformed already.
    const withLength = (parts: readonly Uint8Array[], compressedBytes: number) =>
      resigned(new Uint8Array(Buffer.concat(parts)), (it) => new DataView(it.buffer).setBigUint64(52, BigInt(compressedBytes), true));
    const body = ['wagon-sealed-body'];
    const other = this.seal({}, {}, changesBody([new Uint8Array(randomBytes(3 * CHUNK_BYTES))]));
    yield {
      what: 'its chunks exchanged',
      codes: body,
      bytes: resigned(wagon, (it) => {
        it.set(chunk(1), first);
        it.set(chunk(0), first + size);
      }),
    };
    yield { what: 'a chunk doubled', codes: body, bytes: resigned(wagon, (it) => it.set(chunk(0), first + size)) };
    yield {
      what: 'a chunk dropped',
      codes: body,
      bytes: withLength([wagon.subarray(0, first + size), wagon.subarray(first + 2 * size)], header.compressedBytes - CHUNK_BYTES),
    };
    yield {
      what: 'a chunk behind the last',
      codes: body,
      bytes: withLength(
        [wagon.subarray(0, -SIGNATURE_BYTES), chunk(0), wagon.subarray(-SIGNATURE_BYTES)],
        header.compressedBytes + CHUNK_BYTES,
      ),
    };
    yield { what: 'the stream’s header of another', codes: body, bytes: resigned(wagon, (it) => it.set(other.subarray(kem, first), kem)) };
    yield {
      what: 'the post-quantum half of its key zeroed',
      codes: body,
      bytes: resigned(wagon, (it) => it.fill(0, headerBytes, kem - 32)),
    };
    yield { what: 'the classical half of its key zeroed', codes: body, bytes: resigned(wagon, (it) => it.fill(0, kem - 32, kem)) };
    const elsewhere = recipientPublicKey(new Uint8Array(randomBytes(32)));
    yield {
      what: 'sealed for another',
      codes: ['wagon-recipient'],
      bytes: this.seal({}, { recipientPublicKey: elsewhere, recipientKeyId: keyId(elsewhere) }),
    };
    yield { what: 'sealed for another in this one’s name', codes: body, bytes: this.seal({}, { recipientPublicKey: elsewhere }) };
    const plain = new Uint8Array(64 * 2 ** 20);
    const packed = compress(plain);
    yield { what: 'a bomb', codes: ['wagon-too-large'], bytes: sealCompressed(this.fields(), packed, 1_000, this.keys).bytes };
    yield { what: 'no zstd', codes: body, bytes: sealCompressed(this.fields(), new Uint8Array(randomBytes(900)), 1_000, this.keys).bytes };
    const encoded = encodeBody(changesBody());
    putChecksum(encoded);
    encoded[40] = (encoded[40] ?? 0) ^ 1;
    yield {
      what: 'a wrong checksum',
      codes: ['wagon-checksum'],
      bytes: sealCompressed(this.fields(), compress(encoded), encoded.length, this.keys).bytes,
    };
    yield {
      what: 'a statement that is none',
      codes: ['wagon-malformed'],
      bytes: sealWagon(this.fields({ kind: 'ddl' }), encodeBody(changesBody()), this.keys).bytes,
    };
    yield {
      what: 'another before it',
      codes: ['wagon-gap'],
      bytes: this.seal({ previousHash: hashOf(plain.subarray(0, 1)) as WagonHash }),
    };
    yield { what: 'another position', codes: ['wagon-gap'], bytes: this.seal({ positionFrom: `${this.next.position}0` as Position }) };
    yield { what: 'rows of no table of the stream', codes: ['wagon-scope'], bytes: this.seal() };
    for (const [what, tableMap] of NO_TABLE_MAPS)
      yield {
        what: `a table map ${what}`,
        codes: ['wagon-malformed'],
        found: /its table map is none/,
        bytes: this.seal({}, {}, bodyOf(tableMap)),
      };
  }
}

function compress(bytes: Uint8Array): Uint8Array {
  const into = new Uint8Array(zstd.compressBound(bytes.length));
  return into.subarray(0, zstd.compress(into, bytes, 1));
}
