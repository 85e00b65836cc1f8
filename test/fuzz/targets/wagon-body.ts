/** A wagon's body once it is open, and a header before anything is known of it: refused, or in the one encoding they have. */
import { decodeBody, encodeBody, putChecksum } from '../../../activities/wagon/encoding.js';
import { encodeHeader, parseHeader } from '../../../activities/wagon/header.js';
import { openWagon } from '../../../activities/wagon/open-wagon.js';
import { equalBytes, type FuzzTarget, require } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { EXPECTED, NOW, openingKeys } from '../known-keys.js';
import { mutateBytes } from '../mutate-bytes.js';
import { WAGON_REFUSALS } from './wagon-refusals.js';

export const wagonBody: FuzzTarget = {
  name: 'wagon-body',
  refusals: WAGON_REFUSALS,
  corpus: () => corpusFiles('wagon').map((file) => openWagon(file.bytes, EXPECTED, openingKeys, NOW).encoded),
  mutate: (input, random) => Buffer.concat([input.subarray(0, 32), mutateBytes(input.subarray(32), random)]),
  run: (input) => {
    const again = encodeBody(decodeBody(input));
    const sealed = new Uint8Array(input);
    putChecksum(sealed);
    putChecksum(again);
    require(equalBytes(again, sealed), () => 'a body with two encodings');
  },
};

export const wagonHeader: FuzzTarget = {
  name: 'wagon-header',
  refusals: WAGON_REFUSALS,
  corpus: () => corpusFiles('wagon').map(({ bytes }) => bytes.subarray(0, parseHeader(bytes).headerBytes)),
  mutate: mutateBytes,
  run: (input) => {
    const { header, headerBytes } = parseHeader(input);
    require(equalBytes(encodeHeader(header), input.subarray(0, headerBytes)), () => 'a header with two encodings');
  },
};
