import type { ExitCode, ServeOptError } from '../errors.js';
import type { CliContext } from './context.js';
import type { FlagValues } from './flags.js';
import type { Progress } from './render/progress.js';
import type { Style } from './render/style.js';

/** What a command's `run` gets: the world, and how to speak to it. */
export interface CommandContext extends CliContext {
  /** Style of text for stdout. */
  readonly style: Style;
  /** Where progress and warnings go. */
  readonly progress: Progress;
  /** Columns to keep to; undefined when stdout is not a terminal. */
  readonly columns: number | undefined;
  /** 0, or more with `-v`. */
  readonly verbosity: number;
}

/** What a command answers. `main` prints it as text or as JSON. */
export interface CommandResult {
  /** The `result` of the JSON document: plain data. */
  readonly report: unknown;
  /** The answer for people, styled, without a final line break. Not called with `--json`. */
  readonly text: () => string | Promise<string>;
  /** One line for stderr after the answer, not shown with `--quiet` or `--json`. */
  readonly summary?: string;
  /** A command to try next. */
  readonly next?: string;
  /** Default 0. */
  readonly exitCode?: ExitCode;
  /** What went wrong when the work was done already, such as a report that could not be written: told after the answer. */
  readonly failure?: ServeOptError | undefined;
  /** GitHub was told already of what went wrong. */
  readonly annotated?: boolean;
  /** stdout already carries the answer (model bytes): `text` and the report go to stderr. */
  readonly stdoutTaken?: boolean;
}

/** What `src/cli/commands/*.ts` export. */
export interface CommandModule {
  run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult>;
}
