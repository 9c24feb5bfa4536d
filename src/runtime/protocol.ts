/** Every job of the ONNX Runtime child process: what goes in and what comes out. Plain structured-clonable data only. */

import type { RatioEstimate } from '../bench/paired-ratio.js';
import type { ArrivalProcess } from '../bench/scenario.js';
import type { ErrorData } from '../error-data.js';
import type { ComparisonResult, OutputDifference } from '../evaluate/comparison.js';
import type { ExposedRange } from '../quantize/expose-ranges.js';
import type { ExposedValue } from '../quantize/expose-values.js';
import type { StatisticsData } from '../quantize/observers/tensor-statistics.js';
import type { ValueRange } from '../quantize/value-range.js';
import type { Feeds, HostTensor, SampleSource, SeedPlan, ValueSpec } from '../samples/types.js';
import type { DataTypeCode } from '../tensor/dtype.js';
import type { JobProgress } from './job.js';
import type { CheckParams, CheckResult } from './jobs/check.js';
import type { CompareParams } from './jobs/compare.js';
import type { ContrastParams } from './jobs/contrast.js';
import type { LabelsParams } from './jobs/labels.js';
import type { PeekParams, PeekResult, RecordParams, RecordResult } from './jobs/record.js';
import type { NoiseParams, NoiseResult, ReferenceParams, ReferenceResult } from './jobs/reference.js';
import type { StepJobTypes } from './jobs/step-sums.js';
import type { SumsParams, SumsResult } from './jobs/sums.js';
import type { TrialOriginalParams, TrialOriginalResult, TrialParams } from './jobs/trial.js';
import type { ObserveParams } from './observe-params.js';
import type { ProfileReport } from './profile.js';
import type { ExecutionProvider, SessionOptions } from './types.js';

export interface VersionsResult {
  readonly onnxRuntime: string;
  readonly node: string;
  /** What loading ONNX Runtime took, when it was first needed in this process. */
  readonly libraryMs: number;
  /** What this build of ONNX Runtime knows of; says nothing about what works on this machine (ask `probe`). */
  readonly backends: readonly { readonly name: string; readonly bundled: boolean }[];
}

export interface ProbeParams {
  /** An execution provider, for example `cuda`. */
  readonly provider: ExecutionProvider;
}

export interface ProbeResult {
  readonly provider: string;
  /** True when a session was created on it and gave the right answer. */
  readonly works: boolean;
  /** What ONNX Runtime said. */
  readonly why?: string;
  /** What that means, one clause. */
  readonly cause?: string;
  /** What to do about it, where that is known. */
  readonly fix?: string;
}

/** An input or output as ONNX Runtime describes it. */
export interface SessionValue {
  readonly name: string;
  /** Undefined for sequences, maps and optionals. */
  readonly dataType: DataTypeCode | undefined;
  /** A size, a symbol, or '' where nothing is known. `[]` is a scalar or an unknown rank: ONNX Runtime does not tell. */
  readonly shape: readonly (number | string)[];
}

export interface LoadParams {
  readonly path: string;
  readonly options?: SessionOptions;
}

export interface LoadResult {
  readonly session: number;
  readonly inputs: readonly SessionValue[];
  readonly outputs: readonly SessionValue[];
  readonly createMs: number;
}

export interface ReleaseParams {
  readonly session: number;
}

export interface RunParams {
  readonly session: number;
  readonly feeds: Feeds;
  /** Outputs to compute; default all. */
  readonly fetches?: readonly string[];
}

export interface EvaluateParams {
  /** A model without inputs. */
  readonly path: string;
  /** A file to make for outputs that are not sent as they are. */
  readonly resultPath: string;
  /** Outputs up to this size are sent. */
  readonly sentBytes: number;
}

/** A computed tensor: its elements, or where its bytes stand in the file of results. */
export type EvaluatedOutput =
  | HostTensor
  | {
      readonly dataType: DataTypeCode;
      readonly dims: readonly number[];
      readonly fileOffset: number;
      readonly byteLength: number;
    };

export interface RangesParams extends ObserveParams {
  /** Which outputs of the augmented model hold what of which tensor. */
  readonly observed: readonly ExposedRange[];
}

export interface ValueRangesParams extends ObserveParams {
  /** FLOAT, FLOAT16 or DOUBLE outputs, fetched whole and reduced in the child. */
  readonly observed: readonly string[];
}

export interface StatisticsParams extends ObserveParams {
  /** FLOAT outputs of the augmented model, and the tensors that they hold. */
  readonly values: readonly ExposedValue[];
}

