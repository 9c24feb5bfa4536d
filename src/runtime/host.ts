import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromErrorData } from '../error-data.js';
import { bug, ServeOptError } from '../errors.js';
import { holdLeftover, releaseLeftover } from '../leftovers.js';
import type { DataReading } from '../samples/data-reading.js';
import type { JobProgress } from './job.js';
import { asMemoryError, launchUnderLimit } from './memory-limit.js';
import { lastNativeLines } from './native-text.js';
import type { JobName, JobParams, JobResult, ReplyMessage, RequestMessage } from './protocol.js';

export interface RuntimeOptions {
  /** Aborting it kills the child at once; everything under way is rejected with SO8130. */
  readonly signal?: AbortSignal;
  /** Cap of the child's JavaScript heap in MiB (tensors are outside of it); default Node's own. */
  readonly maxOldSpaceMb?: number;
  /** Most memory that the child may take, in bytes; meeting it is SO2105. No limit when absent. */
  readonly memoryBytes?: number;
  /** Threads that sessions will have, if more than the machine has: their stacks are allowed beside the memory. */
  readonly threads?: number;
  /** How the child reads files of samples. */
  readonly reading?: DataReading;
}

export interface RequestOptions {
  readonly onProgress?: (progress: JobProgress) => void;
  /** Aborting it kills the child, since a run cannot be stopped otherwise: the host is of no use afterwards. */
  readonly signal?: AbortSignal;
}

/** ONNX Runtime in a process of its own. */
export interface RuntimeHost {
  /** Process id of the child; for messages and tests. */
  readonly childPid: number;
  /**
   * Runs a job in the child; requests are answered one after the other.
   * @throws the job's own error, SO5003 when the child dies, SO8130 when aborted.
   */
  request<J extends JobName>(job: J, params: JobParams<J>, options?: RequestOptions): Promise<JobResult<J>>;
  /** What the child and ONNX Runtime wrote last, cleaned, one line; undefined when they were silent. */
  lastOutput(): string | undefined;
  /** Ends the child and waits for it. May be called more than once. */
  close(): Promise<void>;
}

/** How much of the child's output is kept for error messages, in characters. */
const OUTPUT_KEPT = 64 * 1024;
/** How long the child may take to end by itself before it is killed. */
const CLOSE_GRACE_MS = 300;
/** How long to wait for its output after it ended: another process may hold the pipe open. */
const DRAIN_LIMIT_MS = 200;
/** How long to wait for the end of a process that was killed: one that waits for a broken disk does not end at all. */
const KILLED_LIMIT_MS = 5000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ServeOptError) => void;
  readonly onProgress: ((progress: JobProgress) => void) | undefined;
}

/**
 * Starts the child process. An idle child does not keep the caller's process alive, and it ends when the caller does.
 * @throws SO5003 when the child cannot start, SO8130 when aborted.
 */
export async function startRuntime(options: RuntimeOptions = {}): Promise<RuntimeHost> {
  if (options.signal?.aborted) throw interrupted();
  const host = new ForkedRuntime(options);
  await host.ready;
  return host;
}

const interrupted = (): ServeOptError => new ServeOptError('SO8130', 'Interrupted');

function childEntry(): string {
  try {
    return createRequire(import.meta.url).resolve('#runtime-child');
  } catch (error) {
    throw bug('the ONNX Runtime child process has not been built (npm run build)', error);
  }
}

class ForkedRuntime implements RuntimeHost {
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #memoryBytes: number | undefined;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  readonly #detachSignal: () => void;
  #nextId = 1;
  #output = '';
  /** Why nothing can be asked any more. */
  #ended: ServeOptError | undefined;
  #closing = false;
  #gone = false;

