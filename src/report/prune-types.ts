import type { LatencyComparison } from '../bench/results.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { BudgetReport } from '../gates/budget-report.js';
import type { SparsityReport } from './sparsity-types.js';
import type { JudgedReport, ReportHeader, ReportModel, SyntheticInputsReport, VerificationReport } from './types.js';

/** Units that were weighed against each other: the channels of a convolution with all that follows from them. */
export interface PrunedGroupReport {
  /** The node whose weights make the units. */
  readonly name: string;
  readonly kind: 'channels' | 'heads' | 'neurons';
  readonly units: number;
  readonly kept: number;
}

/** An axis of a weight that stays whole, and why. */
export interface WholeAxisReport {
  readonly weight: string;
  readonly axis: number;
  readonly size: number;
  readonly reason: string;
}

/** A weight of which elements are zero. */
export interface SparseWeightReport {
  readonly node: string;
  readonly opType: string;
  readonly elements: number;
  readonly zeros: number;
  /** Why it is as it was, where it is. */
  readonly left?: string;
}

/** What a model costs, before and after. */
export interface PruneCost {
  readonly parameters: number;
  /** Multiply-adds at the sizes of `sizes`. */
  readonly macs: number;
}

/** How a cut was checked: the result against the original with the same units set to zero. */
export interface CutCheckReport {
  /** Smallest over the outputs, in dB; `Infinity` where they are equal. */
  readonly sqnrDb: number;
  readonly samples: number;
  /** Groups of which layers read zeros alone: they were checked with numbers added to that. Absent for none. */
  readonly dead?: readonly string[];
  /** Groups of which the check says nothing. Absent for none. */
  readonly unseen?: readonly string[];
}

/** A block that a sum leads around, which can be dropped. */
export interface DroppedBlockReport {
  /** Its last layer. */
  readonly name: string;
  /** Layers with weights in it. */
  readonly layers: number;
  readonly dropped: boolean;
  /** Noise over signal of the outputs without it and those dropped before it; absent where blocks were ranked by weights. */
  readonly change?: number;
}

/** A layer that is in no block that can be dropped, and why. */
export interface OutsideLayerReport {
  readonly layer: string;
  readonly operator: string;
  readonly reason: string;
}

/** What was tried for a latency, or for budgets that were missed at first. */
export interface PruneAttemptReport {
  /** How much of what can be cut went: a share, or a number of blocks. */
  readonly amount: number;
  /** For a latency: how many times as fast as the original it measured. */
  readonly speedUp?: number;
  /** For budgets: those of the outputs, as measured. */
  readonly budgets?: readonly BudgetReport[];
}

/** How a layer behind a cut was fitted anew. Errors are of its outputs on held-out samples, as a share of their size (root mean square). */
export interface RepairReport {
  readonly layer: string;
  readonly before?: number;
  readonly after?: number;
  /** Why its weights are as they were, where they are. */
  readonly left?: string;
}

export interface PruneReport extends ReportHeader, JudgedReport {
  readonly command: 'prune';
  readonly method: 'structured' | 'channels' | 'heads' | 'neurons' | 'layers' | 'magnitude' | 'obs' | 'wanda';
  /** How the cut is spread over groups; absent for single weights and whole blocks. */
  readonly allocation?: 'uniform' | 'global' | 'sensitivity' | 'latency';
  /** Cuts one after the other, each scored anew. Absent for one. */
  readonly steps?: number;
  /** How many times as fast as the original the result was to be. */
  readonly targetSpeedUp?: number;
  /** What was tried before the result, in order; absent where the first was delivered. */
  readonly attempts?: readonly PruneAttemptReport[];
  /** As asked for; of a target, the amount that it took. */
  readonly amount: number;
  readonly pattern?: string;
  readonly score?: string;
  readonly input: ReportModel;
  readonly output: ReportModel;
  readonly before: PruneCost;
  readonly after: PruneCost;
  /** Sizes of open dimensions at which multiply-adds are counted. */
  readonly sizes: readonly { readonly name: string; readonly size: number }[];
  /** Structured: every group, also those that were left. */
  readonly groups: readonly PrunedGroupReport[];
  /** Structured: axes of weights that cannot be cut. */
  readonly whole: readonly WholeAxisReport[];
  /** Whole blocks: all that can be dropped, in the order of the network. */
  readonly blocks?: readonly DroppedBlockReport[];
  /** How blocks were ranked. */
  readonly rankedBy?: 'output change' | 'weights';
  /** Whole blocks: layers that are in none. */
  readonly outside?: readonly OutsideLayerReport[];
  /** Single weights: every layer. */
  readonly weights: readonly SparseWeightReport[];
  /** Zeros and patterns of the result, where zeros are what was made, and the runtimes that skip them. */
  readonly sparsity?: SparsityReport;
  /** Bytes of both files after gzip, where zeros are what was made. */
  readonly compressed?: { readonly before: number; readonly after: number };
  readonly cut?: CutCheckReport;
  /** Layers behind a cut, with data. */
  readonly repair: readonly RepairReport[];
  readonly verification: VerificationReport;
  /** Original (A) against result (B) on the evaluation data. */
  readonly accuracy?: ComparisonResult;
  readonly latency?: LatencyComparison;
  readonly syntheticInputs?: SyntheticInputsReport;
}
