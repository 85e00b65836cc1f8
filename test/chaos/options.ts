/** What `npm run chaos` can be told. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ServerKind } from '../servers/database-server.js';

export interface ChaosOptions {
  readonly engine: ServerKind;
  /** Matched against `FAULT at POINT`. */
  readonly only?: RegExp;
  readonly seed?: number;
  readonly minutes?: number;
  /** Only cases that docs/faults.md has no good outcome of. */
  readonly missing: boolean;
  readonly list: boolean;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0');
  return value;
};
const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number');
  return value;
};
const expression = (text: string): RegExp => {
  try {
    return new RegExp(text, 'u');
  } catch {
    throw new InvalidArgumentError('a regular expression');
  }
};

export function readOptions(parameters: readonly string[]): ChaosOptions {
  const program = new Command('npm run chaos --')
    .description(
      'Breaks a pair at every step of replication, one fault after the other, and looks whether the stream goes on by itself and both sides are ' +
        'equal. Prints each outcome and writes the table in docs/faults.md. Exit code 0 only if nothing failed. Leaves nothing behind.',
    )
    .addOption(new Option('--engine <name>', 'the database servers').choices(['mariadb', 'mysql']).default('mariadb'))
    .addOption(new Option('--only <regex>', 'the cases whose "FAULT at POINT" matches').argParser(expression))
    .addOption(new Option('--seed <n>', 'choose cases at random, the same for the same number').argParser(whole))
    .addOption(new Option('--minutes <n>', 'choose cases at random for so long (10 when only a seed is given)').argParser(positive))
    .option('--missing', 'only cases that the table has no good outcome of; with minutes and no seed in the order of the table', false)
    .option('--list', 'the names of the cases, and nothing else', false);
  program.parse([...parameters], { from: 'user' });
  return program.opts<ChaosOptions>();
}
