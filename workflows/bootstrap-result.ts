/** What a bootstrap is told, shows and returns. Types and pure rendering. */
import type { BootstrapPlan, ErrorReport, Route } from '../activities/contracts.js';
import type { Finding, Preflight, ServerIdentity } from '../activities/engines/engine.js';
import type { BootstrapId, Position } from '../activities/vocabulary.js';

export interface BootstrapWorkflowInput {
  readonly route: Route;
  readonly bootstrap: BootstrapId;
  /** Rows a range holds, about; default: the source's config. */
  readonly rowsPerRange?: number;
  /** Tables copied at a time; default 4. */
  readonly parallel?: number;
  /** Both preflights and the plan; nothing is written. */
  readonly dryRun?: boolean;
}

export interface BootstrapProgress {
  readonly phase: 'checking' | 'planning' | 'schema' | 'copying' | 'settling' | 'objects' | 'catching-up' | 'planned' | 'refused';
  /** 1 for the first copy, more where tables changed while they were copied. */
  readonly round: number;
  readonly tables: { readonly done: number; readonly total: number };
  readonly rows: { readonly copied: number; readonly estimated: number };
  readonly bytes: { readonly wire: number; readonly estimated: number };
  /** `database.table` of what is being copied now. */
  readonly current: readonly string[];
}

export interface BootstrapResult {
  /** `catching-up`: everything is copied, the cycles make it consistent. `refused`: a preflight found errors, nothing was written. */
  readonly outcome: 'planned' | 'refused' | 'catching-up';
  readonly plan: BootstrapPlan;
  /** Errors and warnings of both sites. */
  readonly findings: { readonly source: readonly Finding[]; readonly target: readonly Finding[] };
  /** For `refused`. */
  readonly error: ErrorReport | null;
  readonly tables: number;
  readonly rows: number;
  readonly bytesWire: number;
  readonly ranges: number;
  /** Tables that changed while they were copied, and were copied again. */
  readonly copiedAgain: number;
  readonly objects: { readonly created: number; readonly deferred: number };
  readonly from: Position | null;
  readonly consistentFrom: Position | null;
  readonly milliseconds: number;
}

export interface TableCopy {
  readonly rows: number;
  readonly bytesWire: number;
  readonly ranges: number;
}

/** What the target's site is told of the source's server. */
export const identityOf = ({ findings: _, engine: _engine, ...identity }: Preflight): ServerIdentity => identity;

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Markdown for the Temporal UI. */
export function bootstrapDetails(progress: BootstrapProgress): string {
  const { phase, round, tables, rows, bytes, current } = progress;
  const lines = [
    `**${phase}**${round > 1 ? `, round ${round}` : ''}: ${tables.done} of ${tables.total} tables`,
    '',
    `${rows.copied} rows of about ${rows.estimated}, ${mebibytes(bytes.wire)} on the wire of about ${mebibytes(bytes.estimated)} of tables`,
  ];
  if (current.length > 0) lines.push('', `now: ${current.map((it) => `\`${it}\``).join(', ')}`);
  return lines.join('\n');
}
