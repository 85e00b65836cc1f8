/** What each exit code tells a script. The catalogue says which error ends with which code. Touches nothing. */
import { ERRORS, type ErrorCode } from '../../temporal/error-catalogue.js';

export const EXIT = { done: 0, usage: 2, interrupted: 130 } as const;

const MEANING: Readonly<Record<number, string>> = {
  0: 'done',
  2: 'wrong usage, config or secret',
  3: 'a key is missing, exists already, is readable by others, or a bundle was refused',
  10: 'the source database is unreachable',
  11: 'the source database does not fulfil a prerequisite',
  12: "the source's log is purged or damaged at the position needed",
  13: "something in the source's log is not understood",
  20: 'the spool is full or inconsistent',
  21: 'the inbox is full, or a wagon is missing in it',
  22: 'the receiver is unreachable, busy, or refused the wagon',
  30: 'a wagon was refused: its form, signature, destination or content',
  31: "a wagon doesn't follow the one before: gap, fork or an old epoch",
  32: 'a receipt was refused',
  40: 'the target database is unreachable',
  41: "the target database doesn't fulfil a prerequisite, or isn't empty",
  42: 'the target database is busy',
  43: "the target's rows are not what the source says they were",
  44: 'the target database refused a change',
  45: 'a schema statement failed on the target, or may be half done',
  46: "the target's ledger is missing or contradicts the wagons",
  50: 'the bootstrap cannot go on',
  51: 'the stream is not consistent yet',
  52: 'the two sides differ, or could not all be compared',
  60: 'Temporal is unreachable or missing',
  61: 'the stream is halted',
  62: "a site's worker is silent",
  70: 'this version cannot do that, or an error it has no name for',
  130: 'interrupted (Ctrl-C)',
};

export const exitCodeOf = (code: ErrorCode): number => ERRORS[code].exit;

export function meaningOf(exit: number): string {
  const meaning = MEANING[exit];
  if (meaning === undefined) throw new Error(`exit code ${exit} has no meaning`);
  return meaning;
}

/** The part of a command's help that lists its exit codes: 0, 2 and 70 always, and those of the errors it can end with. */
export function exitCodesHelp(errors: readonly ErrorCode[]): string {
  const exits = [...new Set([EXIT.done, EXIT.usage, exitCodeOf('unexpected'), ...errors.map(exitCodeOf)])].sort((a, b) => a - b);
  return `Exit codes:\n${exits.map((it) => `  ${String(it).padEnd(4)}${meaningOf(it)}`).join('\n')}`;
}
