import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { Failure } from './failure.js';

interface Remembered {
  readonly answer: unknown;
  readonly generation: number;
}

/** Answers that hold as long as the child process lives; failures hold for good: what ended a process once is not asked again. */
export class OnceAProcess {
  readonly #runtime: LazyRuntime;
  readonly #remembered: Map<string, Remembered> = new Map();

  constructor(runtime: LazyRuntime) {
    this.#runtime = runtime;
  }

  /** What is known, or else what `ask` gives. */
  async remember<T>(key: string, ask: () => Promise<T | Failure>): Promise<T | Failure> {
    const known = this.#remembered.get(key);
    const holds = known?.answer instanceof Failure || known?.generation === this.#runtime.generation;
    if (known && holds) return known.answer as T | Failure;
    const answer = await ask();
    this.#remembered.set(key, { answer, generation: this.#runtime.generation });
    return answer;
  }

  /** What is known, be it of a process that is gone; undefined where nothing was asked. */
  peek(key: string): unknown {
    return this.#remembered.get(key)?.answer;
  }

  /** Asks anew next time. */
  forget(key: string): void {
    this.#remembered.delete(key);
  }
}
