import type { ServeOptError } from '../../errors.js';

/** Why something cannot be run. */
export class Failure {
  readonly reason: string;
  /** It ended the process, so it is not tried a second time. */
  readonly died: boolean;
  /** It needs more memory than is allowed, which is no fault of a rewrite. */
  readonly memory: ServeOptError | undefined;

  /** It was ended, since it took too long. */
  readonly timedOut: boolean;

  constructor(reason: string, died = false, memory?: ServeOptError, timedOut = false) {
    this.reason = reason;
    this.died = died;
    this.memory = memory;
    this.timedOut = timedOut;
  }
}

/** A session in the child process, for as long as that lives. */
export interface LoadedSession {
  readonly id: number;
  /** The process it is in, as `LazyRuntime.generation` counts them. */
  readonly generation: number;
}

/** That the original only runs without ONNX Runtime's optimizations, and what comes of that. */
export function optimizationsBreak(reason: string): string {
  return `The optimizations of ONNX Runtime break the original (${reason}): both models were compared with them off, and not timed.`;
}

/** That some inputs only run without ONNX Runtime's optimizations. */
export function someFail(failed: number, of: number, reason: string | undefined): string {
  return `With the optimizations of ONNX Runtime the original fails on ${failed} of ${of} inputs (${reason ?? 'no reason given'}): these were compared with them off.`;
}
