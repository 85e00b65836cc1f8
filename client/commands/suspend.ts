import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

export const suspendCommand: CommandFactory = (terminal) =>
  command('suspend <stream>', {
    summary: 'stop replicating a stream until it is resumed',
    description:
      "A cycle that runs begins nothing more, ends at a wagon's end, and is waited for; after that nothing is read, shipped or applied, and the schedule is paused. " +
      'With --drain what has arrived at the target is still applied. ' +
      'The source goes on writing its log: resume before the log is purged, or the stream has to be established anew.',
    examples: [
      ['srdf suspend shop --reason "standby gets new disks"', 'everything stands still'],
      ['srdf suspend shop --drain', 'apply what is there, take nothing new'],
    ],
    errors: ['config-invalid', 'ledger-missing', 'temporal-unreachable', 'stream-halted', 'worker-silent'],
  })
    .option('--drain', 'still apply what has arrived')
    .option('--reason <text>', 'shown by `srdf status` and in Temporal', 'by hand')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, options: { drain?: true; reason: string; json?: true; config: string }) => {
      const { withStream } = await import('../control.js');
      const { restStream } = await import('../change-mode.js');
      const state = await withStream(options.config, name, (it) =>
        restStream(it, options.drain ? 'drain' : 'suspend', options.reason, terminal),
      );
      terminal.out(options.json ? `${JSON.stringify(state)}\n` : `${name}: ${state.mode}. Back with: srdf resume ${name}\n`);
    });
