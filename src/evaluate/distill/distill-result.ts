import type { ClassesResult, FidelityResult } from './class-result.js';
import type { ConventionLoss } from './conventions.js';
import type { SequencesResult } from './decoded-sequences.js';
import type { AttentionErrors, AttentionTransfer, FeatureErrors } from './feature-pairs.js';
import type { SimilarityResult } from './feature-similarity.js';
import type { MultiLabelResult } from './multi-label.js';
import type { RegressionResult } from './regression.js';
import type { RidgeResult } from './ridge-projection.js';
import type { RelationsResult } from './sample-relations.js';
import type { TopKResult } from './top-k-pairs.js';

/** What an output may be, as far as its comparison goes. */
export const DISTILL_KINDS = ['classes', 'multi-label', 'regression', 'ctc', 'embedding'] as const;
/** One of `DISTILL_KINDS`. */
export type DistillKind = (typeof DISTILL_KINDS)[number];

/** Scores of each step of a sequence, and what they decode to. */
export interface CtcResult {
  readonly kind: 'ctc';
  readonly classes: number;
  readonly blank: number;
  /** Means over steps. */
  readonly fidelity: FidelityResult;
  readonly sequences: SequencesResult;
  /** alpha · CTC loss of the labels + (1 - alpha) · T² · KL of a step, for each temperature and alpha. */
  readonly losses: readonly ConventionLoss[];
}

/** Terms of a pair of features. */
export interface FeatureTerms {
  readonly teacher: string;
  readonly student: string;
  readonly samples: number;
  readonly teacherDims: readonly number[];
  readonly studentDims: readonly number[];
  /** Of equal shapes. */
  readonly errors?: FeatureErrors;
  /** Of maps [channels, height, width] of equal height and width. */
  readonly attentionTransfer?: AttentionTransfer;
  /** Of attention maps [heads, queries, keys]. */
  readonly attention?: AttentionErrors;
  readonly similarity?: SimilarityResult;
  readonly relations?: RelationsResult;
  readonly ridge?: RidgeResult;
  /** Flow of the solution procedure: mean squared difference of Gram matrices between this feature and the one before. */
  readonly fsp?: number;
  /** What was left out or computed on fewer samples, one sentence each. */
  readonly notes: readonly string[];
}

/** Vectors that stand for samples. */
export interface EmbeddingResult {
  readonly kind: 'embedding';
  readonly terms: FeatureTerms;
}

/** How a student compares with its teacher. */
export type DistillEvaluation =
  | ClassesResult
  | TopKResult
  | MultiLabelResult
  | RegressionResult
  | CtcResult
  | EmbeddingResult;
