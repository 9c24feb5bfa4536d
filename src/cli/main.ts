import { EXIT, type ExitCode, ServeOptError } from '../errors.js';
import { secretsOfArguments } from '../report/secrets.js';
import { suggest } from '../suggest.js';
import {
  type CommandDefinition,
  type CommandFamily,
  findCommand,
  findFamily,
  firstWords,
  membersOf,
} from './commands.js';
import type { CliContext } from './context.js';
import { COMMON_FLAGS, flagDefinition } from './flags.js';
import { commandHelp, familyHelp, programHelp } from './help.js';
import { commandDocument, familyDocument, helpDocument } from './help-document.js';
import { writeDocument, writeText } from './output.js';
import { createProcessHost } from './process-host.js';
import { renderError, reportError, toServeOptError } from './render/error.js';
import { createStyle, wantsColour } from './render/style.js';

/** Runs the program as this process: real streams, signals and exit code. Never returns. */
export async function runProcess(signal: AbortSignal): Promise<never> {
  const host = createProcessHost(signal);
  const code = await main(host.argv, host.context, async (definition, words, context) => {
    const { runInThread } = await import('./command-thread.js');
    return runInThread(definition, words, context);
  });
  return host.exit(code);
}

/**
 * Runs one command line (without node and script) and answers its exit code; never throws.
 *
 * Help and version are answered from the table of commands: nothing else is loaded, neither commander nor native code.
 * @param run how a command is run; by default in this thread
 */
export async function main(
  argv: readonly string[],
  context: CliContext,
  run: CommandRunner = runHere,
): Promise<ExitCode> {
  const words = wordsBeforeDashDash(argv);
  const json = words.includes('--json');
  const debug = words.includes('--debug');
  const colourFlag = colourOf(words);
  const { definition, family, rest } = route(argv);
  const styleOf = (stream: CliContext['stdout']) =>
    createStyle(wantsColour({ flag: colourFlag, env: context.env, isTTY: stream.isTTY === true }));
  try {
    context.signal.throwIfAborted();
    const asksHelp = words.includes('--help') || words.includes('-h') || words[0] === 'help';
    if (definition !== undefined && asksHelp) {
      const all = words.includes('-v') || words.includes('--verbose');
      if (json) writeDocument('help', { ok: true, result: commandDocument(definition) }, context);
      else writeText(context.stdout, commandHelp(definition, styleOf(context.stdout), all), context);
      return EXIT.done;
    }
    if (family !== undefined) {
      if (rest[0] !== undefined || !asksHelp) throw unknownMember(family, rest[0]);
      if (json) writeDocument('help', { ok: true, result: familyDocument(family) }, context);
      else writeText(context.stdout, familyHelp(family, styleOf(context.stdout)), context);
      return EXIT.done;
    }
    if (definition === undefined) {
      const typed = rest[0];
      if (typed === undefined && (words.includes('--version') || words.includes('-V'))) {
        if (json) writeDocument('version', { ok: true, result: context.versions }, context);
        else writeText(context.stdout, `${context.versions.serveOpt}\n`, context);
        return EXIT.done;
      }
      if (typed === undefined && asksHelp) {
        if (json) writeDocument('help', { ok: true, result: helpDocument() }, context);
        else writeText(context.stdout, programHelp(styleOf(context.stdout)), context);
        return EXIT.done;
      }
      throw unknownCommand(typed);
    }
    return await run(definition, rest, context);
  } catch (thrown) {
    const error = secretsOfArguments(argv).redactError(outcomeOf(thrown, context.signal));
    if (json) {
      const report = reportError(error, context.versions, debug);
      writeDocument(definition?.name ?? null, { ok: false, error: report }, context);
    } else {
      const columns = context.stderr.isTTY === true ? context.stderr.columns : undefined;
      writeText(context.stderr, renderError(error, styleOf(context.stderr), context.versions, debug, columns), context);
    }
    return error.exitCode;
  }
}

/** Runs one command; what it throws is reported by `main`. */
export type CommandRunner = (
  definition: CommandDefinition,
  words: readonly string[],
  context: CliContext,
) => Promise<ExitCode>;

