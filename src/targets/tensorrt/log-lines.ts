/** Bytes as lines, with bounded memory: logs may be of any size, without line ends, or not text at all. */

/** The longest line that is kept; the rest of a longer one is dropped. */
export const MAX_LINE_LENGTH = 16_384;

/** Cuts a stream of bytes into lines. Bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder('utf-8', { fatal: false });
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    this.#add(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The last line may have no end. */
  end(): void {
    this.#add(this.#decoder.decode());
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }

  #add(text: string): void {
    let start = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
      this.#keep(text.slice(start, at));
      const line = this.#rest.endsWith('\r') ? this.#rest.slice(0, -1) : this.#rest;
      this.#rest = '';
      this.#onLine(line);
      start = at + 1;
    }
    this.#keep(text.slice(start));
  }

  #keep(part: string): void {
    const room = MAX_LINE_LENGTH - this.#rest.length;
    if (room > 0) this.#rest += part.slice(0, room);
  }
}
