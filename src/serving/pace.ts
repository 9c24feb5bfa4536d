import { ServeOptError } from '../errors.js';

/** A loop runs for so long before it gives way. */
const SLICE_MS = 20;

export interface PaceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Time left, in ms. */
  readonly remainingMs?: (() => number) | undefined;
}

/** Lets long loops give way to signals, timers and the end of the time. */
export class Pace {
  readonly #options: PaceOptions;
  #since = performance.now();

  constructor(options: PaceOptions = {}) {
    this.#options = options;
  }

  /**
   * To be awaited every few thousand steps: undefined while there is nothing to wait for.
   * @throws SO8130 after a signal, SO5105 when the time is over
   */
  rest(): Promise<void> | undefined {
    if (performance.now() - this.#since < SLICE_MS) return undefined;
    return this.#rest();
  }

  async #rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const { signal, remainingMs } = this.#options;
    if (signal?.aborted) throw signal.reason instanceof ServeOptError ? signal.reason : interrupted();
    if (remainingMs && remainingMs() <= 0) throw outOfTime('the inputs of the requests were not ready by then');
    this.#since = performance.now();
  }
}

function interrupted(): ServeOptError {
  return new ServeOptError('SO8130', 'Interrupted');
}

/** SO5105: `--max-time` ended the run before anything was measured. */
export function outOfTime(why: string): ServeOptError {
  return new ServeOptError('SO5105', 'Nothing was measured before --max-time ended', { why });
}
