/** The report of `distill`. */

import type { Convention } from '../evaluate/distill/conventions.js';
import type { DistillEvaluation, FeatureTerms } from '../evaluate/distill/distill-result.js';
import type { JudgedReport, ReportFile, ReportHeader, ReportModel } from './types.js';

/** Latency of one model, run in turns with the others. */
export interface CostLatency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly runs: number;
  /** p50 divided by that of the teacher, with the 95 % interval; absent for the teacher. */
  readonly ratio?: number;
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
}

/** What a model costs. */
export interface DistillCost {
  readonly sizeBytes: number;
  readonly parameters: number;
  /** Multiply-accumulates of one sample at the sizes of the data, where all could be counted. */
  readonly macs?: number;
  readonly latency?: CostLatency;
  /** Peak memory over the bare runtime. */
  readonly memoryBytes?: number;
}

/** A teacher or a student. */
export interface DistillSubject {
  readonly name: string;
  /** Absent where logits were given. */
  readonly model?: ReportModel;
  readonly logits?: ReportFile;
  readonly output?: string;
  readonly cost?: DistillCost;
  /** The outputs are from a cache. */
  readonly cached?: true;
}

/** A student and how it compares with the teacher. */
export interface DistillStudent extends DistillSubject {
  /** 1 is the best: by the metric of the labels, then by how close it is to the teacher. */
  readonly rank: number;
  /** Nothing is at least as good in size, latency and quality and better in one of them. */
  readonly pareto: boolean;
  /** The number that the rank goes by first, and what it is. */
  readonly quality: { readonly name: string; readonly value: number; readonly higherIsBetter: boolean };
  readonly evaluation: DistillEvaluation;
  readonly features: readonly FeatureTerms[];
}

export interface DistillReport extends ReportHeader, JudgedReport {
  readonly command: 'distill';
  readonly teacher: DistillSubject & { readonly quality?: number };
  /** In the order of their ranks. */
  readonly students: readonly DistillStudent[];
  readonly data: { readonly name: string; readonly samples: number; readonly labelled: boolean };
  readonly settings: {
    readonly temperatures: readonly number[];
    readonly alphas: readonly number[];
    readonly conventions: readonly Convention[];
    readonly bins: number;
    readonly topK: number;
    readonly resamples: number;
    readonly seed: number;
  };
  /** How the output was chosen and read, one sentence. */
  readonly explanation: string;
}
