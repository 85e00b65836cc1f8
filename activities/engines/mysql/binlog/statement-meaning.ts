/** What a statement in the log means for the transaction it stands in. Touches nothing. */
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { DdlClassification, Selection } from '../../engine.js';
import { classifyStatement } from '../ddl/classify.js';
import type { TableTraits } from '../ddl/table-traits.js';
import type { LogPlace } from './log-place.js';
import type { QueryEvent } from './query-event.js';
import { databaseInScope } from './scope.js';

/** What is known of the transaction so far. */
export interface TransactionSoFar {
  readonly explicit: boolean;
  /** The stream has it already; read over. */
  readonly known: boolean;
  readonly rowsInScope: number;
  readonly ddlParts: number;
  readonly startFile: string;
  readonly startOffset: number;
}

export interface SchemaStatement {
  readonly query: QueryEvent;
  readonly classification: DdlClassification;
  readonly traits?: TableTraits;
}

/** `alone`: outside of BEGIN … COMMIT the statement is a transaction of its own, and ends it. */
export type StatementMeaning =
  | { readonly does: 'begins' | 'commits' | 'rolls-back'; readonly alone: false }
  | { readonly does: 'nothing'; readonly alone: boolean }
  | ({ readonly does: 'ddl'; readonly alone: true } & SchemaStatement);

const BEGINS = { does: 'begins', alone: false } as const;
const COMMITS = { does: 'commits', alone: false } as const;
const ROLLS_BACK = { does: 'rolls-back', alone: false } as const;
/** Inside a transaction, and of no consequence for it. */
const NOTHING = { does: 'nothing', alone: false } as const;
const PASSED_OVER = { does: 'nothing', alone: true } as const;

/** Throws `log-event-unsupported` and `statement-unclassifiable` for what can't be replicated, unless it surely isn't the stream's. */
export function meaningOf(query: QueryEvent, transaction: TransactionSoFar, selection: Selection, place: LogPlace): StatementMeaning {
  const { sql } = query;
  const session = generated(sql, transaction.explicit) ? { ...query.session, ...UTF8_CLIENT } : query.session;
  const kind = classifyStatement(sql, query.defaultDatabase, session);
  const passedOver = transaction.known || surelyOutside(query, selection);
  switch (kind.kind) {
    case 'transaction':
      return transactionStatement(kind.verb, sql, transaction, place);
    case 'ddl':
      if (transaction.known) return PASSED_OVER;
      return {
        does: 'ddl',
        alone: true,
        query: { ...query, session },
        classification: kind.classification,
        ...(kind.traits !== undefined && { traits: kind.traits }),
      };
    case 'outside':
      return PASSED_OVER;
    case 'statement-change':
      if (passedOver) return PASSED_OVER;
      throw new SrdfError('log-event-unsupported', {
        tried: place.tried,
        found: `a change logged as a statement (${kind.what}): binlog_format was not ROW in that session`,
        action: 'On the source: SET GLOBAL binlog_format=ROW, and in every session that sets its own; then establish the stream again',
      });
    case 'unclassifiable':
      if (passedOver) return PASSED_OVER;
      throw new SrdfError('statement-unclassifiable', {
        tried: place.tried,
        found: kind.found,
        action: `Look at the statement (SHOW BINLOG EVENTS IN '${transaction.startFile}' FROM ${transaction.startOffset} LIMIT 5); if it concerns the stream, establish it again, and report the statement`,
      });
  }
}

function transactionStatement(verb: string, sql: Buffer, transaction: TransactionSoFar, place: LogPlace): StatementMeaning {
  const text = sql.toString('latin1', 0, 200);
  if (verb === 'begin') return BEGINS;
  if (verb === 'commit') return COMMITS;
  if (verb === 'rollback') return ROLLS_BACK;
  if (verb === 'rollback-to') {
    if (transaction.rowsInScope === 0 && transaction.ddlParts === 0) return NOTHING;
    throw new SrdfError('log-event-unsupported', {
      tried: place.tried,
      found:
        'ROLLBACK TO SAVEPOINT, which takes back a part of what the log holds before it: a source logs it where a temporary table came or went in the transaction',
      action:
        'Nothing of the transaction was applied. Let the application make and drop temporary tables outside of transactions with savepoints; then establish the stream again (srdf establish)',
    });
  }
  if (verb === 'xa') {
    if (/^\s*XA\s+(START|BEGIN)\b/i.test(text)) return BEGINS;
    // Its changes were in the group that XA PREPARE ended, and none of them was in scope: that would have halted.
    if (/^\s*XA\s+(COMMIT|ROLLBACK)\b/i.test(text)) return COMMITS;
  }
  return NOTHING;
}

/** MySQL names the databases a statement touched; when none is ours, it doesn't matter what the statement does. */
function surelyOutside(query: QueryEvent, selection: Selection): boolean {
  const touched = query.updatedDatabases;
  return touched !== null && touched.length > 0 && touched.every((it) => it !== '' && !databaseInScope(selection, it));
}

/**
 * The CREATE TABLE that the server writes for a CREATE … SELECT (the only DDL inside an explicit transaction) is UTF-8, whatever
 * the event says of the client. Native replication reads it in the client's character set and gets names, ENUM and SET values
 * wrong under SET NAMES latin1. (A generated DROP TABLE is in the client's character set.)
 */
const generated = (sql: Buffer, explicit: boolean): boolean => explicit && /^CREATE /i.test(sql.toString('latin1', 0, 7));
/** utf8mb4_general_ci, known to every version of both servers. */
const UTF8_CLIENT = { characterSetClient: 45, collationConnection: 45 } as const;
