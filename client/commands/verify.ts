import { AlreadyTold, type CommandFactory, command, configOption, jsonOption } from '../command.js';

export const verifyCommand: CommandFactory = (terminal) =>
  command('verify', {
    summary: 'compare both sides, every row and every column',
    description:
      'Reads both sides in ranges and compares checksums of whole rows. Traffic may go on: a range that differs is looked at again ' +
      'after the stream has passed the point at which it was read, and one that the source changes from each look to the next is told as ' +
      'not compared. Without names of tables, what only the target has is found too. Not compared: ' +
      'views, routines, triggers, events, and the values of sequences. Changes nothing.',
    examples: [
      ['srdf verify shop', 'every table of the stream, and what only the target has'],
      ['srdf verify shop shop.orders shop.customers', 'these tables'],
    ],
    errors: ['config-invalid', 'ledger-missing', 'not-consistent', 'sides-differ', 'temporal-unreachable', 'worker-silent'],
  })
    .argument('<stream>', 'the stream')
    .argument('[tables...]', 'database.table; default: all of the stream')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, tables: string[], options: { json?: true; config: string }) => {
      const { withStream } = await import('../control.js');
      const { differences, verifyStream } = await import('../verify-stream.js');
      const { renderComparison } = await import('../rendering/comparison.js');
      const result = await withStream(options.config, name, (control) => verifyStream(control, tables, terminal));
      terminal.out(options.json ? `${JSON.stringify(result)}\n` : renderComparison(name, result));
      const differing = differences(name, result);
      if (differing !== null) throw options.json ? new AlreadyTold(differing.code) : differing;
    });
