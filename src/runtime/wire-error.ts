import { bug, ServeOptError, type ServeOptErrorDetails } from '../errors.js';
import type { WireError } from './protocol.js';

/** An error as plain data. Whatever is not a ServeOptError becomes SO9001 with its stack. */
export function toWireError(error: unknown): WireError {
  if (error instanceof ServeOptError) {
    return {
      code: error.code,
      message: error.message,
      location: error.location,
      ...(error.why === undefined ? {} : { why: error.why }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && error.stack ? { stack: error.stack } : {};
  return { ...toWireError(bug(message)), ...stack };
}

/** The error back from plain data; `cause` holds the child's stack of an unforeseen error. */
export function fromWireError(wire: WireError): ServeOptError {
  const details: { -readonly [K in keyof ServeOptErrorDetails]: ServeOptErrorDetails[K] } = {};
  if (wire.why !== undefined) details.why = wire.why;
  if (wire.hint !== undefined) details.hint = wire.hint;
  if (wire.location !== undefined) details.location = wire.location;
  if (wire.stack !== undefined) details.cause = new Error(wire.stack);
  return new ServeOptError(wire.code, wire.message, details);
}
