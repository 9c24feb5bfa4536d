import type { Budget } from '../../gates/parse-budget.js';
import type { TensorRtPrecision, TensorRtReport } from '../../report/tensorrt-types.js';
import type { HardwareLevel, Sparsity } from '../../targets/tensorrt/plan.js';
import {
  BENCH_DEFAULTS,
  type FileOptions,
  type MemoryOptions,
  type ModelOptions,
  type RefusalOptions,
  type SourceOptions,
} from '../options.js';

/** Sizes of an open dimension: smallest, best and largest. */
export interface DimRange {
  readonly min: number;
  readonly opt: number;
  readonly max: number;
}

/** Ranges by the name of an open dimension, or by `input:axis`. */
export type DimRanges = ReadonlyMap<string, DimRange>;

/** How trtexec is found and run. */
export interface TrtexecOptions {
  /** Environment to look for trtexec in: PATH, TENSORRT_HOME. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of trtexec. */
  readonly trtexecPath?: string;
  /** Container image to run it in. */
  readonly image?: string;
  /** Version to render for where trtexec is not run, `10.16` for example. */
  readonly tensorRtVersion?: string;
  /** Libraries of plugins. */
  readonly plugins?: readonly string[];
  /** Index of the GPU. */
  readonly gpu?: number;
  /** Options of trtexec, passed on as they are. */
  readonly trtexecFlags?: readonly string[];
  /** Most time for one run of trtexec, in ms. */
  readonly buildTimeoutMs?: number;
  /** Verbose log of trtexec. */
  readonly verboseLog?: boolean;
}

/** How an engine is measured and judged. */
export interface EngineMeasureOptions {
  /** Time to measure in each process, in ms. */
  readonly durationMs?: number;
  /** Fresh trtexec processes. */
  readonly processes?: number;
  /** Concurrent streams of inference. */
  readonly inferenceStreams?: number;
  /** False launches kernels one by one. Default true. */
  readonly cudaGraph?: boolean;
  /** True counts copies of inputs and outputs as part of the latency. Default false. */
  readonly transfers?: boolean;
  /** In percent. */
  readonly percentiles?: readonly number[];
  readonly budgets?: readonly Budget[];
  /** Report of an earlier engine. */
  readonly baselinePath?: string;
  /** Smaller slow-downs do not count: 0.03 is 3 %. */
  readonly minEffect?: number;
  readonly allowInconclusive?: boolean;
}

/** Options of `buildEngine`. */
export interface TensorRtOptions
  extends TrtexecOptions,
    EngineMeasureOptions,
    MemoryOptions,
    SourceOptions,
    ModelOptions,
    FileOptions,
    RefusalOptions<TensorRtReport> {
  /** Path of the engine. Default: beside the model, `model.plan`. */
  readonly outputPath?: string;
  readonly force?: boolean;
  readonly precision?: TensorRtPrecision;
  /** Samples that INT8 is calibrated with. */
  readonly dataPath?: string;
  /** At most this many calibration samples. */
  readonly samples?: number;
  /** Ranges that hold in every profile. */
  readonly dims?: DimRanges;
  /** Ranges of each profile, beside `dims`. Default: one profile. */
  readonly profiles?: readonly DimRanges[];
  /** Bytes. */
  readonly workspaceBytes?: number;
  readonly timingCachePath?: string;
  /** 0 (fastest build) to 5. */
  readonly builderLevel?: number;
  readonly sparsity?: Sparsity;
  readonly versionCompatible?: boolean;
  readonly hardware?: HardwareLevel;
  readonly stripWeights?: boolean;
  readonly refit?: boolean;
  /** False computes FP32 without TF32. */
  readonly tf32?: boolean;
  readonly dlaCore?: number;
  /** Calibration cache of TensorRT 8 to 10. */
  readonly calibrationCachePath?: string;
  /** False builds only. Default true. */
  readonly measure?: boolean;
  /** Build although the checks before it found what TensorRT refuses. Default false. */
  readonly skipPreflight?: boolean;
}

/** Options of `benchEngine`. */
export interface BenchEngineOptions extends TrtexecOptions, EngineMeasureOptions, FileOptions {
  /** Sizes of open dimensions by name, within the ranges of the engine's report. Default: the best sizes of its first profile. */
  readonly dims?: ReadonlyMap<string, number>;
}

/** Defaults of `buildEngine` and `benchEngine` that help shows. */
export const ENGINE_DEFAULTS = {
  durationMs: BENCH_DEFAULTS.durationMs,
  processes: BENCH_DEFAULTS.processes,
  buildTimeoutMs: 2 * 60 * 60 * 1000,
} as const;
