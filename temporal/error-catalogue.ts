/**
 * Every error SRDF can raise: its name, whether a retry can help, and what kind of trouble it is.
 * The message of each instance says what was tried, what was found and what to do.
 * Pure: imported by every folder, imports nothing.
 */
export const ERRORS = {
  // configuration and keys
  'config-invalid': { retry: false, exit: 2 },
  'secret-missing': { retry: false, exit: 2 },
  'secret-permissions': { retry: false, exit: 2 },
  'key-missing': { retry: false, exit: 3 },
  'key-exists': { retry: false, exit: 3 },
  'key-permissions': { retry: false, exit: 3 },
  'key-bundle-refused': { retry: false, exit: 3 },
  'key-bundle-malformed': { retry: false, exit: 3 },
  'key-bundle-signature': { retry: false, exit: 3 },
  'key-bundle-early': { retry: true, exit: 3 },
  'key-bundle-expired': { retry: false, exit: 3 },
  'key-bundle-rollback': { retry: false, exit: 3 },
  // source database
  'source-unreachable': { retry: true, exit: 10 },
  'source-busy': { retry: true, exit: 10 },
  'source-preflight': { retry: false, exit: 11 },
  'engine-unsupported': { retry: false, exit: 11 },
  'position-purged': { retry: false, exit: 12 },
  'log-corrupt': { retry: true, exit: 12 },
  'log-event-unsupported': { retry: false, exit: 13 },
  'statement-unclassifiable': { retry: false, exit: 13 },
  incident: { retry: false, exit: 13 },
  'same-server': { retry: false, exit: 11 },
  // spool, inbox, transport
  'spool-full': { retry: true, exit: 20 },
  'spool-inconsistent': { retry: false, exit: 20 },
  'disk-full': { retry: true, exit: 20 },
  'state-damaged': { retry: false, exit: 20 },
  'inbox-full': { retry: true, exit: 21 },
  'wagon-missing': { retry: true, exit: 21 },
  'receiver-unreachable': { retry: true, exit: 22 },
  'receiver-refused': { retry: false, exit: 22 },
  'receiver-busy': { retry: true, exit: 22 },
  // wagons and receipts
  'wagon-malformed': { retry: false, exit: 30 },
  'wagon-suite': { retry: false, exit: 30 },
  'wagon-signature': { retry: false, exit: 30 },
  'wagon-signer': { retry: false, exit: 30 },
  'wagon-role': { retry: false, exit: 30 },
  'wagon-recipient': { retry: false, exit: 30 },
  'wagon-destination': { retry: false, exit: 30 },
  'wagon-sealed-body': { retry: false, exit: 30 },
  'wagon-checksum': { retry: false, exit: 30 },
  'wagon-too-large': { retry: false, exit: 30 },
  'wagon-scope': { retry: false, exit: 30 },
  'wagon-gap': { retry: false, exit: 31 },
  'wagon-fork': { retry: false, exit: 31 },
  'wagon-epoch': { retry: false, exit: 31 },
  'receipt-malformed': { retry: false, exit: 32 },
  'receipt-signature': { retry: false, exit: 32 },
  'receipt-signer': { retry: false, exit: 32 },
  'receipt-role': { retry: false, exit: 32 },
  'receipt-mismatch': { retry: false, exit: 32 },
  // target database
  'target-unreachable': { retry: true, exit: 40 },
  'target-preflight': { retry: false, exit: 41 },
  'target-not-empty': { retry: false, exit: 41 },
  'target-busy': { retry: true, exit: 42 },
  'target-full': { retry: true, exit: 42 },
  'target-divergence': { retry: false, exit: 43 },
  'apply-failed': { retry: false, exit: 44 },
  'apply-interrupted': { retry: true, exit: 44 },
  'ddl-failed': { retry: false, exit: 45 },
  'ddl-uncertain': { retry: false, exit: 45 },
  'ddl-unrepeatable': { retry: false, exit: 45 },
  'ledger-missing': { retry: false, exit: 46 },
  'ledger-inconsistent': { retry: false, exit: 46 },
  // bootstrap and compare
  'bootstrap-range-lost': { retry: false, exit: 50 },
  'bootstrap-unsettled': { retry: false, exit: 50 },
  'not-consistent': { retry: false, exit: 51 },
  'sides-differ': { retry: false, exit: 52 },
  // Temporal
  'temporal-unreachable': { retry: true, exit: 60 },
  'temporal-missing': { retry: false, exit: 60 },
  'stream-halted': { retry: false, exit: 61 },
  'worker-silent': { retry: true, exit: 62 },
  'worker-running': { retry: false, exit: 62 },
  // the program itself
  'not-supported': { retry: false, exit: 70 },
  unexpected: { retry: true, exit: 70 },
} as const satisfies Record<string, { retry: boolean; exit: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** What an error tells: what was tried, what was found, what the operator can do. */
export interface ErrorFacts {
  /** What the program was doing, e.g. `reading the binlog of paris from mariadb-bin.000004:1234`. */
  readonly tried: string;
  /** What it met, e.g. `binlog_row_image is MINIMAL`. Never row data, never a secret. */
  readonly found: string;
  /** The operator's next step, an exact statement or command where there is one. */
  readonly action: string;
  readonly cause?: unknown;
}

/** An error of the catalogue. `code` decides retries, exit codes and what `status` explains. */
export class SrdfError extends Error {
  override readonly name = 'SrdfError';
  constructor(
    readonly code: ErrorCode,
    readonly facts: ErrorFacts,
  ) {
    super(`${facts.tried}: ${facts.found}. ${facts.action}`, facts.cause === undefined ? undefined : { cause: facts.cause });
  }
  /** Whether the same attempt can succeed later without anybody's help. */
  get retryable(): boolean {
    return ERRORS[this.code].retry;
  }
}
