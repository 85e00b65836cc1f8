/** Completion scripts, made from the commands themselves. Touches nothing. */
import type { Command } from 'commander';

/** What can follow each path of commands: `''` is the program itself, `keys show` a subcommand. */
function words(program: Command): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (command: Command, path: readonly string[]): void => {
    const options = command.options.flatMap((it) => [it.long, it.short]).filter((it) => it != null);
    const choices = command.registeredArguments.flatMap((it) => it.argChoices ?? []);
    found.set(path.join(' '), [...command.commands.map((it) => it.name()), ...choices, ...options, '--help']);
    for (const child of command.commands) visit(child, [...path, child.name()]);
  };
  visit(program, []);
  return found;
}

export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const paths = words(program);
  if (shell === 'fish') return fish(program);
  const cases = [...paths]
    .filter(([path]) => path !== '')
    .map(([path, list]) => `    "${path}") words="${list.join(' ')}";;`)
    .sort()
    .join('\n');
  const body = `_srdf() {
  local words path="" word current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *)
      case " ${[...paths.keys()].join(' | ')} " in *" | \${path:+$path }$word "*) path="\${path:+$path }$word";; esac;;
    esac
  done
  case "$path" in
${cases}
    *) words="${(paths.get('') ?? []).join(' ')}";;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _srdf srdf
`;
  return shell === 'bash' ? body : `autoload -U +X bashcompinit && bashcompinit\n${body}`;
}

function fish(program: Command): string {
  const lines = ['complete -c srdf -f'];
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  for (const command of program.commands) {
    lines.push(`complete -c srdf -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.summary())}`);
    const within = `-n '__fish_seen_subcommand_from ${command.name()}'`;
    const visit = (it: Command): void => {
      for (const option of it.options) {
        if (option.long) lines.push(`complete -c srdf ${within} -l ${option.long.slice(2)} -d ${quoted(option.description)}`);
      }
      for (const argument of it.registeredArguments) {
        for (const choice of argument.argChoices ?? []) lines.push(`complete -c srdf ${within} -a ${choice}`);
      }
      for (const child of it.commands) {
        lines.push(`complete -c srdf ${within} -a ${child.name()} -d ${quoted(child.summary())}`);
        visit(child);
      }
    };
    visit(command);
  }
  return `${lines.join('\n')}\n`;
}
