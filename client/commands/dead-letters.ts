import { type CommandFactory, command, configOption, jsonOption } from '../command.js';
import type { Terminal } from '../terminal.js';

export const deadLettersCommand: CommandFactory = (terminal) =>
  command('dead-letters', {
    summary: 'list wagons that cannot be applied, and decide on them',
    description:
      'A wagon that cannot be applied and that no retry will help stops its stream, in sight. Mend what its error says, then retry it. ' +
      'Nothing is ever skipped by itself.',
    examples: [
      ['srdf dead-letters list', 'every stream of the pair: what stands, why, and what to do'],
      ['srdf dead-letters retry shop', 'once the cause is mended: the next cycle tries the wagon again'],
    ],
    errors: [
      'config-invalid',
      'ledger-missing',
      'stream-halted',
      'target-divergence',
      'temporal-unreachable',
      'wagon-missing',
      'worker-silent',
    ],
  })
    .addCommand(list(terminal), { isDefault: true })
    .addCommand(retry(terminal))
    .addCommand(discard(terminal));

const list: CommandFactory = (terminal) =>
  command('list [stream]', {
    summary: 'what stands, why, and what to do',
    description: 'Asks the target of each stream. Changes nothing.',
    examples: [
      ['srdf dead-letters list', 'every stream'],
      ['srdf dead-letters list shop --json', 'one, for scripts'],
    ],
    errors: ['config-invalid', 'temporal-unreachable', 'worker-silent'],
  })
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string | undefined, options: { json?: true; config: string }) => {
      const { withPair } = await import('../control.js');
      const { listDeadLetters } = await import('../decide-dead-letter.js');
      const { renderDeadLetters } = await import('../rendering/dead-letters.js');
      const found = await withPair(options.config, (control) => listDeadLetters(control, name));
      terminal.out(options.json ? `${JSON.stringify({ deadLetters: found })}\n` : renderDeadLetters(found));
    });

const retry: CommandFactory = (terminal) =>
  command('retry <stream>', {
    summary: 'try the wagon again, once its cause is mended',
    description: 'The next cycle applies the wagon again. If its cause is still there it stops again, and nothing is harmed.',
    examples: [['srdf dead-letters retry shop', 'after mending']],
    errors: ['config-invalid', 'ledger-missing', 'temporal-unreachable', 'wagon-missing', 'worker-silent'],
  })
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, options: { json?: true; config: string }) => await decideAndTell(terminal, name, 'retry', false, options));

const discard: CommandFactory = (terminal) =>
  command('discard <stream>', {
    summary: 'leave the wagon out: the two sides then differ',
    description:
      'The changes in the wagon, or in the whole train of a large transaction, never reach the target; the wagons behind it go on. Refused without --i-accept-divergence. ' +
      '`srdf status` tells from then on that wagons were left out. `srdf verify` names the tables of the source whose rows or ' +
      'definitions differ on the target; views, routines, triggers, events and tables that only the target has are not compared.',
    examples: [['srdf dead-letters discard shop --i-accept-divergence', 'the last resort']],
    errors: [
      'config-invalid',
      'ledger-missing',
      'not-supported',
      'target-divergence',
      'temporal-unreachable',
      'wagon-missing',
      'worker-silent',
    ],
  })
    .option('--i-accept-divergence', 'the two sides will differ, and I take it upon me')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(
      async (name: string, options: { iAcceptDivergence?: true; json?: true; config: string }) =>
        await decideAndTell(terminal, name, 'discard', options.iAcceptDivergence === true, options),
    );

async function decideAndTell(
  terminal: Terminal,
  name: string,
  decision: 'retry' | 'discard',
  acceptDivergence: boolean,
  options: { readonly json?: true; readonly config: string },
): Promise<void> {
  const { withStream } = await import('../control.js');
  const { decideDeadLetter } = await import('../decide-dead-letter.js');
  const taken = await withStream(options.config, name, (control) => decideDeadLetter(control, decision, acceptDivergence));
  terminal.out(
    options.json ? `${JSON.stringify(taken)}\n` : `${name}: ${taken.decision}. The next cycle shows what came of it: srdf status ${name}\n`,
  );
}
