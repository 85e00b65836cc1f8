import { type CommandFactory, command } from '../command.js';

export const initCommand: CommandFactory = (terminal) =>
  command('init [path]', {
    summary: 'write a commented srdf.yaml to start from',
    description:
      'Writes a commented config for a pair (default: srdf.yaml in this folder). A file that is there already is left alone. Nothing is contacted.',
    examples: [
      ['srdf init', 'srdf.yaml here, for MariaDB'],
      ['srdf init /etc/srdf/srdf.yaml --engine mysql', 'elsewhere, for MySQL'],
    ],
    errors: ['config-invalid'],
  })
    .option('--engine <name>', 'mariadb or mysql', 'mariadb')
    .action(async (path: string | undefined, options: { engine: string }) => {
      const { initialiseConfig } = await import('../initialise.js');
      const written = await initialiseConfig(path ?? 'srdf.yaml', options.engine);
      terminal.out(
        `Wrote ${written}. Next: put in your servers and sites, then \`srdf keys generate source\` and \`srdf keys generate target\`.\n`,
      );
    });