const runHere: CommandRunner = async (definition, words, context) =>
  (await import('./run-command.js')).runCommand(definition, words, context);

/** After a signal, whatever broke broke because of it. */
function outcomeOf(thrown: unknown, signal: AbortSignal): ServeOptError {
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  return reason instanceof ServeOptError ? reason : toServeOptError(thrown);
}

interface Route {
  readonly definition?: CommandDefinition;
  /** Of a command of two words whose second is missing or unknown. */
  readonly family?: CommandFamily;
  readonly rest: readonly string[];
}

/** Splits off the command. Switches that every command takes may stand before it, and between its two words. */
function route(argv: readonly string[]): Route {
  const common = new Set(
    COMMON_FLAGS.flatMap((name) => {
      const { short } = flagDefinition(name);
      return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
    }),
  );
  const switches: string[] = [];
  let index = 0;
  for (; index < argv.length && common.has(argv[index] ?? ''); index++) switches.push(argv[index] ?? '');
  // `help quantize` is `quantize --help`.
  if (argv[index] === 'help') index++;
  const word = argv[index] ?? '';
  const family = findFamily(word);
  if (family !== undefined) {
    for (index++; index < argv.length && common.has(argv[index] ?? ''); index++) switches.push(argv[index] ?? '');
  }
  const name = family === undefined ? word : `${word} ${argv[index] ?? ''}`;
  const definition = findCommand(name);
  if (definition !== undefined) return { definition, rest: [...switches, ...argv.slice(index + 1)] };
  const rest = argv.slice(index).filter((part) => part !== '--version' && part !== '-V' && !common.has(part));
  return family === undefined ? { rest } : { family, rest };
}

function unknownMember(family: CommandFamily, typed: string | undefined): ServeOptError {
  const names = membersOf(family).map(({ name }) => name);
  const seconds = names.map((name) => name.slice(family.name.length + 1));
  if (typed === undefined || typed.startsWith('-')) {
    return new ServeOptError('SO1001', `"${family.name}" needs a second word`, {
      why: `the commands are ${names.join(', ')}`,
      hint: `serve-opt ${family.name} --help`,
    });
  }
  const near = suggest(typed, seconds);
  return new ServeOptError('SO1001', `Unknown command "${family.name} ${typed}"`, {
    why: near === undefined ? `the commands are ${names.join(', ')}` : `did you mean "${family.name} ${near}"?`,
    hint: near === undefined ? `serve-opt ${family.name} --help` : `serve-opt ${family.name} ${near} --help`,
  });
}

function unknownCommand(typed: string | undefined): ServeOptError {
  const names = firstWords();
  if (typed === undefined) {
    return new ServeOptError('SO1001', 'No command was given', {
      why: `the commands are ${names.join(', ')}`,
      hint: 'serve-opt --help',
    });
  }
  if (typed.startsWith('-')) {
    return new ServeOptError('SO1001', `The option "${typed.replace(/=.*$/s, '')}" is before the command`, {
      why: 'options follow the command: serve-opt <command> [options]',
      hint: 'serve-opt --help',
    });
  }
  const near = suggest(typed, names);
  if (near !== undefined) {
    return new ServeOptError('SO1001', `Unknown command "${typed}"`, {
      why: `did you mean "${near}"?`,
      hint: `serve-opt ${near} --help`,
    });
  }
  const looksLikeModel = /\.(onnx|onnx\.txt|ort|pb)$/i.test(typed);
  return new ServeOptError('SO1001', `Unknown command "${typed}"`, {
    why: looksLikeModel ? 'the command comes before the model' : `the commands are ${names.join(', ')}`,
    hint: looksLikeModel ? `serve-opt inspect ${typed}` : 'serve-opt --help',
  });
}

function wordsBeforeDashDash(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}

function colourOf(words: readonly string[]): boolean | undefined {
  const last = words.findLast((word) => word === '--color' || word === '--no-color');
  return last === undefined ? undefined : last === '--color';
}
