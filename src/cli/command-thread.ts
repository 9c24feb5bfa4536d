import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { sweepTemporaryFolders, TEMPORARY_STEM } from '../codec/temporary-folder.js';
import { fromErrorData, toErrorData } from '../error-data.js';
import { bug, type ExitCode, ServeOptError } from '../errors.js';
import { holdLeftover, releaseLeftover } from '../leftovers.js';
import type { CommandDefinition } from './commands.js';
import type { CliContext } from './context.js';
import { toServeOptError } from './render/error.js';
import { createProgress, type Progress } from './render/progress.js';
import { createStyle } from './render/style.js';
import type { StreamFacts, StreamName, ThreadReply, ThreadRequest, ThreadStart } from './thread-messages.js';

/** A command that says nothing for so long after a signal is in a loop, and is ended where it stands. */
const GRACE_MS = 700;
/** One that cleans up and writes reports of what it has is given more, as on a busy machine. */
const MOST_GRACE_MS = 5000;
/** A thread in the middle of a system call ends only after it. */
const TERMINATE_LIMIT_MS = 300;

/**
 * Runs one command in a thread of its own and shows what it does. This thread stays free: it hears signals within moments,
 * whatever loop the command is in, and ends it after a grace.
 * @throws the command's own error; SO2001 without a working directory; SO8130 or SO8143 after a signal; SO9001 when the thread ends without an answer
 */
export async function runInThread(
  definition: CommandDefinition,
  words: readonly string[],
  context: CliContext,
): Promise<ExitCode> {
  if (context.cwd === '') {
    throw new ServeOptError('SO2001', 'The working directory does not exist any more', {
      why: 'it was removed or replaced after this shell entered it',
      hint: 'cd to a folder that exists, and run again',
    });
  }
  const thread = new CommandThread(definition, words, context);
  // What runs that were killed have left: this thread has nothing else to do meanwhile.
  sweepTemporaryFolders(tmpdir(), TEMPORARY_STEM);
  try {
    return await thread.result;
  } finally {
    await thread.end();
  }
}

class CommandThread {
  readonly result: Promise<ExitCode>;
  readonly #context: CliContext;
  readonly #worker: Worker;
  #progress: Progress | undefined;
  #grace: NodeJS.Timeout | undefined;
  readonly #undo: (() => void)[] = [];

  constructor(definition: CommandDefinition, words: readonly string[], context: CliContext) {
    this.#context = context;
    const start: ThreadStart = {
      command: definition.name,
      words,
      cwd: context.cwd,
      versions: context.versions,
      stdout: factsOf(context, 'stdout'),
      stderr: factsOf(context, 'stderr'),
    };
    const entry = createRequire(import.meta.url).resolve('#command-worker');
    // A thread's heap is smaller than a program's unless it is told otherwise. What was loaded before the program is for it alone.
    const maxOldGenerationSizeMb = Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20);
    this.#worker = new Worker(entry, { workerData: start, execArgv: [], resourceLimits: { maxOldGenerationSizeMb } });
    this.result = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: ThreadReply) => {
        if (reply.kind === 'done') resolve(reply.exitCode);
        else if (reply.kind === 'failed') reject(fromErrorData(reply.error));
        else this.#show(reply);
      });
      this.#worker.once('error', (error) => reject(threadError(error)));
      this.#worker.once('exit', () => reject(bug('the command ended without a result')));
      this.#endOnSignal(reject);
    });
    for (const name of ['stdout', 'stderr'] as const) this.#followColumns(name);
  }

  /** Ends the thread, if it still is, and what is shown of it. */
  async end(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    this.#progress?.stop();
    this.#progress = undefined;
    await Promise.race([this.#worker.terminate(), sleep(TERMINATE_LIMIT_MS)]);
  }

  #endOnSignal(reject: (reason: unknown) => void): void {
    const { signal } = this.#context;
    const abort = (): void => {
      this.#request({ kind: 'abort', reason: toErrorData(signal.reason) });
      const end = (): void => reject(signal.reason);
      this.#grace = setTimeout(end, GRACE_MS);
      const most = setTimeout(end, MOST_GRACE_MS);
      this.#undo.push(
        () => clearTimeout(this.#grace),
        () => clearTimeout(most),
      );
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    this.#undo.push(() => signal.removeEventListener('abort', abort));
  }

  #followColumns(name: StreamName): void {
    const stream = this.#context[name];
    const resized = (): void => this.#request({ kind: 'columns', stream: name, columns: stream.columns });
    stream.on('resize', resized);
    this.#undo.push(() => stream.removeListener('resize', resized));
  }

  #show(reply: ThreadReply): void {
    switch (reply.kind) {
      case 'write':
        this.#context[reply.stream].write(reply.chunk, (error) => this.#written(reply.id, error));
        return;
      case 'progress-begin': {
        const { colour, ...settings } = reply.settings;
        this.#progress = createProgress({ stream: this.#context.stderr, style: createStyle(colour), ...settings });
        return;
      }
      case 'progress':
        this.#progress?.handle(reply.event);
        return;
      case 'progress-end':
        this.#progress?.stop();
        return;
      case 'ending':
        this.#grace?.refresh();
        return;
      case 'leftover':
        if (reply.change.held) holdLeftover(reply.change.leftover);
        else releaseLeftover(reply.change.leftover);
    }
  }

  #written(id: number, error: NodeJS.ErrnoException | null | undefined): void {
    const failure = error == null ? undefined : { message: error.message, code: error.code };
    this.#request({ kind: 'written', id, ...(failure && { failure }) });
  }

  #request(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }
}

function factsOf(context: CliContext, name: StreamName): StreamFacts {
  const stream = context[name];
  return { isTTY: stream.isTTY === true, columns: stream.columns };
}

/** Why a thread died. */
function threadError(error: unknown): ServeOptError {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return toServeOptError(error);
  const limitMb = Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20);
  return new ServeOptError('SO2104', `The graph of this model needs more than the ${limitMb} MB that Node.js allows`, {
    hint: `NODE_OPTIONS=--max-old-space-size=${limitMb * 2} serve-opt … allows twice as much`,
    cause: error,
  });
}
