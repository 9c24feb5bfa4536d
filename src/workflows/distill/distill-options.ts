import type { Convention } from '../../evaluate/distill/conventions.js';
import type { DistillKind } from '../../evaluate/distill/distill-result.js';
import type {
  BudgetOptions,
  ExecutionOptions,
  FileOptions,
  MemoryOptions,
  ModelOptions,
  SourceOptions,
} from '../options.js';
import type { ReadingOptions } from '../reading-options.js';

/** How scores are read: `auto` looks whether all rows sum to 1. */
export const SCORE_FORMS = ['auto', 'logits', 'probabilities'] as const;
/** One of `SCORE_FORMS`. */
export type ScoreForm = (typeof SCORE_FORMS)[number];

/** A name of the teacher, and of what stands for it in the student. */
export interface NamePair {
  readonly teacher: string;
  readonly student: string;
}

/** Models that run on samples. */
export interface DistillModels {
  readonly kind: 'models';
  readonly teacher: string;
  readonly students: readonly string[];
  /** Folder or file of samples, labels beside. */
  readonly dataPath: string;
  /** Samples of the students, where they are prepared otherwise: the same ones in the same order. One for all, or one for each. */
  readonly studentDataPaths?: readonly string[];
}

/** Logits in .npy files, rows of samples, the last dimension being that of the classes. */
export interface DistillLogits {
  readonly kind: 'logits';
  readonly teacher: string;
  readonly students: readonly string[];
  /** Labels as .npy. */
  readonly labelsPath?: string;
}

export type DistillInput = DistillModels | DistillLogits;

/** Options of `distill`. */
export interface DistillOptions
  extends MemoryOptions,
    ExecutionOptions,
    ReadingOptions,
    SourceOptions,
    ModelOptions,
    FileOptions,
    BudgetOptions {
  /** Temperatures of the loss. */
  readonly temperatures?: readonly number[];
  /** Weights of the loss of labels, 0 to 1. */
  readonly alphas?: readonly number[];
  /** Libraries whose scale of the loss is computed too. */
  readonly conventions?: readonly Convention[];
  /** What the output is. Default: by the labels, the graph and the names. */
  readonly outputKind?: DistillKind;
  readonly scores?: ScoreForm;
  /** The output of the teacher that is compared. Default: the one that fits the labels best. */
  readonly outputName?: string;
  /** Inputs and outputs of the students that have other names. */
  readonly map?: readonly NamePair[];
  /** Tensors that are compared besides. */
  readonly features?: readonly NamePair[];
  /** An array in the data that is 0 where a token does not count; of logits the path of a .npy file. */
  readonly mask?: string;
  /** Classes that count for the agreement of the best. */
  readonly topK?: number;
  /** Bins of calibration. */
  readonly bins?: number;
  /** Resamples of the bootstrap; 0 for none. */
  readonly resamples?: number;
  readonly seed?: number;
  /** At most this many samples. */
  readonly samples?: number;
  /** Samples in one run. Default: as many as change nothing. */
  readonly batch?: number;
  /** Folder that outputs are kept in, and taken from the next time. */
  readonly cachePath?: string;
  /** Classes of each row of scores that the cache keeps of the teacher, with the mass of all others; default all. */
  readonly cacheTopK?: number;
  /** Measure latency and memory. */
  readonly measure?: boolean;
}

/** Defaults of `distill`. */
export const DISTILL_DEFAULTS = {
  temperatures: [1, 2, 4],
  alphas: [0.5],
  conventions: ['standard'],
  scores: 'auto',
  topK: 5,
  bins: 15,
  resamples: 1000,
  seed: 0,
  measure: true,
} as const satisfies DistillOptions;
