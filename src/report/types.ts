/**
 * What commands report, as plain data: the JSON documents, and what tables and pages are drawn from. Documents hold no
 * absolute paths and no times of day, so the same inputs give the same bytes but for measured latencies.
 * JSON has no infinities: writers give the texts `Infinity` and `-Infinity` (an SQNR of equal outputs), and `null` for a number
 * that there is none of.
 */

import type { BenchVerdict, LatencyComparison } from '../bench/results.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { OutputAgreement } from '../evaluate/equality.js';
import type { BudgetReport } from '../gates/budget-report.js';
import type { AppliedRewrite, NearMiss } from '../passes/engine/run-rewrites.js';
import type { AllowedOperators, OptimizeLevel } from '../passes/levels.js';
import type { Numerics, PassGroup } from '../passes/pass.js';
import type { ConfirmedForm } from './confirmed-form.js';
import type { ReadingReport } from './reading-types.js';
import type { QuantizeRepairReport } from './repair-types.js';
import type { AlternativeReport, SearchReport } from './search-types.js';
import type { SparsityReport } from './sparsity-types.js';
import type { WeightOnlyMode, WeightOnlyReport } from './weight-only-types.js';

/** Raised when a field changes its meaning or goes; new fields do not raise it. */
export const REPORT_SCHEMA_VERSION = 2;

/** A file by its name only. */
export interface ReportFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal; absent where the file was not read whole. */
  readonly sha256?: string;
}

/** A model file with the data files it refers to. */
export interface ReportModel extends ReportFile {
  readonly externalData?: readonly ReportFile[];
}

/** Fields that every report has. */
export interface ReportHeader {
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION;
  /** Version of serve-opt. */
  readonly version: string;
  /** Version of ONNX Runtime; absent when it was not needed. */
  readonly onnxRuntimeVersion?: string;
  /** What may spoil the result. */
  readonly warnings: readonly string[];
  /** What is good to know. */
  readonly notes: readonly string[];
  /** How data that is not arrays became inputs. */
  readonly reading?: ReadingReport;
}

/** Budgets of a model that was made or compared; absent where none was set. A result that misses one is not delivered. */
export interface JudgedReport {
  /** `--max-loss` and `--min-sqnr` among them, as `drop` and `sqnr`. */
  readonly budgets?: readonly BudgetReport[];
  /** Of all budgets together. */
  readonly verdict?: BenchVerdict;
}

/** A graph input or output. */
export interface ReportValue {
  readonly name: string;
  /** ONNX text syntax, for example `float[batch,3,32,32]`. */
  readonly type: string;
}

/** A count of nodes with one operator. */
export interface OpCount {
  readonly domain: string;
  readonly opType: string;
  readonly count: number;
}

/** A layer, and what became of it or would become of it. */
export interface LayerReport {
  readonly name: string;
  readonly opType: string;
  /** Bytes of its weights before. */
  readonly weightBytes: number;
}

/** A layer that stays in float. */
export interface FloatLayerReport extends LayerReport {
  readonly reason: string;
}

/** Answer of `inspect`. */
export interface InspectReport extends ReportHeader {
  readonly command: 'inspect';
  readonly model: ReportModel;
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producer: { readonly name: string; readonly version: string };
  readonly inputs: readonly ReportValue[];
  readonly outputs: readonly ReportValue[];
  readonly nodes: number;
  readonly ops: readonly OpCount[];
  /** Elements of all weights. */
  readonly parameters: number;
  readonly weightBytesByType: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  /** Multiply-accumulate operations of one run at the sizes stated; undefined in part where shapes are not known. */
  readonly macs?: {
    readonly total: number;
    readonly unknownNodes: number;
    /** Open dimensions of the inputs, and the size each was counted at. */
    readonly sizes?: readonly { readonly name: string; readonly size: number }[];
    /** The same as a sum over the open sizes, where it is short enough. */
    readonly expression?: string;
  };
  /** Layers that static INT8 takes, which needs samples. */
  readonly quantizable: readonly LayerReport[];
  /** Layers that dynamic INT8 takes, which needs none. */
  readonly quantizableWithoutData?: readonly LayerReport[];
  /** Why static INT8 leaves the others. */
  readonly notQuantizable: readonly FloatLayerReport[];
  /** Rules of its operators that the model breaks: other commands refuse it unless told otherwise. At most 100. */
  readonly problems: readonly ProblemReport[];
  /** Zeros among the weights of layers; absent where weights were not read. */
  readonly sparsity?: SparsityReport;
}

