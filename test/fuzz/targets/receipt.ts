/** A receipt that changed on its way is refused; one that the target's key has signed anew is read as exactly what was signed. */
import { SIGNATURE_BYTES } from '../../../activities/wagon/composite-signature.js';
import { createReceiptIssuer, createReceiptVerifier } from '../../../activities/wagon/receipt.js';
import { signedDigest } from '../../../activities/wagon/transcript.js';
import { SrdfError } from '../../../temporal/error-catalogue.js';
import { equalBytes, type FuzzTarget, require, Violation } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { NOW, targetBundle, targetRing, targetSigner } from '../known-keys.js';
import { mutateBytes } from '../mutate-bytes.js';

const receipts = corpusFiles('receipt').map((file) => file.bytes);
const verifier = createReceiptVerifier(targetBundle, () => NOW);

function isRefused(receipt: Uint8Array): boolean {
  try {
    verifier.verify(receipt);
    return false;
  } catch (error) {
    if (error instanceof SrdfError) return true;
    throw error;
  }
}

export const receipt: FuzzTarget = {
  name: 'receipt',
  refusals: new Set(['receipt-malformed', 'receipt-signature', 'receipt-signer', 'receipt-role', 'receipt-mismatch']),
  corpus: () => receipts,
  mutate: mutateBytes,
  run: (input) => {
    const honest = receipts.some((it) => equalBytes(it, input));
    if (!honest && !isRefused(input)) throw new Violation('a changed receipt was taken');
    if (input.length < SIGNATURE_BYTES) return;
    const signed = new Uint8Array(input);
    const end = signed.length - SIGNATURE_BYTES;
    signed.set(targetSigner.sign(signedDigest(signed.subarray(0, end)), 'srdf/receipt/v1'), end);
    const fields = verifier.verify(signed);
    const again = createReceiptIssuer(targetRing, () => fields.issuedAt).issue(fields);
    require(equalBytes(again.subarray(0, end), signed.subarray(0, end)), () => 'a receipt with two encodings');
  },
};
