/** What the thread of a command and the main thread say to each other: plain data, in order. */
import type { ErrorData } from '../error-data.js';
import type { ExitCode } from '../errors.js';
import type { LeftoverChange } from '../leftovers.js';
import type { ProgressEvent } from '../workflows/options.js';
import type { Versions } from './context.js';

/** What the thread is started with. */
export interface ThreadStart {
  /** Name of the command. */
  readonly command: string;
  /** The words after it. */
  readonly words: readonly string[];
  readonly cwd: string;
  readonly versions: Versions;
  readonly stdout: StreamFacts;
  readonly stderr: StreamFacts;
}

export interface StreamFacts {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
}

export type StreamName = 'stdout' | 'stderr';

/** How progress is to be shown: `ProgressOptions` as data. */
export interface ProgressSettings {
  readonly colour: boolean;
  readonly animated: boolean;
  readonly stages: boolean;
  readonly warnings: boolean;
  readonly details: boolean;
}

/** Main thread to the command. */
export type ThreadRequest =
  | { readonly kind: 'abort'; readonly reason: ErrorData }
  | { readonly kind: 'columns'; readonly stream: StreamName; readonly columns: number | undefined }
  | { readonly kind: 'written'; readonly id: number; readonly failure?: WriteFailure };

/** Why a write failed. */
export interface WriteFailure {
  readonly message: string;
  readonly code: string | undefined;
}

/** The command to the main thread. */
export type ThreadReply =
  | { readonly kind: 'write'; readonly id: number; readonly stream: StreamName; readonly chunk: string | Uint8Array }
  | { readonly kind: 'progress-begin'; readonly settings: ProgressSettings }
  | { readonly kind: 'progress'; readonly event: ProgressEvent }
  | { readonly kind: 'progress-end' }
  /** After a signal, again and again: it is cleaning up and reports what it has. */
  | { readonly kind: 'ending' }
  | { readonly kind: 'leftover'; readonly change: LeftoverChange }
  | { readonly kind: 'done'; readonly exitCode: ExitCode }
  | { readonly kind: 'failed'; readonly error: ErrorData };
