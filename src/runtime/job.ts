/** What a job of the child process can reach. Jobs are plain functions of this context, so each can be written apart. */
import type { Reference } from '../evaluate/verify-job.js';
import type { Feeds, HostTensor, SampleSource, ValueSpec } from './types.js';

/** How far a job has come; `total` is 0 when it is not known. */
export interface JobProgress {
  readonly done: number;
  readonly total: number;
  /** What is counted, where a job has several parts, for example `warm-up`. */
  readonly stage?: string;
}

/** Called as often as the job likes: the child sends at most a few messages a second. */
export type ReportProgress = (progress: JobProgress) => void;

/** An ONNX Runtime session that lives in the child. */
export interface ChildSession {
  readonly inputNames: readonly string[];
  /** Outputs that can be fetched: sequences, maps and int4 tensors are left out. */
  readonly outputNames: readonly string[];
  /**
   * Runs the model and blocks the event loop meanwhile (ONNX Runtime for Node has no asynchronous run).
   * `fetches` limits which outputs are computed and returned.
   * @throws SO4002 for a missing or unknown input, SO5002 when ONNX Runtime fails.
   */
  run(feeds: Feeds, fetches?: readonly string[]): Promise<Map<string, HostTensor>>;
  /** Converts and checks the feeds once, so that calling the result times little but the run itself. Errors as `run`. */
  prepare(feeds: Feeds, fetches?: readonly string[]): () => Promise<unknown>;
}

/** Samples of a data set or of a seed, read in order or by range. */
export interface SampleReader {
  /** Number of samples. */
  readonly count: number;
  /** Labels of all samples, the first dimension being `count`; undefined where the data has none. */
  readonly labels: HostTensor | undefined;
  /** True when samples have equal shapes and `read` may be asked for more than one at a time. */
  readonly batchable: boolean;
  /**
   * Samples that every run takes, where the model has a fixed batch size of more than one. `read` then gives so many whatever
   * is asked for: what is missing is the last one again, and callers cut it off the outputs.
   */
  readonly block?: number;
  /** What was left out of the data or guessed, one sentence each. */
  readonly warnings?: readonly string[];
  /** Names in the data that are neither an input nor labels. */
  readonly unused?: readonly string[];
  /**
   * Samples `start` to `start + count - 1` stacked along the first dimension of each input. `count` is 1 unless `batchable`, and
   * at most `block` where that is given.
   */
  read(start: number, count: number): Promise<Feeds> | Feeds;
  /** Frees files and buffers; absent when there is nothing to free. */
  close?(): Promise<void> | void;
}

/** What every job is given. */
export interface JobContext {
  /** A session that an earlier `load` made. @throws SO9001 for an unknown id. */
  session(id: number): ChildSession;
  /** Opens a source; `inputs` are the model's, and the reader gives a tensor for each. The caller closes it. */
  openSamples(source: SampleSource, inputs: readonly ValueSpec[]): Promise<SampleReader>;
  /** Keeps what the original gave, for later jobs; the number it is known by. */
  keepReference(reference: Reference): number;
  /** @throws SO9001 for an unknown number. */
  reference(id: number): Reference;
}

/** One entry of the child's job table: parameters and result are structured-clonable plain data. */
export type Job<P, R> = (context: JobContext, params: P, progress: ReportProgress) => Promise<R> | R;
