import { Argument } from 'commander';
import { type CommandFactory, command, configOption } from '../command.js';

export const workerCommand: CommandFactory = (terminal) =>
  command('worker', {
    summary: "run a site's worker process",
    description:
      "Runs until SIGTERM or Ctrl-C, then finishes what it has begun. The source's worker runs near the source database and dials out only. " +
      "The target's runs near the target database, runs the workflows too, and listens for wagons (target.receiver.listen).",
    examples: [
      ['srdf worker source', 'at the site that serves'],
      ['srdf worker target -c /etc/srdf/srdf.yaml', 'at the site that stands by'],
    ],
    errors: ['config-invalid', 'key-missing', 'key-permissions', 'engine-unsupported', 'temporal-unreachable'],
  })
    .addArgument(new Argument('<site>', 'which of the two sites this process serves').choices(['source', 'target']))
    .addOption(configOption())
    .action(async (site: 'source' | 'target', options: { config: string }) => {
      const { loadConfig } = await import('../../config/load.js');
      const config = await loadConfig(options.config);
      if (site === 'source') {
        const { runSourceWorker } = await import('../../workers/source.js');
        await runSourceWorker(config, { signal: terminal.signal });
      } else {
        const { runTargetWorker } = await import('../../workers/target.js');
        await runTargetWorker(config, { signal: terminal.signal });
      }
    });
