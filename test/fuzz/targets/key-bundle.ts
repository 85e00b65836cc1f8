/** A key bundle that changed is refused; one signed by the key in it is read as exactly what was signed. */
import { SIGNATURE_BYTES } from '../../../activities/wagon/composite-signature.js';
import { decodeBundle, encodeBundle, fingerprint } from '../../../activities/wagon/key-bundle.js';
import { signedDigest } from '../../../activities/wagon/transcript.js';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import { equalBytes, type FuzzTarget, require, Violation } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { sourceSigner, targetSigner } from '../known-keys.js';
import { mutateBytes } from '../mutate-bytes.js';

const bundles = corpusFiles('key-bundle').map((file) => file.bytes);

export const keyBundle: FuzzTarget = {
  name: 'key-bundle',
  refusals: new Set(['key-bundle-malformed', 'key-bundle-signature']),
  corpus: () => bundles,
  mutate: (input, random) => {
    const body = input.subarray(0, -SIGNATURE_BYTES);
    return random.chance(4) ? mutateBytes(input, random) : Buffer.concat([mutateBytes(body, random), input.subarray(-SIGNATURE_BYTES)]);
  },
  run: (input) => {
    if (!bundles.some((it) => equalBytes(it, input))) {
      let taken = true;
      try {
        decodeBundle(input);
      } catch (error) {
        if (!(error instanceof SrdfError)) throw error;
        taken = false;
      }
      if (taken) throw new Violation('a changed bundle was taken');
    }
    if (input.length < SIGNATURE_BYTES) return;
    // Whoever makes a bundle signs it with the key inside: what is left to see is whether it says one thing only.
    const end = input.length - SIGNATURE_BYTES;
    const signer = Buffer.from(input).includes(Buffer.from(sourceSigner.publicKey)) ? sourceSigner : targetSigner;
    const signed = new Uint8Array(input);
    signed.set(signer.sign(signedDigest(signed.subarray(0, end)), 'srdf/keybundle/v1'), end);
    const bundle = decodeBundle(signed);
    require(equalBytes(encodeBundle(bundle, signer).subarray(0, end), signed.subarray(0, end)), () => 'a bundle with two encodings');
    fingerprint(bundle);
  },
};
