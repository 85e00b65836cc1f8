import { InvalidArgumentError } from 'commander';
import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

const interval = (text: string): number | 'continuous' => {
  if (text === 'continuous') return text;
  const [, digits, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('a number and ms, s, m or h is wanted, such as 30s; or continuous.');
  return Number(digits) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
};

export const establishCommand: CommandFactory = (terminal) =>
  command('establish <stream>', {
    summary: 'make the first copy of a stream, then keep it up to date',
    description:
      'Checks both servers, copies schema and rows without long locks, replays what changed meanwhile, and starts the scheduled cycles. ' +
      'Everything is checked before anything is written: a target that already holds the databases, or that is the source itself, is refused and left as it was. ' +
      'Interrupted (Ctrl-C here, a worker or a server that dies), it goes on by itself; the same command shows its progress again. ' +
      'With --dry-run the plan is printed, and nothing is written.',
    examples: [
      ['srdf establish shop --dry-run', 'what would be copied, with sizes and warnings'],
      ['srdf establish shop', 'do it, and watch'],
      ['srdf establish shop --every 5s', "with another interval than the config's"],
    ],
    errors: [
      'config-invalid',
      'source-unreachable',
      'source-preflight',
      'engine-unsupported',
      'position-purged',
      'receiver-unreachable',
      'target-unreachable',
      'target-preflight',
      'target-not-empty',
      'bootstrap-unsettled',
      'temporal-unreachable',
      'stream-halted',
      'worker-silent',
    ],
  })
    .option('--dry-run', 'print the plan, write nothing')
    .option('--every <duration>', "how often a cycle runs (default: the config's)", interval)
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string, options: { dryRun?: true; every?: number | 'continuous'; json?: true; config: string }) => {
      const { withStream } = await import('../control.js');
      const { establishStream, planStream } = await import('../establish-stream.js');
      const { renderEstablished, renderPlan } = await import('../rendering/establish.js');
      await withStream(options.config, name, async (control) => {
        if (options.dryRun) {
          const plan = await planStream(control);
          terminal.out(options.json ? `${JSON.stringify(plan)}\n` : renderPlan(name, plan));
          return;
        }
        const result = await establishStream(control, options.every ?? control.stream.every, terminal);
        terminal.out(options.json ? `${JSON.stringify(result)}\n` : renderEstablished(name, result));
      });
    });
