import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorData, fromErrorData } from '../../error-data.js';
import { bug, ServeOptError } from '../../errors.js';
import { type RowTask, type RowTaskResult, rowsWork } from './rows-work.js';

/** What a thread sends. */
export type RowReply =
  | { readonly kind: 'rows'; readonly rows: number }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: ErrorData };

/** Work on fewer scores than this is done in place: starting threads would take longer. */
const THREADS_FROM_SCORES = 4_000_000;
const MOST_THREADS = 8;
/** A thread makes much short-lived garbage and keeps next to nothing of it. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 4 } as const;

export interface RowThreadsOptions {
  /** Scores of one model, which decides whether threads pay. */
  readonly scores: number;
  readonly signal?: AbortSignal | undefined;
}

/** Threads among which work on rows is split; in place where there is little of it. */
export class RowThreads {
  readonly #workers: Worker[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly count: number;

  constructor({ scores, signal }: RowThreadsOptions) {
    this.#signal = signal;
    this.count = scores < THREADS_FROM_SCORES ? 1 : Math.min(MOST_THREADS, availableParallelism());
  }

  /** Does tasks, one for each thread, at the same time. @throws what a task throws, SO8130 when aborted */
  async run<T extends RowTask>(
    tasks: readonly T[],
    progress: (rows: number) => void = () => {},
  ): Promise<RowTaskResult<T>[]> {
    if (this.#signal?.aborted) throw interrupted();
    if (this.count === 1) return tasks.map((task) => rowsWork(task, progress) as RowTaskResult<T>);
    while (this.#workers.length < tasks.length) this.#workers.push(this.#start());
    return Promise.all(tasks.map((task, i) => this.#runOn(this.#workers[i] as Worker, task, progress)));
  }

  /** Ranges of rows, one for each thread. */
  split(rows: number): readonly (readonly [from: number, to: number])[] {
    const parts = Math.max(1, Math.min(this.count, rows));
    return Array.from({ length: parts }, (_, i) => [
      Math.floor((rows * i) / parts),
      Math.floor((rows * (i + 1)) / parts),
    ]);
  }

  /** Ends the threads; safe to call again. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()));
  }

  #start(): Worker {
    const worker = new Worker(createRequire(import.meta.url).resolve('#rows-worker'), {
      resourceLimits: THREAD_LIMITS,
    });
    worker.unref();
    return worker;
  }

  #runOn<T extends RowTask>(worker: Worker, task: T, progress: (rows: number) => void): Promise<RowTaskResult<T>> {
    return new Promise((resolve, reject) => {
      worker.ref();
      const settle = (act: () => void): void => {
        for (const [event, listener] of listeners) worker.off(event, listener);
        worker.unref();
        this.#signal?.removeEventListener('abort', stop);
        act();
      };
      const stop = (): void => settle(() => reject(interrupted()));
      const failed = (why: string) => (cause?: unknown) =>
        settle(() => reject(bug(`a thread that evaluates rows ${why}`, cause)));
      const receive = (reply: RowReply): void => {
        if (reply.kind === 'rows') progress(reply.rows);
        // The thread answers with the result of the task that it was given.
        else if (reply.kind === 'result') settle(() => resolve(reply.result as RowTaskResult<T>));
        else settle(() => reject(fromErrorData(reply.error)));
      };
      const listeners = [
        ['message', receive],
        ['error', failed('failed')],
        ['exit', failed('ended without a result')],
      ] as const;
      for (const [event, listener] of listeners) worker.on(event, listener);
      this.#signal?.addEventListener('abort', stop, { once: true });
      worker.postMessage(task);
    });
  }
}

const interrupted = (): ServeOptError => new ServeOptError('SO8130', 'Interrupted');
