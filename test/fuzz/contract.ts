/** What a fuzz target is: a parser that strangers' bytes reach, and what may come of it. */
import type { ErrorCode } from '../../temporal/error-catalogue.js';
import type { Random } from './random.js';

export interface FuzzTarget {
  readonly name: string;
  /** Codes of the catalogue an input may be refused with. Any other error is a find, and so is an input wrongly accepted. */
  readonly refusals: ReadonlySet<ErrorCode>;
  /** Inputs that are accepted, to be changed. */
  corpus(): readonly Uint8Array[];
  /** A changed input; structure-aware where bytes changed blindly would all be refused at the same gate. */
  mutate(input: Uint8Array, random: Random): Uint8Array;
  /**
   * Accepts the input and returns, or throws: an SrdfError when it is refused; a `Violation` when it was accepted though it is wrong.
   * The input is never written to.
   */
  run(input: Uint8Array): void | Promise<void>;
  /** Bytes that may be allocated for one input, beyond 64 times its size. Default 64 MiB. */
  readonly memoryBytes?: number;
  close?(): Promise<void>;
}

/** Accepted, and wrong. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function require(condition: boolean, what: () => string): void {
  if (!condition) throw new Violation(what());
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
