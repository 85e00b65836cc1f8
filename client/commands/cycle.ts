import { Option } from 'commander';
import { AlreadyTold, type CommandFactory, command, configOption, jsonOption } from '../command.js';

export const cycleCommand: CommandFactory = (terminal) =>
  command('cycle <stream>', {
    summary: 'run one replication cycle now, and wait for its result',
    description:
      'Reads the source log from where the target stands, ships it in sealed wagons, applies them and verifies the receipts. ' +
      'A cycle that runs already is waited for first. With --only one phase alone: capture fills the spool, ship sends what it holds, ' +
      'apply applies what has arrived. With --dry-run nothing is written anywhere: the log is read and counted.',
    examples: [
      ['srdf cycle shop', 'one whole cycle'],
      ['srdf cycle shop --dry-run', 'what would be replicated'],
      ['srdf cycle shop --only ship', 'send what the spool holds'],
    ],
    errors: [
      'config-invalid',
      'source-unreachable',
      'position-purged',
      'log-event-unsupported',
      'receiver-unreachable',
      'wagon-signature',
      'wagon-gap',
      'target-unreachable',
      'target-divergence',
      'apply-failed',
      'ddl-failed',
      'ddl-unrepeatable',
      'ledger-missing',
      'temporal-unreachable',
      'stream-halted',
      'worker-silent',
    ],
  })
    .addOption(new Option('--only <phase>', 'one phase alone').choices(['capture', 'ship', 'apply']))
    .option('--dry-run', 'read and count, write nothing')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, options: { only?: 'capture' | 'ship' | 'apply'; dryRun?: true; json?: true; config: string }) => {
      const { withStream } = await import('../control.js');
      const { runCycle } = await import('../run-cycle.js');
      const { renderCycle } = await import('../rendering/cycle.js');
      const { reportedError } = await import('../operator-error.js');
      const result = await withStream(options.config, name, (control) =>
        runCycle(control, { ...(options.only && { only: options.only }), dryRun: options.dryRun === true }, terminal.signal),
      );
      terminal.out(options.json ? `${JSON.stringify(result)}\n` : renderCycle(name, result));
      if (result.error === null) return;
      const error = reportedError(result.error);
      throw options.json ? new AlreadyTold(error.code) : error;
    });
