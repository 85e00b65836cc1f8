import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

export const resumeCommand: CommandFactory = (terminal) =>
  command('resume <stream>', {
    summary: 'go on with a suspended stream',
    description:
      'The next cycle goes on from where the target stands. A paused or missing schedule is put right too, and so is a mode that the target remembers otherwise than Temporal.',
    examples: [['srdf resume shop', 'go on']],
    errors: ['config-invalid', 'ledger-missing', 'temporal-unreachable', 'stream-halted', 'worker-silent'],
  })
    .option('--reason <text>', 'shown by `srdf status` and in Temporal', 'by hand')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, options: { reason: string; json?: true; config: string }) => {
      const { withStream } = await import('../control.js');
      const { resumeStream } = await import('../resume-stream.js');
      const state = await withStream(options.config, name, (control) => resumeStream(control, options.reason));
      terminal.out(options.json ? `${JSON.stringify(state)}\n` : `${name}: ${state.mode}\n`);
    });
