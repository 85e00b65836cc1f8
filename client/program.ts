/** The commands under one program, and what becomes of their errors. */
import { Command, CommanderError } from 'commander';
import { SrdfError } from '../temporal/error-catalogue.js';
import { AlreadyTold, type CommandFactory } from './command.js';
import { codecCommand } from './commands/codec.js';
import { completionCommand } from './commands/completion.js';
import { cycleCommand } from './commands/cycle.js';
import { deadLettersCommand } from './commands/dead-letters.js';
import { establishCommand } from './commands/establish.js';
import { initCommand } from './commands/init.js';
import { keysCommand } from './commands/keys.js';
import { resumeCommand } from './commands/resume.js';
import { statusCommand } from './commands/status.js';
import { suspendCommand } from './commands/suspend.js';
import { traceCommand } from './commands/trace.js';
import { verifyCommand } from './commands/verify.js';
import { workerCommand } from './commands/worker.js';
import { EXIT, exitCodeOf } from './rendering/exit-codes.js';
import { failureJson, renderFailure } from './rendering/failure.js';
import type { Terminal } from './terminal.js';

/** In the order in which an operator meets them. */
const COMMANDS: readonly CommandFactory[] = [
  initCommand,
  keysCommand,
  workerCommand,
  establishCommand,
  statusCommand,
  cycleCommand,
  suspendCommand,
  resumeCommand,
  verifyCommand,
  traceCommand,
  deadLettersCommand,
  codecCommand,
  completionCommand,
];

export function buildProgram(terminal: Terminal): Command {
  const program = new Command('srdf')
    .description('Keeps a second site ready: a database replicated to it in sealed wagons, exactly once, driven by Temporal workflows.')
    .version('0.1.0', '-V, --version')
    .addHelpText(
      'after',
      '\nThe way: init → keys generate → keys trust → worker (one at each site) → establish → status.\nEach command explains itself: srdf COMMAND --help',
    );
  for (const make of COMMANDS) program.addCommand(make(terminal));
  const settle = (command: Command): void => {
    command
      .exitOverride()
      .configureOutput({ writeOut: terminal.out, writeErr: terminal.err, getOutHelpWidth: () => terminal.columns })
      .showSuggestionAfterError()
      .showHelpAfterError('(add --help for what is allowed)')
      .helpCommand(false);
    command.commands.forEach(settle);
  };
  settle(program);
  return program;
}

/** Runs one command line; returns the exit code. Never throws. */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const json = argv.includes('--json');
  try {
    const program = buildProgram(terminal);
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.done;
    }
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof AlreadyTold) return exitCodeOf(error.code);
    if (terminal.signal.aborted && !(error instanceof SrdfError)) {
      terminal.err('srdf: interrupted\n');
      return EXIT.interrupted;
    }
    const known = error instanceof SrdfError ? error : unexpected(argv, error);
    if (json) terminal.out(failureJson(known));
    else terminal.err(renderFailure(known));
    return exitCodeOf(known.code);
  }
}

const unexpected = (argv: readonly string[], error: unknown): SrdfError =>
  new SrdfError('unexpected', {
    tried: `running srdf ${argv.join(' ')}`,
    found: error instanceof Error ? (error.stack ?? error.message) : String(error),
    action: 'Report this, with the text above',
  });
