/** The errors that are thrown on purpose. Their codes are in `error-table.ts`. */
import { ERROR_TABLE, type ErrorCode, type ErrorRow } from './error-table.js';
import type { ExitCode } from './exit-codes.js';

export { ERROR_TABLE, type ErrorCode } from './error-table.js';
export { EXIT, type ExitCode } from './exit-codes.js';

/** Where in the input an error was found; every field is optional. */
export interface ErrorLocation {
  readonly file?: string;
  readonly byteOffset?: number;
  readonly graph?: string;
  readonly node?: string;
  readonly value?: string;
}

export interface ServeOptErrorDetails {
  /** Why it matters or how it came about, one sentence. */
  readonly why?: string;
  /** What to do about it, best as a command to copy. Replaces the default hint of the code. */
  readonly hint?: string;
  readonly location?: ErrorLocation;
  readonly cause?: unknown;
}

/** Messages quote names that a file is free to make a megabyte long. */
const MAX_MESSAGE_LENGTH = 1000;

/** Keeps the beginning and the end, where places in the file are told. */
function shorten(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  return `${message.slice(0, MAX_MESSAGE_LENGTH - 200)} … ${message.slice(-150)}`;
}

/** The only error class thrown on purpose. `message` says what is wrong, `why` and `hint` the rest. */
export class ServeOptError extends Error {
  override readonly name = 'ServeOptError';
  readonly code: ErrorCode;
  readonly why: string | undefined;
  /** What to do about it: that of the message, or else of the code. */
  readonly hint: string;
  readonly location: ErrorLocation;

  constructor(code: ErrorCode, message: string, details: ServeOptErrorDetails = {}) {
    super(shorten(message), details.cause === undefined ? undefined : { cause: details.cause });
    const row: ErrorRow = ERROR_TABLE[code];
    this.code = code;
    this.why = details.why;
    this.hint = details.hint ?? row.hint;
    this.location = details.location ?? {};
  }

  get exitCode(): ExitCode {
    return ERROR_TABLE[this.code].exitCode;
  }

  /** Whether the hint is the default one of the code, which knows nothing of the case. */
  get hasDefaultHint(): boolean {
    return this.hint === ERROR_TABLE[this.code].hint;
  }

  /** The same error with more of its location known, for callers further out. */
  at(location: ErrorLocation): ServeOptError {
    const details: { -readonly [K in keyof ServeOptErrorDetails]: ServeOptErrorDetails[K] } = {
      location: { ...location, ...this.location },
      cause: this.cause,
    };
    if (this.why !== undefined) details.why = this.why;
    details.hint = this.hint;
    return new ServeOptError(this.code, this.message, details);
  }
}

/** An internal rule was broken: never the user's fault. */
export function bug(message: string, cause?: unknown): ServeOptError {
  return new ServeOptError('SO9001', message, { cause });
}
