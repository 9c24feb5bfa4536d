import { basename } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { SampleSource } from '../../../samples/types.js';
import type { MemoryOptions, WorkflowContext } from '../../options.js';
import type { ReadingOptions } from '../../reading-options.js';
import type { Stages } from '../../stages.js';

/** Options of `verifyPackage`. */
export interface VerifyPackageOptions extends MemoryOptions, ReadingOptions {
  /** Program of Triton, to be started for the run. */
  readonly tritonServer?: string;
  /** Program of TorchServe. */
  readonly torchServe?: string;
  /** A running server instead, by protocol: `http://…`, and for Triton `grpc://…` beside it. */
  readonly urls?: readonly string[];
  /** Sent with every request to a running server, as `Name: value`. */
  readonly headers?: readonly string[];
  /** Folder or file of samples; default synthetic ones. */
  readonly dataPath?: string;
  /** Samples to send. Default 8. */
  readonly samples?: number;
  /** Seed of synthetic samples. */
  readonly seed?: number;
  /** For one response, in ms. */
  readonly timeoutMs?: number;
  /** For the start of a server with all its models, in ms. Default 5 minutes. */
  readonly startLimitMs?: number;
}

/** Defaults of `verifyPackage`. */
export const VERIFY_PACKAGE_DEFAULTS = {
  samples: 8,
  seed: 0,
  timeoutMs: 30_000,
  startLimitMs: 300_000,
} as const satisfies VerifyPackageOptions;

/** What the parts of a run share. */
export interface VerifyRun {
  /** As given. */
  readonly path: string;
  readonly options: VerifyPackageOptions;
  readonly context: WorkflowContext;
  readonly stages: Stages;
  readonly source: SampleSource;
}

/** Name of the samples for reports. */
export function sourceName(source: SampleSource): string {
  return source.kind === 'data' ? basename(source.path) : 'synthetic';
}

/** @param command what to run where there is no server, to copy */
export function noServer(name: string, why: string, command: string): ServeOptError {
  return new ServeOptError('SO5107', `There is no ${name} to load the package`, { why, hint: command });
}
