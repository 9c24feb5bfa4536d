import { EVENT_CHARACTERS } from './limits.js';

/** The `data` of server-sent events (WHATWG HTML, 9.2.6), as bytes come in. */
export class EventStream {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #onData: (data: string) => void;
  #line = '';
  #data: string[] = [];
  /** Characters of `#data`. */
  #dataLength = 0;
  /** A line that ended in CR: an LF at the start of the next piece belongs to it. */
  #afterReturn = false;

  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  /** Characters and lines may be split anywhere. False when a line or an event is longer than `EVENT_CHARACTERS`. */
  push(bytes: Uint8Array): boolean {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return true;
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    // Only what is new is looked at: a line without end must not cost the square of its length.
    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    this.#line += first;
    for (const line of others) {
      this.#take(this.#line);
      this.#line = line;
    }
    return this.#line.length <= EVENT_CHARACTERS && this.#dataLength <= EVENT_CHARACTERS;
  }

  #take(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.#onData(this.#data.join('\n'));
      this.#data = [];
      this.#dataLength = 0;
    } else if (line.startsWith('data:')) {
      this.#data.push(line.charCodeAt(5) === 0x20 ? line.slice(6) : line.slice(5));
      // An empty line of data costs as much as a short one.
      this.#dataLength += line.length;
    }
  }
}
