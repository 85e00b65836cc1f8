import { InvalidArgumentError } from 'commander';
import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted.');
  return Number(text);
};

export const traceCommand: CommandFactory = (terminal) =>
  command('trace', {
    summary: "tell a wagon's life: states and receipts",
    description:
      "Reads the spool or inbox of the site this machine is, and verifies each receipt's signature. Run it as the user of the site's worker. Changes nothing.",
    examples: [
      ['srdf trace shop 1042', "a wagon's states, positions and receipts"],
      ['srdf trace shop 1042 --epoch 2 --json', 'of an earlier epoch, for scripts'],
    ],
    errors: ['config-invalid', 'wagon-missing', 'key-missing', 'receipt-signature'],
  })
    .argument('<stream>', 'the stream')
    .argument('<sequence>', "the wagon's number", wholeNumber)
    .option('--epoch <n>', 'default: the newest there is', wholeNumber)
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, sequence: number, options: { epoch?: number; json?: true; config: string }) => {
      const { loadConfig, streamOf } = await import('../../config/load.js');
      const { traceWagon } = await import('../trace-wagon.js');
      const { renderTrace } = await import('../rendering/trace.js');
      const config = await loadConfig(options.config);
      const trace = await traceWagon(config, streamOf(config, name).name, sequence, options.epoch);
      terminal.out(options.json ? `${JSON.stringify(trace)}\n` : renderTrace(trace));
    });
