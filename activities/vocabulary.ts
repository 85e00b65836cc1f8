/**
 * The words of the design as types. A value of one kind can't be handed where another is meant:
 * a sequence isn't an epoch, a position isn't any string.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A place that can burn, named in the config: lower-case letters, digits and dashes. */
export type SiteName = Brand<string, 'SiteName'>;
/** One database (or a selection of its tables) replicated from one server to another. */
export type StreamName = Brand<string, 'StreamName'>;
/** The generation of who may write; rises at every promotion and fences the past. Starts at 1. */
export type Epoch = Brand<number, 'Epoch'>;
/** A wagon's number in its stream, without gaps. The first wagon is 1; a ledger at 0 has applied none. */
export type Sequence = Brand<number, 'Sequence'>;
/** SHA-256 of a sealed wagon's bytes, signature included: 64 lower-case hex digits. */
export type WagonHash = Brand<string, 'WagonHash'>;
/**
 * Where a stream stands in the source's log, in the engine's own canonical text. Only the engine that
 * wrote it reads it; everybody else compares it for equality and hands it on.
 */
export type Position = Brand<string, 'Position'>;
/** One run of the bootstrap, so that what a former run left behind is never taken for this one's. */
export type BootstrapId = Brand<string, 'BootstrapId'>;

/** `database.table` as two names; never joined into one string, since a name may hold a dot. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** The hash before the first wagon of a stream's epoch. */
export const NO_WAGON = '0'.repeat(64) as WagonHash;
