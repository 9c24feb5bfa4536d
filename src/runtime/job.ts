/** What a job of the child process can reach. Jobs are plain functions of this context, so each can be written apart. */
import type { SampleOpener } from '../samples/sample-reader.js';
import type { Feeds, HostTensor } from '../samples/types.js';
import type { KeptRuns } from './kept-runs.js';
import type { Reference } from './reference.js';
import type { TrialSamples } from './trial-samples.js';

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

/** What every job is given. */
export interface JobContext extends SampleOpener {
  /** A session that an earlier `load` made. @throws SO9001 for an unknown id. */
  session(id: number): ChildSession;
  /** Keeps what the original gave, for later jobs; the number it is known by. */
  keepReference(reference: Reference): number;
  /** @throws SO9001 for an unknown number. */
  reference(id: number): Reference;
  /** Keeps samples with what the original gave on them, for trials of candidates; the number they are known by. */
  keepTrialSamples(samples: TrialSamples): number;
  /** @throws SO9001 for an unknown number. */
  trialSamples(id: number): TrialSamples;
  /** Forgets kept samples. */
  dropTrialSamples(id: number): void;
  /** Keeps what steps start from; the number it is known by. */
  keepRuns(runs: KeptRuns): number;
  /** @throws SO9001 for an unknown number. */
  runs(id: number): KeptRuns;
  /** Forgets what was kept. */
  dropRuns(id: number): void;
}

/** One entry of the child's job table: parameters and result are structured-clonable plain data. */
export type Job<P, R> = (context: JobContext, params: P, progress: ReportProgress) => Promise<R> | R;
