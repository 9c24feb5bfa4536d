import type { Failure } from './server-error.js';

/** Smaller pieces are copied together: a server that sends byte by byte would cost a hundred times its bytes. */
const KEPT_BYTES = 16 * 1024;
const BLOCK_BYTES = 64 * 1024;

/** What all responses in flight hold, over all connections to a server. */
export class ResponsePool {
  readonly maximumBytes: number;
  bytes = 0;

  constructor(maximumBytes: number) {
    this.maximumBytes = maximumBytes;
  }
}

/** The body of one response as it comes in, bounded by itself and by the pool. */
export class ResponseBuffer {
  readonly #pool: ResponsePool;
  readonly #maximumBytes: number;
  readonly #keptBytes: number;
  readonly #parts: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #used = 0;
  #held = 0;
  #byteLength = 0;

  /** @param keptBytes more than these are counted, but not kept */
  constructor(pool: ResponsePool, maximumBytes: number, keptBytes = Number.POSITIVE_INFINITY) {
    this.#pool = pool;
    this.#maximumBytes = maximumBytes;
    this.#keptBytes = keptBytes;
  }

  /** Gives the failure of a body whose declared length is too large. */
  expect(byteLength: number): Failure | undefined {
    return byteLength > this.#maximumBytes ? this.#tooLarge() : undefined;
  }

  #tooLarge(): Failure {
    return { failure: 'response too large', why: `it has more than ${this.#maximumBytes} bytes` };
  }

  /** Counts a piece that is not kept; gives the failure when that is too much. */
  count(byteLength: number): Failure | undefined {
    this.#byteLength += byteLength;
    return this.#byteLength > this.#maximumBytes ? this.#tooLarge() : undefined;
  }

  /** Takes in a piece; gives the failure when that is too much. */
  add(piece: Uint8Array): Failure | undefined {
    const failure = this.count(piece.byteLength);
    if (failure || this.#held >= this.#keptBytes) return failure;
    this.#held += piece.byteLength;
    this.#pool.bytes += piece.byteLength;
    if (this.#pool.bytes > this.#pool.maximumBytes) {
      return {
        failure: 'response too large',
        why: `the responses in flight hold more than ${this.#pool.maximumBytes} bytes together`,
      };
    }
    this.#store(piece);
    return undefined;
  }

  #store(piece: Uint8Array): void {
    if (piece.byteLength >= KEPT_BYTES) {
      this.#closeBlock();
      this.#parts.push(piece);
      return;
    }
    if (this.#block && this.#used + piece.byteLength > this.#block.byteLength) this.#closeBlock();
    if (!this.#block) {
      // A response that comes in one small piece, as most do, takes no block.
      if (this.#parts.length === 0 && this.#held === piece.byteLength) {
        this.#parts.push(piece);
        return;
      }
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    this.#block.set(piece, this.#used);
    this.#used += piece.byteLength;
  }

  #closeBlock(): void {
    if (this.#block) this.#parts.push(this.#block.subarray(0, this.#used));
    this.#block = undefined;
  }

  /** The whole body. Call `release` as well. */
  bytes(): Uint8Array {
    this.#closeBlock();
    return this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts);
  }

  /** Gives its share of the pool back. */
  release(): void {
    this.#pool.bytes -= this.#held;
    this.#held = 0;
    this.#parts.length = 0;
    this.#block = undefined;
  }
}
