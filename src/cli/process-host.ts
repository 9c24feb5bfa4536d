import { rmSync, writeSync } from 'node:fs';
import { bug, EXIT, type ExitCode, ServeOptError } from '../errors.js';
import { heldLeftovers, releaseLeftover } from '../leftovers.js';
import { packageVersion } from '../version.js';
import type { CliContext } from './context.js';
import { openOutput } from './output-file.js';
import type { OutputStream } from './output-stream.js';
import { renderError, toServeOptError } from './render/error.js';
import { createStyle, wantsColour } from './render/style.js';
import { hearSignals } from './signals.js';

/** This process as a world to run in. */
export interface ProcessHost {
  readonly argv: readonly string[];
  readonly context: CliContext;
  /** Waits until everything is written, then ends the process. */
  exit(code: ExitCode): Promise<never>;
}

/** How long the last words may wait for a reader that does not read. */
const LAST_WORDS_MS = 1000;

/**
 * Takes hold of the process: a closed pipe is quiet, what nobody caught is reported as a bug, and whatever way it ends, what it
 * made for itself is removed.
 * @param signal aborted by signals of the system, with the error to end with
 */
export function createProcessHost(signal: AbortSignal = hearSignals()): ProcessHost {
  const context: CliContext = {
    stdout: openOutput(1, process.stdout),
    stderr: openOutput(2, process.stderr),
    env: process.env,
    cwd: currentFolder(),
    signal,
    versions: {
      serveOpt: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    },
  };
  let outputFailure: Error | undefined;
  for (const stream of [context.stdout, context.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `serve-opt … | head` closes the pipe: not an error, and the work goes on to its end. Nor is what stderr loses.
      if (stream === context.stderr || error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
      outputFailure ??= error;
    });
  }
  const render = (error: ServeOptError): string => {
    const style = createStyle(wantsColour({ env: process.env, isTTY: process.stderr.isTTY }));
    return renderError(error, style, context.versions, process.argv.includes('--debug'));
  };
  let answered = false;
  process.on('uncaughtException', (thrown) => {
    answered = true;
    writeNow(render(toServeOptError(thrown)));
    process.exit(EXIT.bug);
  });
  process.on('exit', () => {
    removeLeftovers();
    if (answered) return;
    if (signal.aborted) writeNow(render(toServeOptError(signal.reason)));
    else {
      // Nothing was left to wait for, and yet there is no answer: the process must not end as if all were well.
      writeNow(render(bug('the program ended without a result')));
      process.exitCode = EXIT.bug;
    }
  });
  return {
    argv: process.argv.slice(2),
    context,
    exit: async (code) => {
      const held = signal.aborted ? LAST_WORDS_MS : undefined;
      await Promise.all([finished(context.stdout, held), finished(context.stderr, held)]);
      answered = true;
      if (outputFailure !== undefined && code === EXIT.done) {
        const { message } = outputFailure;
        writeNow(render(new ServeOptError('SO6001', 'The result could not be written to stdout', { why: message })));
        process.exit(EXIT.failed);
      }
      return process.exit(code);
    },
  };
}

/** Ends child processes and removes folders, now: nothing else runs after this. */
function removeLeftovers(): void {
  const held = heldLeftovers();
  for (const leftover of held) if (leftover.kind === 'process') endProcess(leftover.pid);
  for (const leftover of held) {
    if (leftover.kind === 'folder') removeFolder(leftover.path);
    releaseLeftover(leftover);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    writeNow(`The temporary folder ${path} could not be removed: ${code}\n`);
  }
}

/** Last words: nothing waits for them, and where nobody can hear them there is nothing left to tell. */
function writeNow(text: string): void {
  try {
    writeSync(2, text);
  } catch {}
}

/** The working directory; empty when it was removed, and then no command can be run in it. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

/** Everything is written, or cannot be. @param limitMs how long a reader that does not read may hold it up */
function finished(stream: OutputStream, limitMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (limitMs !== undefined) setTimeout(resolve, limitMs);
    // The standard streams of Node cannot be ended; those of files are synced then.
    if (stream === process.stdout || stream === process.stderr) stream.write('', () => resolve());
    else {
      stream.once('error', () => resolve());
      stream.end(() => resolve());
    }
  });
}
