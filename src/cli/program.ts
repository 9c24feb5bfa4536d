import { Command, CommanderError, Option } from 'commander';
import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';
import { readWholeNumber, whyNotWholeNumber } from '../workflows/limits.js';
import { checkOptionRules, type GivenOptions } from '../workflows/preflight/check-rules.js';
import { type CommandDefinition, flagsOf } from './commands.js';
import {
  COMMON_FLAGS,
  type FlagDefinition,
  type FlagName,
  type FlagValues,
  flagDefinition,
  RENAMED_FLAGS,
} from './flags.js';
import { argumentSyntax } from './help.js';

export interface ParsedCommand {
  readonly args: readonly string[];
  readonly flags: FlagValues;
}

/**
 * Reads the words after a command's name. Commander does the reading; what it complains about becomes our errors.
 * @throws SO1001 for what it does not know, SO1006 for a value that is not allowed, SO1002 for flags that contradict each other
 */
export function parseCommand(definition: CommandDefinition, argv: readonly string[]): ParsedCommand {
  const names: readonly FlagName[] = [...flagsOf(definition), ...COMMON_FLAGS];
  const hint = `serve-opt ${definition.name} --help`;
  const command = new Command(definition.name)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .showSuggestionAfterError(false)
    .helpOption(false)
    .allowExcessArguments(false)
    .action(() => undefined);
  for (const argument of definition.arguments) {
    const syntax = argumentSyntax(argument);
    command.argument(syntax, argument.summary, (text: string, previous: unknown) => {
      const checked = checkChoice(text, argument.choices, syntax, hint);
      return argument.variadic ? [...(Array.isArray(previous) ? previous : []), checked] : checked;
    });
  }
  for (const name of names) command.addOption(commanderOption(name, definition, hint));
  try {
    command.parse(withExplicitValues(argv, names, definition), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw usageError(error, definition, names);
    throw error;
  }
  const args = command.processedArgs
    .flat()
    .filter((argument) => argument !== undefined)
    .map(String);
  const flags = valuesOf(command, names);
  // Of what does nothing the workflow warns, which sees the same of callers without a command line.
  checkOptionRules(definition.name, givenFlags(flags));
  return { args, flags };
}

/** Warnings about flags of which nothing comes, one sentence each. */
export function idleFlags(command: string, flags: FlagValues): string[] {
  return checkOptionRules(command, givenFlags(flags));
}

/** Flags with their values as text. */
function givenFlags(flags: FlagValues): GivenOptions {
  return new Map(Object.entries(flags).map(([name, value]) => [name, value === true ? '' : String(value)]));
}

/**
 * Commander takes whatever follows a flag with an optional value for the value, a model too. Here what does not look like
 * one becomes the next argument.
 */
function withExplicitValues(
  argv: readonly string[],
  names: readonly FlagName[],
  { overrides }: CommandDefinition,
): string[] {
  const patterns = new Map<string, RegExp | undefined>(
    names.map((name) => [`--${name}`, flagDefinition(name, overrides).optionalValue]),
  );
  const end = argv.indexOf('--');
  return argv.map((word, index) => {
    const pattern = end >= 0 && index >= end ? undefined : patterns.get(word);
    const next = index + 1 === end ? undefined : argv[index + 1];
    return pattern && !(next !== undefined && pattern.test(next)) ? `${word}=` : word;
  });
}

function commanderOption(name: FlagName, { overrides }: CommandDefinition, hint: string): Option {
  const flag = flagDefinition(name, overrides);
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const brackets = flag.optionalValue ? '[]' : '<>';
  const value = flag.value === undefined ? '' : ` ${brackets[0]}${flag.value}${brackets[1]}`;
  const option = new Option(`${short}--${name}${value}`, flag.summary);
  if (flag.value !== undefined) {
    option.argParser((text: string, previous: unknown) => {
      const parsed = parseValue(text, flag, `--${name}`, hint);
      return flag.repeatable ? [...(Array.isArray(previous) ? previous : []), parsed] : parsed;
    });
  }
  return option;
}

function parseValue(text: string, flag: FlagDefinition, owner: string, hint: string): string | number | number[] {
  if (text === '' && flag.optionalValue) return text;
  if (text === '') throw notAllowed(text, owner, 'it is empty', hint);
  if (flag.parts !== undefined) return parseParts(text, flag, flag.parts, owner, hint);
  if (flag.type === 'integers') return text.split(',').map((part) => parseInteger(part, flag, owner, hint));
  if (flag.type !== 'integer') return checkChoice(text, flag.choices, owner, hint);
  return parseInteger(text, flag, owner, hint);
}

/** `intra=2,inter=1` as [2, 1]. */
function parseParts(
  text: string,
  flag: FlagDefinition,
  parts: readonly string[],
  owner: string,
  hint: string,
): number[] {
  const values = parts.map(() => 0);
  for (const each of text.split(',')) {
    const [name = '', number] = each.split('=');
    const at = parts.indexOf(name.trim());
    if (at < 0 || number === undefined) {
      const shown = parts.map((part, index) => `${part}=${index + 1}`).join(',');
      throw notAllowed(text, owner, `it is written ${owner} ${shown}`, hint);
    }
    if (values[at] !== 0) throw notAllowed(text, owner, `it has ${name.trim()} twice`, hint);
    values[at] = parseInteger(number, flag, owner, hint);
  }
  return values;
}

function parseInteger(text: string, flag: FlagDefinition, owner: string, hint: string): number {
  const value = readWholeNumber(text);
  const why = whyNotWholeNumber(value, flag);
  if (why !== undefined) throw notAllowed(text, owner, why, hint);
  return value;
}

function checkChoice(text: string, choices: readonly string[] | undefined, owner: string, hint: string): string {
  if (choices === undefined || choices.includes(text)) return text;
  const near = suggest(text, choices);
  const ending = near === undefined ? '' : `; did you mean "${near}"?`;
  throw notAllowed(text, owner, `it must be one of ${choices.join(', ')}${ending}`, hint);
}

function notAllowed(text: string, owner: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, { why, hint });
}

