/** The open connections to a server, so that one signal can close them all. */
export class LiveConnections {
  readonly #open = new Set<() => void>();
  #closed = false;

  /** @param signal closes everything, and whatever is added later at once */
  constructor(signal: AbortSignal | undefined) {
    if (signal?.aborted) this.#closed = true;
    // One listener however many connections there are: Node warns of more than ten.
    else signal?.addEventListener('abort', () => this.#closeAll(), { once: true });
  }

  add(close: () => void): void {
    this.#open.add(close);
    if (this.#closed) close();
  }

  delete(close: () => void): void {
    this.#open.delete(close);
  }

  #closeAll(): void {
    this.#closed = true;
    for (const close of this.#open) close();
  }
}
