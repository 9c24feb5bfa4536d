import type { Model } from '../../ir/model.js';
import type { StagedModel } from '../../ir/write-model.js';
import type { JudgedReport, ReportHeader, ReportModel } from '../../report/types.js';
import type { ProduceOptions } from '../options.js';
import type { ModelRun } from './model-run.js';

/** What every command reports that makes a model. */
export interface ProducedReport extends ReportHeader, JudgedReport {
  readonly command: 'quantize' | 'optimize' | 'prune';
  readonly input: ReportModel;
  readonly output: ReportModel;
}

/** A model that may become the result; it is written beside the target before it is checked. */
export interface CandidateModel {
  /** What is written; the model as it was read where nothing was done to it. */
  readonly model: Model;
}

/** What a check of a written candidate came to: it stands, or another one is to be written and checked in its place. */
export type CheckOutcome<Candidate, Verdict> = { readonly verdict: Verdict } | { readonly next: Candidate };

/** The candidate that stands, as a file beside the target. */
export interface Produced<Candidate, Verdict> {
  readonly candidate: Candidate;
  readonly verdict: Verdict;
  readonly staged: StagedModel;
}

/**
 * The parts of a command that makes a model from another, apart from what is the same for all of them (`produceModel`): files,
 * signals, progress of reading and writing, hashes, the ONNX Runtime process, dry runs and cleaning up.
 * Whatever a part throws ends the run without a trace.
 */
export interface ModelCommand<
  Options extends ProduceOptions,
  Report extends ProducedReport,
  Prepared,
  Candidate extends CandidateModel,
  Verdict,
> {
  readonly name: Report['command'];
  /** What helps where a budget of the outputs is missed; by default, layers kept in FP32. */
  readonly budgetHint?: string;
  /** Names a result that the caller gives no path: `int8` makes `model.int8.onnx`. */
  tag(options: Options): string;
  /** Files and folders of samples that are read: they are watched, and never written over. */
  samplePaths(options: Options): readonly string[];
  /** What the options alone tell, beyond the rules that all commands share. Nothing is read yet. */
  checkOptions?(options: Options): void;
  /** Refuses all that can be known to fail before any work is done, and gets ready what the other parts need. */
  prepare(run: ModelRun<Options>): Promise<Prepared>;
  /** The first candidate. */
  make(run: ModelRun<Options>, prepared: Prepared): Promise<Candidate>;
  /** Looks at a candidate that was written to `staged`. */
  check(
    run: ModelRun<Options>,
    prepared: Prepared,
    candidate: Candidate,
    staged: StagedModel,
  ): Promise<CheckOutcome<Candidate, Verdict>>;
  /** The report of what is handed over. */
  describe(run: ModelRun<Options>, prepared: Prepared, produced: Produced<Candidate, Verdict>): Promise<Report>;
}
