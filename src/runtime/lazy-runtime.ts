import { type RuntimeHost, type RuntimeOptions, startRuntime } from './host.js';

/** ONNX Runtime in a process that starts when it is first asked for, and anew after it died. */
export class LazyRuntime {
  readonly #options: RuntimeOptions;
  #host: Promise<RuntimeHost> | undefined;
  #generation = 0;
  #started = false;

  constructor(options: RuntimeOptions = {}) {
    this.#options = options;
  }

  /** Whether a process was ever asked for. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether there is a process now. */
  get running(): boolean {
    return this.#host !== undefined;
  }

  /** Raised when a process is ended: sessions belong to the process of their generation. */
  get generation(): number {
    return this.#generation;
  }

  /** The process; starts it where there is none. @throws SO5003 when it cannot start, SO8130 when aborted */
  host(): Promise<RuntimeHost> {
    if (!this.#host) {
      this.#started = true;
      this.#host = startRuntime(this.#options);
      // Whoever awaits it is told of a failure; it is not one that nobody handles before that.
      this.#host.catch(() => {});
    }
    return this.#host;
  }

  /** Starts the process and has it load its library, beside whatever else is done until it is needed. */
  warmUp(): void {
    this.host()
      .then((host) => host.request('versions', undefined))
      .catch(() => {});
  }

  /** Ends the process, with its sessions; the next `host()` starts another one. Safe when there is none. */
  async close(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#host = undefined;
    this.#generation++;
    await host.then(
      (started) => started.close(),
      () => {}, // It never started, which whoever needed it has been told.
    );
  }
}
