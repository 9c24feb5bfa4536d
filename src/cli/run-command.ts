import { EXIT, type ExitCode } from '../errors.js';
import { workflowError } from '../report/ci/workflow-commands.js';
import { safeText } from '../report/safe-text.js';
import type { CommandResult } from './command.js';
import type { CommandDefinition } from './commands.js';
import type { CliContext } from './context.js';
import type { FlagValues } from './flags.js';
import { inGitHubActions, writeDocument, writeText } from './output.js';
import type { OutputStream } from './output-stream.js';
import { parseCommand } from './program.js';
import { renderError, reportError } from './render/error.js';
import { createProgress } from './render/progress.js';
import { createStyle, type Style, wantsColour } from './render/style.js';
import { wrapLine } from './render/wrap.js';

/** Parses, loads and runs one command, and prints what it answers. @throws ServeOptError, or whatever went wrong. */
export async function runCommand(
  definition: CommandDefinition,
  argv: readonly string[],
  context: CliContext,
): Promise<ExitCode> {
  const { args, flags } = parseCommand(definition, argv);
  const style = streamStyle(context.stdout, flags, context);
  const errorStyle = streamStyle(context.stderr, flags, context);
  const talkative = !flags.quiet && !flags.json;
  const progress = (context.createProgress ?? createProgress)({
    stream: context.stderr,
    style: errorStyle,
    animated: context.stderr.isTTY === true && context.env.TERM !== 'dumb' && !context.env.CI,
    stages: talkative,
    warnings: !flags.quiet,
    details: talkative && flags.verbose === true,
  });
  const command = await definition.load();
  let result: CommandResult;
  try {
    result = await command.run(
      {
        ...context,
        style,
        progress,
        columns: columnsOf(context.stdout),
        verbosity: flags.verbose ? 1 : 0,
      },
      args,
      flags,
    );
  } finally {
    progress.stop();
  }
  await print(definition, result, flags, context, errorStyle);
  const { exitCode = EXIT.done, failure } = result;
  annotateGate(definition, result, context);
  if (failure === undefined) return exitCode;
  if (!flags.json) {
    const { stderr, versions } = context;
    writeText(stderr, renderError(failure, errorStyle, versions, flags.debug === true, columnsOf(stderr)), context);
  }
  return exitCode === EXIT.done ? failure.exitCode : exitCode;
}

async function print(
  definition: CommandDefinition,
  result: CommandResult,
  flags: FlagValues,
  context: CliContext,
  errorStyle: Style,
): Promise<void> {
  const exitCode = result.exitCode ?? EXIT.done;
  if (flags.json) {
    const { failure, report } = result;
    const error = failure && reportError(failure, context.versions, flags.debug === true);
    const ok = exitCode === EXIT.done && failure === undefined;
    writeDocument(definition.name, { ok, result: report, ...(error ? { error } : {}) }, context);
    return;
  }
  const answer = await result.text();
  const stream = result.stdoutTaken ? context.stderr : context.stdout;
  if (answer !== '' && !(result.stdoutTaken && flags.quiet)) writeText(stream, `${answer}\n`, context);
  if (!flags.quiet) {
    if (result.summary !== undefined)
      writeText(context.stderr, `${wrapLine(safeText(result.summary), columnsOf(context.stderr))}\n`, context);
    if (result.next !== undefined) {
      writeText(context.stderr, `${errorStyle.dim(`next: ${safeText(result.next)}`)}\n`, context);
    }
  }
}

/** Tells GitHub Actions of a gate that is not met, also where the answer is one document. */
function annotateGate(definition: CommandDefinition, result: CommandResult, context: CliContext): void {
  const { exitCode = EXIT.done, failure, annotated, summary } = result;
  if (exitCode !== EXIT.gate || annotated || !inGitHubActions(context)) return;
  const message = failure?.exitCode === EXIT.gate ? failure.message : (summary ?? 'a gate is not met');
  context.stderr.write(workflowError(`serve-opt ${definition.name}`, safeText(message)));
}

/** Width of a terminal; undefined for anything else. */
function columnsOf(stream: OutputStream): number | undefined {
  return stream.isTTY === true ? (stream.columns ?? 80) : undefined;
}

function streamStyle(stream: OutputStream, flags: FlagValues, context: CliContext): Style {
  const flag = flags['no-color'] ? false : flags.color;
  return createStyle(wantsColour({ flag, env: context.env, isTTY: stream.isTTY === true }));
}