/** A rule that a node breaks. */
export interface ProblemReport {
  /** Its name, or its first output's where it has none. */
  readonly node: string;
  readonly message: string;
}

/** Inputs that were made where there were no samples, or beside them. */
export interface SyntheticInputsReport {
  readonly seed: number;
  /** How many were made; a run may have ended before the last ones. */
  readonly samples: number;
  /** Open dimensions by their symbol or by `input:axis`, each with the sizes it took, smallest first. */
  readonly sizes: readonly { readonly name: string; readonly sizes: readonly number[] }[];
}

/** Answer of `compare`. */
export interface CompareReport extends ReportHeader, JudgedReport {
  readonly command: 'compare';
  readonly a: ReportModel;
  readonly b: ReportModel;
  readonly comparison: ComparisonResult;
  readonly latency?: LatencyComparison;
  readonly syntheticInputs?: SyntheticInputsReport;
}

/** What one pass did. */
export interface StepReport {
  readonly pass: string;
  /** Rewrites made; 0 when there was nothing to do. */
  readonly changes: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** Why the pass did not apply. */
  readonly refused?: string;
}

/** What was checked before the output was handed over. `unchanged` is the original byte for byte, which needs no check. */
export interface VerificationReport {
  /** The written file was read again and its graph checked. */
  readonly structure: 'passed' | 'skipped';
  /** Names, types and shapes of inputs and outputs are those of the original; absent where that was not held against it. */
  readonly interface?: 'passed';
  /** ONNX Runtime loaded it. */
  readonly loads: 'passed' | 'skipped' | 'unchanged';
  /** It was run beside the original. */
  readonly runs: 'passed' | 'skipped' | 'unchanged';
  /** Why something was skipped. */
  readonly reason?: string;
  /** How far outputs of the original (A) and the result (B) are apart on held-out or seeded samples, where they may differ. */
  readonly comparison?: ComparisonResult;
  /**
   * How the result was computed for the comparison, where not as ONNX Runtime computes it: every value of a FLOAT16
   * (or BFLOAT16) node rounded to that type, overflow and underflow included. Sums inside one operator are not emulated.
   */
  readonly arithmetic?: 'emulated half precision' | 'emulated bfloat16';
  /** What was asked of outputs that must not differ: equal bit for bit, or within rounding. */
  readonly numerics?: 'exact' | 'reassociates';
  /** Samples and edge cases (zeros, NaN, infinities, extremes) on which they had to be equal. */
  readonly samples?: number;
  readonly edges?: number;
  readonly outputs?: readonly OutputAgreement[];
  /** Outputs that ONNX Runtime for Node cannot hand over. */
  readonly notCompared?: readonly string[];
  /** Outputs that depend on random numbers: only their types and shapes were compared. */
  readonly random?: readonly string[];
}

/** What chose ranges of activations; `auto` is the best observer for each tensor. */
export type RangeChooser = 'auto' | 'minmax' | 'percentile' | 'entropy' | 'mse' | 'moving-average';

/** The samples that ranges were measured on. */
export interface CalibrationReport {
  readonly source: string;
  readonly samples: number;
  /** In words. */
  readonly method: string;
  /** Which observer chose the ranges; `auto` where it was chosen for each tensor. */
  readonly observer?: RangeChooser;
  /** What was tried on the outputs before the choice. */
  readonly tried?: readonly TriedRangesReport[];
  /** Tensors whose values were looked at, in the order of the graph. */
  readonly tensors?: readonly ObservedRangeReport[];
}

/** A choice of ranges, and what came of it. */
export interface TriedRangesReport extends ConfirmedForm {
  readonly ranges: RangeChooser;
}

