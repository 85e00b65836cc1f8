import { Argument } from 'commander';
import { type CommandFactory, command } from '../command.js';

export const completionCommand: CommandFactory = (terminal) =>
  command('completion', {
    summary: 'print a completion script for your shell',
    description: 'Completes commands, their subcommands and their options. Prints a script; changes nothing by itself.',
    examples: [
      ['source <(srdf completion bash)', 'in ~/.bashrc'],
      ['source <(srdf completion zsh)', 'in ~/.zshrc, after compinit'],
      ['srdf completion fish > ~/.config/fish/completions/srdf.fish', 'once'],
    ],
    errors: [],
  })
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish', _options, self) => {
      const { completionScript } = await import('../rendering/completion.js');
      terminal.out(completionScript(shell, self.parent ?? self));
    });
