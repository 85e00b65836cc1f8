/** What every command is made of: its description, its examples and its exit codes in one place, and how it is run. */
import { Command, Option } from 'commander';
import type { ErrorCode } from '../temporal/error-catalogue.js';
import { exitCodesHelp } from './rendering/exit-codes.js';
import type { Terminal } from './terminal.js';

export interface CommandHelp {
  readonly summary: string;
  /** What it does and what it doesn't, in whole sentences. */
  readonly description: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** The errors of the catalogue it can end with. */
  readonly errors: readonly ErrorCode[];
}

/** A command with the help that teaches. Options and the action are added by the command's own file. */
export function command(nameAndArguments: string, help: CommandHelp): Command {
  const width = Math.max(...help.examples.map(([it]) => it.length));
  const examples = help.examples.map(([it, what]) => `  ${it.padEnd(width)}  ${what}`).join('\n');
  const [name = '', ...parameters] = nameAndArguments.split(' ');
  const it = new Command(name);
  for (const parameter of parameters) it.argument(parameter);
  return it
    .summary(help.summary)
    .description(help.description)
    .addHelpText('after', `\nExamples:\n${examples}\n\n${exitCodesHelp(help.errors)}`);
}

export const configOption = (): Option =>
  new Option('-c, --config <path>', 'the config of the pair').env('SRDF_CONFIG').default('srdf.yaml');
export const jsonOption = (): Option => new Option('--json', 'print the result as one JSON object, for scripts');

/** Builds a command for a terminal; one file a command in `commands/`. */
export type CommandFactory = (terminal: Terminal) => Command;

/** Ends the command with the error's exit code; what there is to say has been printed already. */
export class AlreadyTold extends Error {
  constructor(readonly code: ErrorCode) {
    super(code);
  }
}