  constructor(options: RuntimeOptions) {
    const execArgv = options.maxOldSpaceMb === undefined ? [] : [`--max-old-space-size=${options.maxOldSpaceMb}`];
    this.#memoryBytes = options.memoryBytes;
    const launch = launchUnderLimit(execArgv, options.memoryBytes, options.threads);
    this.#child = fork(childEntry(), [String(options.memoryBytes ?? ''), JSON.stringify(options.reading ?? {})], {
      execPath: launch.execPath,
      execArgv: [...launch.execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
      });
    }
    if (this.#child.pid !== undefined) holdLeftover({ kind: 'process', pid: this.#child.pid });
    this.#exited = this.#watchExit();
    this.ready = new Promise((resolve, reject) => {
      this.#pending.set(0, { resolve: () => resolve(), reject, onProgress: undefined });
    });
    this.#child.on('message', (message: ReplyMessage) => this.#receive(message));
    this.#detachSignal = this.#killOn(options.signal);
  }

  get childPid(): number {
    return this.#child.pid ?? 0;
  }

  lastOutput(): string | undefined {
    return lastNativeLines(this.#output, 3);
  }

  async request<J extends JobName>(job: J, params: JobParams<J>, options: RequestOptions = {}): Promise<JobResult<J>> {
    if (options.signal?.aborted) throw interrupted();
    if (this.#ended) throw this.#ended;
    const id = this.#nextId++;
    const detach = this.#killOn(options.signal);
    try {
      const reply = new Promise<unknown>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress: options.onProgress });
      });
      this.#holdEventLoop();
      const message: RequestMessage = { id, job, params };
      // An error here means that the channel is gone; the child's death is then on its way and says more.
      this.#child.send(message, () => {});
      // The child's table is typed by the same JobTypes.
      return (await reply) as JobResult<J>;
    } finally {
      detach();
      this.#pending.delete(id);
      this.#holdEventLoop();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#fail(bug('the ONNX Runtime process was closed'));
    this.#holdEventLoop();
    if (this.#child.connected) this.#child.disconnect();
    const ended = new AbortController();
    const { signal } = ended;
    // These timers hold the event loop, whatever becomes of the handles of the child.
    await Promise.race([this.#exited, this.#killAfterGrace(signal)]);
    ended.abort();
    this.#gone = true;
    this.#holdEventLoop();
  }

  async #killAfterGrace(signal: AbortSignal): Promise<void> {
    try {
      await sleep(CLOSE_GRACE_MS, undefined, { signal });
      this.#child.kill('SIGKILL');
      await sleep(KILLED_LIMIT_MS, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Resolves when the child is gone and its last words are read; they belong into the error. */
  #watchExit(): Promise<void> {
    const child = this.#child;
    // The child's own 'close' event does not come after `disconnect()`, so the streams are waited for one by one.
    const drained = [child.stdout, child.stderr].map(
      (stream) => new Promise<void>((resolve) => (stream ? stream.once('close', resolve) : resolve())),
    );
    return new Promise((resolve) => {
      child.once('exit', async (code, signal) => {
        if (child.pid !== undefined) releaseLeftover({ kind: 'process', pid: child.pid });
        const read = new AbortController();
        const limit = sleep(DRAIN_LIMIT_MS, undefined, { signal: read.signal }).catch(() => {});
        await Promise.race([Promise.all(drained), limit]);
        read.abort();
        this.#fail(deathError(code, signal, this.lastOutput(), this.#memoryBytes));
        this.#gone = true;
        this.#holdEventLoop();
        resolve();
      });
      child.once('error', (error) => {
        const message = `The ONNX Runtime process cannot start: ${error.message}`;
        this.#fail(new ServeOptError('SO5003', message, { cause: error }));
        resolve();
      });
    });
  }

  #receive(message: ReplyMessage): void {
    if (message.kind === 'ready') {
      this.#settle(0, (pending) => pending.resolve(undefined));
      this.#holdEventLoop();
    } else if (message.kind === 'progress') {
      this.#pending.get(message.id)?.onProgress?.(message.progress);
    } else if (message.kind === 'result') {
      this.#settle(message.id, (pending) => pending.resolve(message.result));
    } else {
      this.#settle(message.id, (pending) =>
        pending.reject(asMemoryError(fromErrorData(message.error), this.#memoryBytes)),
      );
    }
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  /** The first reason counts: a kill that we ordered is not reported as a death. */
  #fail(error: ServeOptError): void {
    this.#ended ??= error;
    this.#detachSignal?.();
    for (const id of [...this.#pending.keys()]) {
      const reason = this.#ended;
      this.#settle(id, (pending) => pending.reject(reason));
    }
  }

  /** Kills the child when `signal` is aborted; gives a function that stops listening. */
  #killOn(signal: AbortSignal | undefined): () => void {
    if (!signal) return () => {};
    const abort = (): void => {
      if (this.#closing) return;
      this.#child.kill('SIGKILL');
      this.#fail(interrupted());
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  }

  /** While something is awaited of it, an answer or its end, the child keeps the event loop alive; idle, it does not. */
  #holdEventLoop(): void {
    const busy = this.#pending.size > 0 || (this.#closing && !this.#gone);
    const streams = [this.#child.stdout, this.#child.stderr] as (RefCounted | null)[];
    for (const handle of [this.#child, this.#child.channel, ...streams]) {
      if (busy) handle?.ref();
      else handle?.unref();
    }
  }
}

/** Pipes of a child process are sockets, which the types do not say. */
interface RefCounted {
  ref(): void;
  unref(): void;
}

function deathError(
  code: number | null,
  signal: NodeJS.Signals | null,
  output: string | undefined,
  memoryBytes: number | undefined,
): ServeOptError {
  const how = signal ? `by signal ${signal}` : `with exit code ${code}`;
  const why =
    output ?? (signal === 'SIGKILL' ? 'It was killed from outside; often the system had no memory left' : undefined);
  const details = why === undefined ? {} : { why };
  return asMemoryError(new ServeOptError('SO5003', `The ONNX Runtime process ended ${how}`, details), memoryBytes);
}
