import type { CommandModule } from './command.js';
import type { FlagName, FlagOverrides } from './flags.js';

export interface ArgumentDefinition {
  readonly name: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  /** The argument is a path: completion offers files. */
  readonly path?: boolean;
  /** May be left out; only the last one may. */
  readonly optional?: boolean;
  /** May stand several times; only the last one may. */
  readonly variadic?: boolean;
}

export interface ExampleDefinition {
  readonly command: string;
  readonly summary: string;
}

/** One command as data. Nothing here loads its code before it runs. */
export interface CommandDefinition {
  /** One word; or that of a family and one more, as in `package triton`. */
  readonly name: string;
  /** One sentence without a full stop, for the list of commands. */
  readonly summary: string;
  readonly group: CommandGroup;
  /** In order. */
  readonly arguments: readonly ArgumentDefinition[];
  /** Besides the common flags. */
  readonly flags: readonly FlagName[];
  /** Flags that few need: help shows them with `-v`. */
  readonly moreFlags?: readonly FlagName[];
  /** What is different about flags here: a folder instead of a file, another default. */
  readonly overrides?: FlagOverrides;
  readonly examples: readonly ExampleDefinition[];
  /** What a reader of its help should know: when to use it, what it never does. */
  readonly notes?: readonly string[];
  readonly load: () => Promise<CommandModule>;
}

/** Headings of the list of commands, in this order. */
export const COMMAND_GROUPS = ['Look', 'Measure', 'Change', 'Serve', 'Set up'] as const;
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** Commands of two words that share the first. The list of commands shows the family only. */
export interface CommandFamily {
  readonly name: string;
  readonly summary: string;
  readonly group: CommandGroup;
  readonly example: ExampleDefinition;
}

/** The argument that most commands have. */
export const MODEL: ArgumentDefinition = { name: 'model', summary: 'path of an ONNX model', path: true };
