/** Which errors of an apply leave a dead letter: one rule for the activity that writes it and the workflow that shows it. Pure. */
import { ERRORS, type ErrorCode } from './error-catalogue.js';

/** Errors that speak of the target, the key ring or the program, not of the wagon: another wagon would meet them as well. */
const NOT_THE_WAGON: ReadonlySet<string> = new Set<ErrorCode>([
  'config-invalid',
  'secret-missing',
  'secret-permissions',
  'key-missing',
  'key-permissions',
  'key-bundle-refused',
  'key-bundle-expired',
  'engine-unsupported',
  'ledger-missing',
  'ledger-inconsistent',
  'target-preflight',
  'bootstrap-unsettled',
  'not-supported',
]);

/** Final, and about the wagon itself. */
export const isPoison = (code: string): boolean =>
  Object.hasOwn(ERRORS, code) && !ERRORS[code as ErrorCode].retry && !NOT_THE_WAGON.has(code);
