import { EXIT, type ExitCode, ServeOptError } from '../errors.js';
import { packageVersion } from '../version.js';
import type { CliContext, OutputStream } from './context.js';
import { renderError, toServeOptError } from './render/error.js';
import { createStyle, wantsColour } from './render/style.js';

/** This process as a world to run in. The only file that reads or changes `process`. */
export interface ProcessHost {
  readonly argv: readonly string[];
  readonly context: CliContext;
  /** Waits until everything is written, then ends the process. */
  exit(code: ExitCode): Promise<never>;
}

/** A workflow that has not cleaned up by then is left behind. */
const GRACE_MS = 900;

const SIGNALS = [
  ['SIGINT', 'SO8130', 'Interrupted'],
  ['SIGTERM', 'SO8143', 'Terminated'],
  ['SIGHUP', 'SO8143', 'Terminated: the terminal is gone'],
] as const;

/** Takes hold of the process: signals abort, a closed pipe is quiet, what nobody caught is reported as a bug. */
export function createProcessHost(): ProcessHost {
  const controller = new AbortController();
  const context: CliContext = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    versions: {
      serveOpt: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    },
  };
  for (const [name, code, message] of SIGNALS) {
    process.on(name, () => {
      const reason = new ServeOptError(code, message, { hint: 'nothing was left half-written; run again' });
      // A second signal means now.
      if (controller.signal.aborted) process.exit(reason.exitCode);
      controller.abort(reason);
      setTimeout(() => process.exit(reason.exitCode), GRACE_MS).unref();
    });
  }
  let outputFailure: Error | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `serve-opt … | head` closes the pipe: not an error, and the work goes on to its end.
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') outputFailure ??= error;
    });
  }
  const reportThrown = (thrown: unknown): void => {
    const enabled = wantsColour({ env: process.env, isTTY: process.stderr.isTTY });
    const debug = process.argv.includes('--debug');
    process.stderr.write(renderError(toServeOptError(thrown), createStyle(enabled), context.versions, debug));
  };
  process.on('uncaughtException', (thrown) => {
    reportThrown(thrown);
    process.exit(EXIT.bug);
  });
  return {
    argv: process.argv.slice(2),
    context,
    exit: async (code) => {
      await Promise.all([written(process.stdout), written(process.stderr)]);
      if (outputFailure !== undefined && code === EXIT.done) {
        const why = outputFailure.message;
        reportThrown(new ServeOptError('SO6001', 'The answer could not be written to stdout', { why }));
        process.exit(EXIT.failed);
      }
      return process.exit(code);
    },
  };
}

function written(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
