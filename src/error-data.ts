import { bug, type ErrorCode, type ErrorLocation, ServeOptError, type ServeOptErrorDetails } from './errors.js';

/** A ServeOptError on its way between processes or threads: plain data. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly why?: string;
  readonly hint?: string;
  readonly location?: ErrorLocation;
  /** Its stack and those of its causes, for `--debug`. */
  readonly stack?: string;
}

/** An error as plain data. Whatever is not a ServeOptError becomes SO9001. */
export function toErrorData(error: unknown): ErrorData {
  if (!(error instanceof ServeOptError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...toErrorData(bug(message)), stack: stackText(error) };
  }
  return {
    code: error.code,
    message: error.message,
    location: error.location,
    ...(error.why === undefined ? {} : { why: error.why }),
    hint: error.hint,
    stack: stackText(error),
  };
}

/** The error back from plain data; its cause has the stack of where it came from. */
export function fromErrorData(data: ErrorData): ServeOptError {
  const details: { -readonly [K in keyof ServeOptErrorDetails]: ServeOptErrorDetails[K] } = {};
  if (data.why !== undefined) details.why = data.why;
  if (data.hint !== undefined) details.hint = data.hint;
  if (data.location !== undefined) details.location = data.location;
  if (data.stack !== undefined) {
    const origin = new Error(data.message);
    origin.stack = data.stack;
    details.cause = origin;
  }
  return new ServeOptError(data.code, data.message, details);
}

/** Causes may go round in circles. */
const MOST_CAUSES = 8;

/** The stack with the stacks of its causes, the innermost last. */
export function stackText(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; current instanceof Error && depth < MOST_CAUSES; depth++) {
    parts.push(`${depth === 0 ? '' : 'caused by '}${current.stack ?? current.message}`);
    current = current.cause;
  }
  return parts.length === 0 ? String(error) : parts.join('\n');
}
