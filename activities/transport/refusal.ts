/** Why a request was refused, as it travels: JSON `{code, found, action}` under a fitting HTTP status (RFC 9110). Pure. */
import { ERRORS, type ErrorCode, SrdfError } from '../../temporal/error-catalogue.js';
import { isDiskFull } from './atomic-file.js';

/** Codes of the wire alone: they tell the sender how to go on. */
export type WireCode = ErrorCode | 'wrong-offset';

export interface RefusalBody {
  readonly code: WireCode;
  readonly found: string;
  readonly action: string;
}
export interface Refusal extends RefusalBody {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  /** With `wrong-offset`: what the receiver has. */
  readonly offset?: number;
}

/** Thrown while a request is served. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(readonly refusal: Refusal) {
    super(`${refusal.code}: ${refusal.found}`);
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  'wagon-malformed': 400,
  'wagon-checksum': 422,
  'wagon-signature': 403,
  'wagon-signer': 403,
  'wagon-recipient': 403,
  'wagon-destination': 403,
  'wagon-epoch': 409,
  'wagon-fork': 409,
  'wagon-gap': 409,
  'wagon-too-large': 413,
  'wagon-missing': 404,
  'receiver-busy': 503,
  'inbox-full': 507,
};
/** How long a sender had better wait for what only time or an operator mends. */
const RETRY_SECONDS: Partial<Record<ErrorCode, number>> = { 'inbox-full': 30, 'receiver-busy': 1 };

/** What the receiver answers to an error of the catalogue; null when it isn't one. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof SrdfError) {
    const { found, action } = error.facts;
    const retry = ERRORS[error.code].retry;
    const status = STATUS[error.code] ?? (retry ? 503 : 403);
    return { status, code: error.code, found, action, ...(retry ? { retryAfterSeconds: RETRY_SECONDS[error.code] ?? 5 } : {}) };
  }
  if (isDiskFull(error)) {
    return {
      status: 507,
      code: 'inbox-full',
      found: "the target's disk is full",
      action: "Free space on the disk of the target's state folder",
      retryAfterSeconds: 30,
    };
  }
  return null;
}

export function refuse(status: number, found: string, action: string, code: WireCode = 'receiver-refused'): Refused {
  return new Refused({ status, code, found, action });
}

/** Reads a refusal that came over the wire; whatever isn't one is told as such, cut to a length. */
export function parseRefusal(status: number, body: string): RefusalBody {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'code' in value && 'found' in value && 'action' in value) {
      const { code, found, action } = value;
      const known = code === 'wrong-offset' || (typeof code === 'string' && Object.hasOwn(ERRORS, code));
      if (known && typeof found === 'string' && typeof action === 'string') {
        return { code: code as WireCode, found: found.slice(0, 2_000), action: action.slice(0, 2_000) };
      }
    }
  } catch {
    // not ours: said below
  }
  return {
    code: status >= 500 || status === 408 || status === 429 ? 'receiver-busy' : 'receiver-refused',
    found: `an answer with status ${status} that is not a receiver's`,
    action:
      "Check the target's receiver.url: something else may be listening there, or a proxy stands between (the receiver needs a direct TLS connection)",
  };
}
