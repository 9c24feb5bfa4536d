import {
  COMMAND_FAMILIES,
  COMMANDS,
  type CommandDefinition,
  type CommandFamily,
  firstWords,
  flagsOf,
  listedCommands,
  membersOf,
  type Shell,
} from './commands.js';
import { COMMON_FLAGS, type FlagName, type FlagOverrides, flagDefinition } from './flags.js';

/** A script that completes commands, flags, values and paths, made from the table of commands. */
export function completionScript(shell: Shell): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]();
}

/** The second words of a family. */
function secondWords(family: CommandFamily): readonly string[] {
  return membersOf(family).map(({ name }) => name.slice(family.name.length + 1));
}

function completedFlags(command: CommandDefinition): readonly FlagName[] {
  return [...flagsOf(command), ...COMMON_FLAGS];
}

function spellings(name: FlagName): readonly string[] {
  const { short } = flagDefinition(name);
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

function bashScript(): string {
  const names = firstWords().join(' ');
  const values = new Map<string, string>();
  const cases = COMMANDS.map((command) => {
    for (const name of completedFlags(command)) {
      const { choices, path, value, optionalValue } = flagDefinition(name);
      if (value === undefined || optionalValue) continue;
      const action = choices
        ? `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return`
        : path
          ? 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")); return'
          : 'COMPREPLY=(); return';
      values.set(spellings(name).join('|'), action);
    }
    const flags = completedFlags(command).flatMap(spellings).join(' ');
    const choices = command.arguments.flatMap((argument) => argument.choices ?? []).join(' ');
    return `    "${command.name}") flags="${flags}"; words="${choices}" ;;`;
  });
  return `# serve-opt completion for bash: source <(serve-opt completion bash)
_serve_opt() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" flags="" words="" command="\${COMP_WORDS[1]}"
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${names} --help --version" -- "$word")); return
  fi
  case "$command" in
${COMMAND_FAMILIES.map(
  (family) => `    ${family.name})
      if [[ $COMP_CWORD -eq 2 ]]; then
        COMPREPLY=($(compgen -W "${secondWords(family).join(' ')} --help" -- "$word")); return
      fi
      command="$command \${COMP_WORDS[2]}" ;;`,
).join('\n')}
  esac
  case "$before" in
${[...values].map(([spelling, action]) => `    ${spelling}) ${action} ;;`).join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ -n "$words" ]]; then COMPREPLY=($(compgen -W "$words" -- "$word"))
  else compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -F _serve_opt serve-opt`;
}

function zshScript(): string {
  const described = (name: string, summary: string): string => `    ${zshQuote(`${name}:${summary}`)}`;
  const commands = listedCommands()
    .map(({ name, summary }) => described(name, summary))
    .join('\n');
  const families = COMMAND_FAMILIES.map((family) => {
    const members = membersOf(family).map(({ name, summary }) =>
      described(name.slice(family.name.length + 1), summary),
    );
    return `    ${family.name})
      local -a members=(
${members.join('\n')}
      )
      if (( CURRENT == 2 )); then _describe command members; return; fi
      command="$command $words[2]"
      shift words; (( CURRENT-- )) ;;`;
  });
  const cases = COMMANDS.map((command) => {
    const specs = [
      ...completedFlags(command).flatMap((name) =>
        spellings(name).map((spelling) => zshFlag(name, spelling, command.overrides)),
      ),
      ...command.arguments.map((argument, index) => {
        const action = argument.choices ? `(${argument.choices.join(' ')})` : argument.path ? '_files' : '';
        return zshQuote(`${index + 1}:${zshText(argument.summary)}:${action}`);
      }),
    ];
    return `    "${command.name}") _arguments \\\n${specs.map((spec) => `      ${spec}`).join(' \\\n')} ;;`;
  });
  return `#compdef serve-opt
# serve-opt completion for zsh: source <(serve-opt completion zsh)
_serve_opt() {
  local -a commands=(
${commands}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command="$words[2]"
  shift words; (( CURRENT-- ))
  case "$command" in
${families.join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _serve_opt serve-opt`;
}

function zshFlag(name: FlagName, spelling: string, overrides?: FlagOverrides): string {
  const { choices, path, repeatable, summary, optionalValue, value: named } = flagDefinition(name, overrides);
  const value = optionalValue ? undefined : named;
  const action = choices ? `(${choices.join(' ')})` : path ? '_files' : '';
  return zshQuote(
    `${repeatable ? '*' : ''}${spelling}[${zshText(summary)}]${value === undefined ? '' : `:${value}:${action}`}`,
  );
}

function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(): string {
  const lines = ['# serve-opt completion for fish: serve-opt completion fish | source', 'complete -c serve-opt -f'];
  for (const { name, summary } of listedCommands())
    lines.push(`complete -c serve-opt -n __fish_use_subcommand -a ${name} -d ${fishQuote(summary)}`);
  for (const family of COMMAND_FAMILIES) {
    const seconds = secondWords(family).join(' ');
    const open = `-n '__fish_seen_subcommand_from ${family.name}; and not __fish_seen_subcommand_from ${seconds}'`;
    for (const { name, summary } of membersOf(family))
      lines.push(`complete -c serve-opt ${open} -a ${name.slice(family.name.length + 1)} -d ${fishQuote(summary)}`);
  }
  for (const command of COMMANDS) {
    const words = command.name.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
    const seen = `-n '${words.join('; and ')}'`;
    for (const argument of command.arguments) {
      if (argument.choices) lines.push(`complete -c serve-opt ${seen} -a '${argument.choices.join(' ')}'`);
      else if (argument.path) lines.push(`complete -c serve-opt ${seen} -F`);
    }
    for (const name of completedFlags(command)) {
      const { short, value, choices, path, summary, optionalValue } = flagDefinition(name, command.overrides);
      const parts = [`complete -c serve-opt ${seen} -l ${name}`];
      if (short !== undefined) parts.push(`-s ${short}`);
      if (value !== undefined && !optionalValue)
        parts.push(choices ? `-x -a '${choices.join(' ')}'` : path ? '-r -F' : '-x');
      lines.push(`${parts.join(' ')} -d ${fishQuote(summary)}`);
    }
  }
  return lines.join('\n');
}

function fishQuote(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
}