/** The range of an activation. */
export interface ObservedRangeReport {
  readonly name: string;
  readonly observer: Exclude<RangeChooser, 'auto'>;
  readonly min: number;
  readonly max: number;
  readonly seenMin: number;
  readonly seenMax: number;
  /** Mean squared error that quantization to this range is expected to make. */
  readonly expectedError: number;
}

/** Answer of `quantize`, and the document beside its output. */
export interface QuantizeReport extends ReportHeader, JudgedReport {
  readonly command: 'quantize';
  /** What was asked for. */
  readonly requestedMode: 'auto' | 'dynamic' | 'static' | 'fp16' | 'bf16' | 'fp8' | WeightOnlyMode;
  /** What was done; `none` when there was nothing to quantize. */
  readonly mode: 'dynamic' | 'static' | 'fp16' | 'bf16' | 'fp8' | WeightOnlyMode | 'none';
  /** What a reader should know before any figure: that nothing was gained, and what would help. */
  readonly headline?: string;
  readonly input: ReportModel;
  readonly output: ReportModel;
  readonly steps: readonly StepReport[];
  readonly quantized: readonly LayerReport[];
  readonly leftInFloat: readonly FloatLayerReport[];
  readonly calibration?: CalibrationReport;
  /** What was done about the errors of static INT8 beside the choice of ranges. */
  readonly repair?: QuantizeRepairReport;
  /** How weights alone were quantized. */
  readonly weightOnly?: WeightOnlyReport;
  readonly verification: VerificationReport;
  /** Original (A) against result (B) on the evaluation data. */
  readonly accuracy?: ComparisonResult;
  /** Original (A) against result (B). */
  readonly latency?: LatencyComparison;
  /** The search for the fewest layers in FP32: for `--max-drop`, or for outputs that lose clearly on held-out samples. */
  readonly search?: SearchReport;
  /** Forms that were timed because INT8 was slower than the original; the last is what was delivered. */
  readonly alternatives?: readonly AlternativeReport[];
  readonly syntheticInputs?: SyntheticInputsReport;
}

/** What one pass did to a graph, all rounds together. */
export interface PassReport {
  readonly pass: string;
  readonly group: PassGroup;
  readonly numerics: Numerics;
  readonly rewrites: number;
  /** Nodes more (or, negative, fewer) than before. */
  readonly nodesDelta: number;
  /** Bytes that the file gained, about. */
  readonly bytesDelta: number;
}

/** A rewrite that made the model wrong and was left out; the whole pass where `node` is absent. */
export interface DroppedRewriteReport {
  readonly pass: string;
  readonly node?: string;
  readonly opType?: string;
  readonly reason: string;
}

/** A pass that made the model slower on this machine and was left out. */
export interface SlowPassReport {
  readonly pass: string;
  /** Latency with the pass over latency without it: above 1 it costs. With its 95 % confidence interval, where there is one. */
  readonly ratio: number;
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
}

/** Answer of `optimize`, and the document beside its output. */
export interface OptimizeReport extends ReportHeader, JudgedReport {
  readonly command: 'optimize';
  readonly level: OptimizeLevel | 'recipe';
  /** Which operators the output may use. */
  readonly operators: AllowedOperators;
  readonly input: ReportModel;
  readonly output: ReportModel;
  /** Nodes of all graphs: subgraphs and bodies of local functions included. */
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** Changes of the interface or the operator set that were asked for. */
  readonly requested: readonly StepReport[];
  /** The passes that changed something, in the order of the recipe. */
  readonly passes: readonly PassReport[];
  readonly dropped: readonly DroppedRewriteReport[];
  readonly slower: readonly SlowPassReport[];
  /** Every change in order, where it was asked for. */
  readonly rewrites?: readonly AppliedRewrite[];
  /** Every near miss with the condition that failed, where it was asked for. */
  readonly nearMisses?: readonly NearMiss[];
  readonly verification: VerificationReport;
  /** Original (A) against result (B). */
  readonly latency?: LatencyComparison;
  readonly syntheticInputs?: SyntheticInputsReport;
}
