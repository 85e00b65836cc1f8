/**
 * For tests alone: named points at which a process can be held still, so that something can be broken at just that step.
 * Active only when SRDF_FAULT_POINTS names a folder as the process starts; otherwise a call does nothing.
 *
 * Where `<folder>/<point>.hold` lies, the first call to reach the point takes it by renaming it to `<point>.reached`, and waits until
 * that is gone. Later calls pass. The rest of the process goes on: heartbeats, other activities, the receiver.
 */
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** In the order in which a wagon meets them. */
export const CYCLE_POINTS = [
  'log-opening', // nothing is read yet
  'wagon-cut', // read and compacted, not sealed
  'spool-writing', // sealed, not in the spool
  'spool-synced', // its bytes durable under a temporary name
  'spool-named', // in the spool
  'first-byte-sent',
  'last-byte-sent', // not answered yet
  'wagon-arriving', // received whole and verified, not in the inbox
  'inbox-synced', // its bytes durable under a temporary name
  'inbox-named', // in the inbox, no receipt
  'received-signed', // the receipt stored at the target, not answered yet
  'received-saved', // the receipt verified and stored at the source
  'wagon-opening', // before it is verified again and opened
  'apply-begun', // the ledger's row locked, nothing written
  'rows-written', // in the transaction, the ledger not moved
  'ledger-moved', // in the transaction, not committed
  'committed', // no receipt yet
  'applied-signed', // the receipt stored at the target
  'inbox-released', // the wagon's bytes gone from the inbox
  'applied-verified', // the receipt fetched and verified, not stored at the source
  'confirmed', // the receipt stored at the source
  'spool-released', // the wagon's bytes gone from the spool
] as const;

/** Where a DDL wagon takes another way. */
export const DDL_POINTS = [
  'ddl-intent', // the intent committed, the statement not begun
  'ddl-executed', // the statement done, the ledger not moved
  'ddl-done', // the ledger moved
] as const;

/** Before a stream has cycles. */
export const BOOTSTRAP_POINTS = [
  'loading-begun', // the ledger says so, nothing is there
  'schema-shipped', // received by the target, not created
  'schema-created', // its wagon still in the inbox
  'range-read', // not sealed
  'range-shipped', // received by the target
  'range-written', // in the transaction, not committed
  'range-loaded', // committed, its wagon still in the inbox
  'catch-up-beginning', // all ranges in, the ledger not moved
  'catch-up-begun', // the ledger moved
] as const;

export type FaultPoint = (typeof CYCLE_POINTS)[number] | (typeof DDL_POINTS)[number] | (typeof BOOTSTRAP_POINTS)[number];

const LOOK_MILLISECONDS = 5;
const folder = process.env.SRDF_FAULT_POINTS;

/** Awaited at its step; see above. */
export const faultPoint: (point: FaultPoint) => Promise<void> | undefined =
  folder === undefined || folder === '' ? () => undefined : async (point) => await hold(folder, point);

async function hold(inside: string, point: FaultPoint): Promise<void> {
  const reached = join(inside, `${point}.reached`);
  if (!(await isThere(() => rename(join(inside, `${point}.hold`), reached)))) return;
  while (await isThere(() => stat(reached))) await sleep(LOOK_MILLISECONDS);
}

async function isThere(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