export interface StatisticsResult {
  /** Samples seen. */
  readonly samples: number;
  readonly statistics: Map<string, StatisticsData>;
}

export interface RangesResult {
  /** Samples seen. */
  readonly samples: number;
  /** Range of the finite values of each tensor. */
  readonly ranges: Map<string, ValueRange>;
  /** Values that were NaN or infinite, by tensor, where there were any; for `ranges` the runs in which a reduction was. */
  readonly nonFinite: Map<string, number>;
  /** Tensors that never had a finite value. */
  readonly unobserved: readonly string[];
}

export interface FitSeedsParams {
  readonly session: number;
  readonly inputs: readonly ValueSpec[];
  readonly seed: number;
  /** Samples that will be used; default 3. */
  readonly count?: number;
  /** They have the shapes and the scalars of the first; default false. */
  readonly sameShapes?: boolean;
}

export interface FitSeedsResult {
  /** `plan` of a seeded source that the model accepts; undefined when it accepts none. */
  readonly plan: SeedPlan | undefined;
  /** What ONNX Runtime said to the plainest samples, when there is no plan. */
  readonly why?: string;
}

export interface BranchesParams {
  readonly session: number;
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  /** Outputs that hold the condition of one If each. */
  readonly conditions: readonly string[];
}

export interface BranchesResult {
  /** For each condition, whether it was false once, and true once. */
  readonly reached: readonly (readonly [boolean, boolean])[];
  /** Numbers of further synthetic samples that reach what those of the source do not. */
  readonly further: readonly number[];
}

export interface LatencyParams {
  /** One session, or the baseline and the candidate. */
  readonly sessions: readonly [number] | readonly [number, number];
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  /** Runs of each session to reach; default 50. */
  readonly minRuns?: number;
  /** Time to stop after, reached or not; default 5000. */
  readonly maxMs?: number;
  /** Seed of the bootstrap; default 1. */
  readonly seed?: number;
}

/** Closed-loop latency: the next run starts when the one before has ended. Quantiles by nearest rank. */
export interface SessionLatency {
  readonly runs: number;
  readonly warmUpRuns: number;
  readonly firstRunMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
}

export interface LatencyResult {
  /** In the order of `sessions`. */
  readonly latencies: readonly SessionLatency[];
  /** Median over interleaved block pairs of candidate time / baseline time, with its 95 % interval; below 1 the candidate is faster. */
  readonly ratio?: RatioEstimate;
}

/** A measurement of one session, taken in parts, so that it can be stopped and looked at between them. */
export interface MeasureStartParams {
  readonly session: number;
  readonly source: SampleSource;
  /** Open dimensions that were chosen are numbers here. */
  readonly inputs: readonly ValueSpec[];
  /** Rows of one run: samples of a data set stacked, or the first dimension of synthetic ones. */
  readonly batchSize: number;
  /** Times at which requests come; absent in a closed loop. */
  readonly openLoop?: { readonly ratePerSecond: number; readonly arrivals: ArrivalProcess; readonly seed: number };
}

export interface MeasureStartResult {
  readonly measurement: number;
  /** What is fed in each run, the first sample's shape. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dataType: DataTypeCode;
    readonly dims: readonly number[];
  }[];
  /** Different samples taken in turn. */
  readonly samples: number;
  /** Memory of all these samples, which the process holds beside what the model needs. */
  readonly inputBytes?: number;
  /** The run that came first in this session, when none came before. */
  readonly firstRunMs: number;
}

export interface MeasureWarmUpParams {
  readonly measurement: number;
  /** Time to stop after, settled or not. */
  readonly maxMs: number;
}

export interface MeasureWarmUpResult {
  readonly runs: number;
  readonly ms: number;
  /** The median of the last window agrees with the one before. */
  readonly settled: boolean;
}

export interface MeasureAdvanceParams {
  readonly measurement: number;
  /** Runs until this time has passed, at least once. An open loop goes on where it was: time between two calls does not count. */
  readonly maxMs: number;
  /** Or until so many runs. */
  readonly maxRuns?: number;
}

/** A part of a segment; `startMs` goes on from the part before. */
export interface MeasureAdvanceResult {
  readonly startMs: Float64Array;
  readonly latencyMs: Float64Array;
  readonly serviceMs?: Float64Array;
  /** Open loop only: how late the next request is already; grows from part to part where the rate is too high. */
  readonly behindMs?: number;
  readonly wallMs: number;
  /** CPU time of all threads of the process meanwhile. */
  readonly cpuMs: number;
  readonly involuntarySwitches: number;
}

