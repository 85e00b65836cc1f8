/** What `npm run demo` can be told. */
import { Command, InvalidArgumentError, Option } from 'commander';

export interface DemoOptions {
  readonly engine: 'mariadb' | 'mysql';
  readonly every: string;
  /** Seconds of traffic. */
  readonly seconds: number;
  /** Transactions a second. */
  readonly rate: number;
  readonly keep: boolean;
  readonly json: boolean;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number, 1 or more');
  return value;
};

export function readOptions(parameters: readonly string[]): DemoOptions {
  const program = new Command('npm run demo --')
    .description(
      'Keeps a shop in "Paris" alive in "Frankfurt": two throw-away database servers, a Temporal server, two workers; live traffic, an ALTER, ' +
        'and each worker killed once. Compares both sides row by row at the end. Exit code 0 only if they are identical. Leaves nothing behind.',
    )
    .addOption(new Option('--engine <name>', 'the database servers').choices(['mariadb', 'mysql']).default('mariadb'))
    .addOption(new Option('--every <time>', 'a replication cycle as often as this (30s in production)').default('5s'))
    .addOption(new Option('--seconds <n>', 'how long there is traffic').argParser(positive).default(60))
    .addOption(new Option('--rate <n>', 'transactions a second').argParser(positive).default(60))
    .option('--keep', 'leave everything running afterwards, and say how to go on; Ctrl-C ends and removes it', false)
    .option('--json', 'end with the result as one line of JSON', false);
  program.parse([...parameters], { from: 'user' });
  return program.opts<DemoOptions>();
}