/** Commander camel-cases names and turns `--no-x` into `x: false`; the rest of the program sees names as typed. */
function valuesOf(command: Command, names: readonly FlagName[]): FlagValues {
  const values = new Map<string, unknown>();
  for (const name of names) {
    const negated = name.startsWith('no-');
    const key = camelCase(negated ? name.slice(3) : name);
    if (command.getOptionValueSource(key) !== 'cli') continue;
    const value: unknown = command.getOptionValue(key);
    if (negated) {
      if (value === false) values.set(name, true);
    } else if (value !== false) values.set(name, value);
  }
  return Object.fromEntries(values) as FlagValues;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function usageError(error: CommanderError, definition: CommandDefinition, names: readonly FlagName[]): ServeOptError {
  const hint = `serve-opt ${definition.name} --help`;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption': {
      // What follows the sign may be a secret.
      const typed = quoted.replace(/=.*$/s, '');
      const name = typed.replace(/^-+/, '');
      const renamed = RENAMED_FLAGS.get(name);
      const near = suggest(name, names);
      const why =
        renamed !== undefined && names.includes(renamed)
          ? `it is called "--${renamed}" now`
          : near === undefined
            ? undefined
            : `did you mean "--${near}"?`;
      return new ServeOptError('SO1001', `${definition.name} has no option "${typed}"`, {
        hint,
        ...(why === undefined ? {} : { why }),
      });
    }
    case 'commander.missingArgument': {
      const argument = definition.arguments.find((candidate) => candidate.name === quoted);
      return new ServeOptError('SO1001', `${definition.name} needs <${quoted}>: ${argument?.summary ?? ''}`, {
        hint: definition.examples[0]?.command ?? hint,
      });
    }
    case 'commander.excessArguments':
      return new ServeOptError('SO1001', `${definition.name} was given too many arguments`, {
        why: `it takes ${definition.arguments.length === 0 ? 'none' : definition.arguments.length}; put globs in quotes so that the shell does not expand them`,
        hint,
      });
    case 'commander.optionMissingArgument':
      return new ServeOptError('SO1001', `The option "${quoted.replace(/ <.*$/, '')}" needs a value`, { hint });
    default:
      return new ServeOptError('SO1001', error.message.replace(/^error: /, ''), { hint });
  }
}
