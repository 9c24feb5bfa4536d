import { EXIT } from '../errors.js';
import { LARGEST_SIZE } from '../workflows/limits.js';
import { COMMANDS, type CommandDefinition, type CommandFamily, membersOf } from './commands.js';
import { COMMON_FLAGS, type FlagName, type FlagOverrides, flagDefinition } from './flags.js';
import { commandUsage } from './help.js';

/** The `result` of `serve-opt --json --help`. */
export interface HelpDocument {
  readonly usage: string;
  readonly commands: readonly CommandDocument[];
  /** Flags that every command takes. */
  readonly flags: readonly FlagDocument[];
  readonly exitCodes: Readonly<Record<string, number>>;
}

/** The `result` of `serve-opt COMMAND --json --help`, and one of the commands of the whole. */
export interface CommandDocument {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly usage: string;
  readonly arguments: readonly ArgumentDocument[];
  /** Besides the common flags, in the order of help. */
  readonly flags: readonly FlagDocument[];
  readonly examples: readonly { readonly command: string; readonly summary: string }[];
  readonly notes: readonly string[];
}

export interface ArgumentDocument {
  readonly name: string;
  readonly summary: string;
  readonly optional: boolean;
  /** May be given several times. */
  readonly variadic: boolean;
  /** Whether it names a file. */
  readonly path: boolean;
  readonly choices?: readonly string[];
}

export interface FlagDocument {
  /** With its dashes. */
  readonly flag: string;
  readonly short?: string;
  readonly summary: string;
  readonly group: string;
  /** `switch` takes no value; `integers` is a list with commas. */
  readonly type: 'switch' | 'text' | 'integer' | 'integers';
  /** What help calls the value. */
  readonly value?: string;
  /** True where the value may be left out. */
  readonly valueOptional?: boolean;
  readonly choices?: readonly string[];
  /** Smallest and largest integer. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number;
  readonly repeatable: boolean;
  /** Whether the value names a file. */
  readonly path: boolean;
  /** True for flags that help shows with `-v` only. */
  readonly advanced: boolean;
}

/** Help of the whole program as data, from the tables: no command is loaded. */
export function helpDocument(): HelpDocument {
  return {
    usage: 'serve-opt <command> [options]',
    commands: COMMANDS.map(commandDocument),
    flags: COMMON_FLAGS.map((name) => flagDocument(name, false)),
    exitCodes: EXIT,
  };
}

/** The `result` of `serve-opt FAMILY --json --help`. */
export interface FamilyDocument {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandDocument[];
}

/** Help of a family of commands as data. */
export function familyDocument(family: CommandFamily): FamilyDocument {
  return { name: family.name, summary: family.summary, commands: membersOf(family).map(commandDocument) };
}

/** Help of one command as data. */
export function commandDocument(command: CommandDefinition): CommandDocument {
  const { name, summary, group, flags, moreFlags = [], overrides, examples, notes = [] } = command;
  return {
    name,
    summary,
    group,
    usage: commandUsage(command),
    arguments: command.arguments.map(({ optional = false, variadic = false, path = false, ...argument }) => ({
      name: argument.name,
      summary: argument.summary,
      optional,
      variadic,
      path,
      ...(argument.choices === undefined ? {} : { choices: argument.choices }),
    })),
    flags: [
      ...flags.map((flag) => flagDocument(flag, false, overrides)),
      ...moreFlags.map((flag) => flagDocument(flag, true, overrides)),
    ],
    examples,
    notes,
  };
}

function flagDocument(name: FlagName, advanced: boolean, overrides?: FlagOverrides): FlagDocument {
  const flag = flagDefinition(name, overrides);
  const { short, summary, group, value, choices, repeatable = false, path = false } = flag;
  const type = value === undefined ? 'switch' : (flag.type ?? 'text');
  const isNumber = type === 'integer' || type === 'integers';
  return {
    flag: `--${name}`,
    ...(short === undefined ? {} : { short: `-${short}` }),
    summary,
    group,
    type,
    ...(value === undefined ? {} : { value }),
    ...(flag.optionalValue === undefined ? {} : { valueOptional: true }),
    ...(choices === undefined ? {} : { choices }),
    ...(isNumber ? { minimum: flag.minimum ?? 0, maximum: flag.maximum ?? LARGEST_SIZE } : {}),
    ...(flag.default === undefined ? {} : { default: flag.default }),
    repeatable,
    path,
    advanced,
  };
}
