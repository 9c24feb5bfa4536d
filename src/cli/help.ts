import {
  type ArgumentDefinition,
  COMMAND_GROUPS,
  type CommandDefinition,
  type CommandFamily,
  flagsOf,
  listedCommands,
  membersOf,
} from './commands.js';
import { COMMON_FLAGS, FLAG_GROUPS, type FlagName, type FlagOverrides, flagDefinition, flagSyntax } from './flags.js';
import type { Style } from './render/style.js';

/** Help of the whole program, made from the table of commands: no command is loaded. */
export function programHelp(style: Style): string {
  const lines = [
    'Make an ONNX model smaller and faster, and verify the result.',
    '',
    `  ${style.dim('$')} serve-opt quantize model.onnx --data samples.npz`,
    '',
    `${style.bold('Usage:')} serve-opt <command> [options]`,
  ];
  const commonWidth = columnWidth(COMMON_FLAGS.map((name) => indentedSyntax(name)));
  const listed = listedCommands();
  const names = columnWidth(listed.map((command) => command.name));
  for (const group of COMMAND_GROUPS) {
    const commands = listed.filter((command) => command.group === group);
    if (commands.length === 0) continue;
    lines.push('', style.bold(`${group}:`));
    for (const command of commands) lines.push(`  ${style.cyan(command.name.padEnd(names))}${command.summary}`);
  }
  lines.push('', style.bold('Everywhere:'), ...flagLines(COMMON_FLAGS, commonWidth, style));
  lines.push(`  ${style.cyan('    --version'.padEnd(commonWidth))}show the version`);
  lines.push('', `serve-opt <command> --help shows the options of a command.`);
  return `${lines.join('\n')}\n`;
}

/** Help of a family: its commands. */
export function familyHelp(family: CommandFamily, style: Style): string {
  const { name, summary, example } = family;
  const members = membersOf(family);
  const width = columnWidth(members.map((command) => command.name));
  const lines = [
    `${summary}.`,
    '',
    `  ${style.dim('$')} ${example.command}`,
    '',
    `${style.bold('Usage:')} serve-opt ${name} <command> [options]`,
    '',
    ...members.map((command) => `  ${style.cyan(command.name.padEnd(width))}${command.summary}`),
    '',
    `serve-opt ${name} <command> --help shows the options of a command.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Help of one command: examples first, at most a screen; with all flags where they are asked for. */
export function commandHelp(command: CommandDefinition, style: Style, all = false): string {
  const shown = all ? flagsOf(command) : command.flags;
  const lines = [`${command.summary}.`, ''];
  const commands = columnWidth(command.examples.map((example) => example.command));
  for (const example of command.examples) {
    const text = `${example.command.padEnd(commands)}${style.dim(example.summary)}`;
    // A long command says enough by itself.
    const fits = commands + example.summary.length + 4 <= 80;
    lines.push(`  ${style.dim('$')} ${fits ? text : example.command}`);
  }
  lines.push('', `${style.bold('Usage:')} ${commandUsage(command)}`);
  if (command.arguments.length > 0) {
    const width = columnWidth(command.arguments.map(argumentSyntax));
    for (const argument of command.arguments)
      lines.push(`  ${argumentSyntax(argument).padEnd(width)}${argument.summary}`);
  }
  const { overrides } = command;
  const flagWidth = columnWidth(shown.map((name) => indentedSyntax(name, overrides)));
  for (const group of FLAG_GROUPS) {
    const flags = shown.filter((name) => flagDefinition(name).group === group);
    if (flags.length > 0) lines.push('', style.bold(`${group}:`), ...flagLines(flags, flagWidth, style, overrides));
  }
  for (const note of command.notes ?? []) lines.push('', note);
  if (!all && command.moreFlags)
    lines.push('', `${command.moreFlags.length} more options: serve-opt ${command.name} --help -v`);
  lines.push('', `${style.bold('Everywhere:')} --json -q/--quiet -v/--verbose --debug --[no-]color -h/--help`);
  return `${lines.join('\n')}\n`;
}

/** `serve-opt compare <a> <b> [options]`. */
export function commandUsage(command: CommandDefinition): string {
  const args = command.arguments.map((argument) => ` ${argumentSyntax(argument)}`).join('');
  return `serve-opt ${command.name}${args} [options]`;
}

/** `<model>`, or `[name]` for one that may be left out. */
export function argumentSyntax({ name, optional, variadic }: ArgumentDefinition): string {
  const shown = variadic ? `${name}...` : name;
  return optional ? `[${shown}]` : `<${shown}>`;
}

/** Summary with what else a reader needs: the default, that it may be repeated. */
export function flagSummary(name: FlagName, overrides: FlagOverrides = {}): string {
  const flag = flagDefinition(name, overrides);
  const extra = flag.default !== undefined ? ` (default ${flag.default})` : flag.repeatable ? ' (repeatable)' : '';
  return flag.summary + extra;
}

function flagLines(names: readonly FlagName[], width: number, style: Style, overrides: FlagOverrides = {}): string[] {
  const line = (name: FlagName): string =>
    `  ${style.cyan(indentedSyntax(name, overrides).padEnd(width))}${flagSummary(name, overrides)}`;
  return names.map(line);
}

/** Long names line up whether or not there is a short one. */
function indentedSyntax(name: FlagName, overrides: FlagOverrides = {}): string {
  const syntax = flagSyntax(name, overrides);
  return flagDefinition(name, overrides).short === undefined ? `    ${syntax}` : syntax;
}

function columnWidth(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length)) + 2;
}
