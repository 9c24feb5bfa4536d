/**
 * Entry of the thread that a command runs in; `runInThread` starts it. Whatever long loop the command is in, the main thread
 * hears signals, shows progress and can end it. Not imported by anything.
 */
import { Writable } from 'node:stream';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { fromErrorData, toErrorData } from '../error-data.js';
import { bug } from '../errors.js';
import { observeLeftovers } from '../leftovers.js';
import { findCommand } from './commands.js';
import type { CliContext } from './context.js';
import type { OutputStream } from './output-stream.js';
import { toServeOptError } from './render/error.js';
import type { Progress, ProgressOptions } from './render/progress.js';
import { runCommand } from './run-command.js';
import type { StreamFacts, StreamName, ThreadReply, ThreadRequest, ThreadStart } from './thread-messages.js';

/** Progress that only moves a bar is sent at most this often. */
const ADVANCE_INTERVAL_MS = 40;

/** After a signal it tells this often that it is about to end. */
const ENDING_INTERVAL_MS = 100;

type WriteDone = (error?: Error | null) => void;

/** The main thread's end of everything a command does with the process. */
class MainThread {
  readonly #port: MessagePort;
  readonly #writes = new Map<number, WriteDone>();
  readonly #abort = new AbortController();
  readonly #streams = new Map<StreamName, PortStream>();
  #nextId = 1;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (request: ThreadRequest) => this.#receive(request));
    // A command that waits for nothing any more has ended without an answer: this port alone must not hide that.
    port.unref();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  send(reply: ThreadReply): void {
    this.#port.postMessage(reply);
  }

  stream(name: StreamName, facts: StreamFacts): OutputStream {
    const stream = new PortStream(facts, (chunk, done) => this.#write(name, chunk, done));
    this.#streams.set(name, stream);
    return stream;
  }

  /** Progress is drawn by the main thread, so that it moves while a loop here does not let go. */
  progress(options: ProgressOptions): Progress {
    const { animated, stages, warnings, details } = options;
    this.send({
      kind: 'progress-begin',
      settings: { colour: options.style.enabled, animated, stages, warnings, details },
    });
    let sentMs = Number.NEGATIVE_INFINITY;
    return {
      handle: (event) => {
        if (event.kind === 'advance' || event.kind === 'fraction') {
          const nowMs = performance.now();
          if (nowMs - sentMs < ADVANCE_INTERVAL_MS) return;
          sentMs = nowMs;
        }
        this.send({ kind: 'progress', event });
      },
      stop: () => this.send({ kind: 'progress-end' }),
    };
  }

  /** Each write is answered: bytes wait for it, and its failure is that of the write. */
  #write(stream: StreamName, chunk: string | Uint8Array, done: WriteDone): void {
    const id = this.#nextId++;
    this.#writes.set(id, done);
    this.#port.ref();
    this.send({ kind: 'write', id, stream, chunk });
  }

  #receive(request: ThreadRequest): void {
    if (request.kind === 'abort') {
      this.#abort.abort(fromErrorData(request.reason));
      const tell = (): void => this.send({ kind: 'ending' });
      tell();
      setInterval(tell, ENDING_INTERVAL_MS).unref();
    } else if (request.kind === 'columns') this.#streams.get(request.stream)?.resize(request.columns);
    else {
      const done = this.#writes.get(request.id);
      this.#writes.delete(request.id);
      if (this.#writes.size === 0) this.#port.unref();
      const { failure } = request;
      done?.(failure && Object.assign(new Error(failure.message), { code: failure.code }));
    }
  }
}

/** A standard stream of the process, as seen from this thread. */
class PortStream extends Writable {
  readonly isTTY: boolean;
  columns: number | undefined;
  readonly #send: (chunk: string | Uint8Array, done: WriteDone) => void;

  constructor({ isTTY, columns }: StreamFacts, send: (chunk: string | Uint8Array, done: WriteDone) => void) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
    this.#send = send;
    // The main thread knows of it too, and decides what it means for the exit code.
    this.on('error', () => {});
  }

  resize(columns: number | undefined): void {
    this.columns = columns;
  }

  override _write(chunk: string | Uint8Array, _encoding: BufferEncoding, done: WriteDone): void {
    // Text goes out at once: what is written to both streams keeps its order. Bytes of a model wait for their reader.
    if (typeof chunk === 'string') {
      this.#send(chunk, () => {});
      done();
    } else this.#send(chunk, done);
  }
}

async function runHere(port: MessagePort, start: ThreadStart): Promise<void> {
  const main = new MainThread(port);
  observeLeftovers((change) => main.send({ kind: 'leftover', change }));
  const context: CliContext = {
    stdout: main.stream('stdout', start.stdout),
    stderr: main.stream('stderr', start.stderr),
    env: process.env,
    cwd: start.cwd,
    signal: main.signal,
    versions: start.versions,
    createProgress: (options) => main.progress(options),
  };
  try {
    const definition = findCommand(start.command);
    if (!definition) throw bug(`the thread was given the command "${start.command}"`);
    const exitCode = await runCommand(definition, start.words, context);
    main.send({ kind: 'done', exitCode });
  } catch (error) {
    main.send({ kind: 'failed', error: toErrorData(toServeOptError(error)) });
  }
}

if (parentPort) await runHere(parentPort, workerData as ThreadStart);
