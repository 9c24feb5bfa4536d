import type {
  CutCheckReport,
  DroppedBlockReport,
  OutsideLayerReport,
  PruneAttemptReport,
  RepairReport,
} from '../../report/prune-types.js';
import type { PruneAllocation } from '../options.js';
import type { CandidateModel } from '../produce/model-command.js';
import type { StructuredCut } from './structured.js';
import type { SparseModel } from './unstructured.js';

/** What was tried on the way to a latency. */
interface LatencyAttempts {
  readonly attempts?: readonly PruneAttemptReport[];
  readonly targetSpeedUp?: number;
}

/** A cut, what was checked of it, and what a repair gave. */
export interface FinishedCut extends Pick<StructuredCut, 'amount' | 'groups' | 'whole'>, LatencyAttempts {
  readonly checked?: CutCheckReport;
  readonly repair: readonly RepairReport[];
  readonly warnings: readonly string[];
  readonly allocation?: PruneAllocation;
  readonly steps?: number;
}

/** Whole blocks that were dropped. */
export interface DroppedBlocks extends LatencyAttempts {
  readonly amount: number;
  readonly blocks: readonly DroppedBlockReport[];
  readonly outside: readonly OutsideLayerReport[];
  readonly rankedBy: 'output change' | 'weights';
  readonly repair: readonly RepairReport[];
  readonly warnings: readonly string[];
}

/** How the same is made with less taken away. */
export interface LessCut {
  /** What was taken: a share of units or weights, a number of units, or of blocks. */
  readonly amount: number;
  again(amount: number): Promise<PruneCandidate>;
  /** Whether two amounts take the same away, since widths are aligned; absent where amounts are counts or that is not known before. */
  same?(a: number, b: number): Promise<boolean>;
}

/** A pruned model: cut, without blocks, or with weights that are zero. */
export interface PruneCandidate extends CandidateModel {
  readonly cut?: FinishedCut;
  readonly dropped?: DroppedBlocks;
  readonly sparse?: SparseModel;
  /** Absent where a target or a pattern says how much goes. */
  readonly less?: LessCut;
  /** Where budgets were missed: the search for an amount that keeps them. */
  readonly search?: AmountSearch;
}

/** How far the search for an amount that keeps all budgets of the outputs is. */
export interface AmountSearch {
  /** The largest amount that is known to keep them, and the smallest that is known not to. */
  readonly holds: number;
  readonly misses: number;
  readonly best: PruneCandidate | undefined;
  readonly attempts: readonly PruneAttemptReport[];
  /** Makes a candidate of any amount. */
  readonly again: LessCut['again'];
  readonly same: LessCut['same'];
  /** This candidate is the last: it is delivered, or refused. */
  readonly isLast: boolean;
}
