/** The open connections to a server, so that one signal can close them all. */
export class LiveConnections {
  readonly #open = new Set<() => void>();
  readonly #signal: AbortSignal | undefined;
  #closed = false;

  /** @param signal closes everything, and whatever is added later at once */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#closed = true;
    // One listener however many connections there are: Node warns of more than ten.
    else signal?.addEventListener('abort', this.close, { once: true });
  }

  add(close: () => void): void {
    this.#open.add(close);
    if (this.#closed) close();
  }

  delete(close: () => void): void {
    this.#open.delete(close);
  }

  /** Closes everything, and lets go of the signal. */
  readonly close = (): void => {
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.close);
    for (const close of this.#open) close();
  };
}
