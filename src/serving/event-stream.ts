/** The `data` of server-sent events (WHATWG HTML, 9.2.6), as bytes come in. */
export class EventStream {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #onData: (data: string) => void;
  #line = '';
  #data: string[] = [];
  /** A line that ended in CR: an LF at the start of the next piece belongs to it. */
  #afterReturn = false;

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  /** Characters and lines may be split anywhere. */
  push(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return;
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    // Only what is new is looked at: a line without end must not cost the square of its length.
    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    this.#line += first;
    for (const line of others) {
      this.#take(this.#line);
      this.#line = line;
    }
  }

  #take(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.#onData(this.#data.join('\n'));
      this.#data = [];
    } else if (line.startsWith('data:')) {
      this.#data.push(line.charCodeAt(5) === 0x20 ? line.slice(6) : line.slice(5));
    }
  }
}