/** Sessions of the same inputs timed in turns, in blocks in the order A B … B A on the same sample. */
export interface PairsParams {
  readonly sessions: readonly number[];
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  readonly batchSize: number;
  /** Time to stop after. */
  readonly maxMs: number;
  /** Blocks of each session to reach, time allowing. */
  readonly minBlocks: number;
}

export interface PairsResult {
  /** Median of each block in ms, by session in the order of `sessions`; arrays are of equal length. */
  readonly blockMediansMs: readonly Float64Array[];
  readonly runs: number;
}

export interface ProcessMemoryResult {
  /** Largest resident set so far. */
  readonly peakBytes: number;
}

export interface ProfileParams {
  readonly path: string;
  readonly options?: SessionOptions;
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  readonly batchSize: number;
  /** An empty folder for the profile. */
  readonly folder: string;
  readonly runs: number;
  readonly maxMs: number;
  /** Nodes to list, the slowest first. Default 50. */
  readonly mostNodes?: number;
}

export interface SamplesParams {
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  /** Rows that are to be stacked for a run: checked too where it is given. */
  readonly batchSize?: number;
  /** Number of samples, spread over the data, whose values are looked at; none when absent. */
  readonly look?: number;
}

export interface SamplesResult {
  readonly count: number;
  readonly labelled: boolean;
  readonly batchable: boolean;
  /** Samples that every run takes, where the model has a fixed batch size of more than one. */
  readonly block?: number;
  /** The values of FLOAT inputs, where they were to be looked at. */
  readonly values?: readonly InputValues[];
}

/** What the samples that were looked at hold for one input. */
export interface InputValues {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Every value is an integer. */
  readonly integers: boolean;
  /** All samples that were looked at hold the same values. Of one sample as well. */
  readonly same: boolean;
}

/** Job name → parameters and result. */
export interface JobTypes extends StepJobTypes {
  versions: { params: undefined; result: VersionsResult };
  probe: { params: ProbeParams; result: ProbeResult };
  load: { params: LoadParams; result: LoadResult };
  release: { params: ReleaseParams; result: undefined };
  run: { params: RunParams; result: Map<string, HostTensor> };
  evaluate: { params: EvaluateParams; result: Map<string, EvaluatedOutput> };
  samples: { params: SamplesParams; result: SamplesResult };
  labels: { params: LabelsParams; result: { readonly count: number } };
  peek: { params: PeekParams; result: PeekResult };
  record: { params: RecordParams; result: RecordResult };
  compare: { params: CompareParams; result: ComparisonResult };
  reference: { params: ReferenceParams; result: ReferenceResult };
  noise: { params: NoiseParams; result: NoiseResult };
  check: { params: CheckParams; result: CheckResult };
  contrast: { params: ContrastParams; result: readonly OutputDifference[] };
  trialOriginal: { params: TrialOriginalParams; result: TrialOriginalResult };
  trial: { params: TrialParams; result: ComparisonResult };
  trialEnd: { params: { readonly samples: number }; result: undefined };
  ranges: { params: RangesParams; result: RangesResult };
  valueRanges: { params: ValueRangesParams; result: RangesResult };
  statistics: { params: StatisticsParams; result: StatisticsResult };
  sums: { params: SumsParams; result: SumsResult };
  fitSeeds: { params: FitSeedsParams; result: FitSeedsResult };
  branches: { params: BranchesParams; result: BranchesResult };
  latency: { params: LatencyParams; result: LatencyResult };
  measureStart: { params: MeasureStartParams; result: MeasureStartResult };
  measureWarmUp: { params: MeasureWarmUpParams; result: MeasureWarmUpResult };
  measureAdvance: { params: MeasureAdvanceParams; result: MeasureAdvanceResult };
  pairs: { params: PairsParams; result: PairsResult };
  processMemory: { params: undefined; result: ProcessMemoryResult };
  profile: { params: ProfileParams; result: ProfileReport };
}

export type JobName = keyof JobTypes;
export type JobParams<J extends JobName> = JobTypes[J]['params'];
export type JobResult<J extends JobName> = JobTypes[J]['result'];

/** Parent to child. */
export interface RequestMessage {
  readonly id: number;
  readonly job: JobName;
  readonly params: unknown;
}

/** Child to parent. */
export type ReplyMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: JobProgress }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData };
