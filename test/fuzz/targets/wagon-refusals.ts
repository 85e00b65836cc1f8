import type { ErrorCode } from '../../../temporal/error-catalogue.js';

/** What a wagon that isn't honest is refused with. */
export const WAGON_REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'wagon-malformed',
  'wagon-suite',
  'wagon-signature',
  'wagon-signer',
  'wagon-role',
  'wagon-recipient',
  'wagon-destination',
  'wagon-sealed-body',
  'wagon-checksum',
  'wagon-too-large',
  'wagon-epoch',
]);
