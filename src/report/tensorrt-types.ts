/** What `tensorrt` reports, as plain data: the document beside an engine. Times in ms unless named otherwise, sizes in bytes. */
import type { BenchVerdict, RegressionReport } from '../bench/results.js';
import type { BudgetReport } from '../gates/budget-report.js';
import type { EnvironmentReport } from '../runtime/environment.js';
import type { ConfigurationReport } from './bench-types.js';
import type { ReportFile, ReportHeader, ReportModel } from './types.js';

/** What the layers of an engine may compute in; `model` leaves that to the types in the graph. */
export type TensorRtPrecision = 'model' | 'fp16' | 'bf16' | 'int8' | 'fp8' | 'best';

/** An input or output of an engine. */
export interface EngineTensor {
  readonly name: string;
  /** ONNX name of the type, for example `float` or `int64`. */
  readonly type: string;
  /** A size for each dimension; -1 where profiles give a range. Absent where the model does not state the rank. */
  readonly dims?: readonly number[];
  /** Symbols of open dimensions in the ONNX model, `null` where a dimension has none. */
  readonly symbols?: readonly (string | null)[];
}

/** Sizes of one input in an optimization profile. */
export interface ProfileShape {
  readonly name: string;
  readonly min: readonly number[];
  readonly opt: readonly number[];
  readonly max: readonly number[];
}

/** One optimization profile; the index in the list is the index in the engine. Only inputs with open dimensions are in it. */
export interface EngineProfile {
  readonly inputs: readonly ProfileShape[];
}

/** The GPU, from the log of trtexec. */
export interface TensorRtDevice {
  readonly name: string;
  /** For example `8.6`. */
  readonly computeCapability?: string;
  readonly multiprocessors?: number;
  readonly memoryMiB?: number;
  /** Application clocks in GHz, as trtexec prints them: what the device is set to, not what it ran at. */
  readonly computeClockGHz?: number;
  readonly memoryClockGHz?: number;
}

/** One of the times that trtexec sums up. Absent figures were not printed. */
export interface TensorRtSpan {
  readonly minMs: number;
  readonly maxMs: number;
  readonly meanMs: number;
  readonly medianMs: number;
  readonly percentiles: readonly { readonly percent: number; readonly ms: number }[];
}

/** The summary of one trtexec run. */
export interface TensorRtSummary {
  /** Queries per second: one query is one run of the whole batch. */
  readonly queriesPerSecond?: number;
  /** Queries after the warm-up. */
  readonly queries?: number;
  readonly latency?: TensorRtSpan;
  /** TensorRT 8.0 and earlier: from the start of the transfer of one query to the end of that of its result. */
  readonly endToEnd?: TensorRtSpan;
  /** Time of the CPU to enqueue a query. */
  readonly enqueue?: TensorRtSpan;
  readonly hostToDevice?: TensorRtSpan;
  readonly gpuCompute?: TensorRtSpan;
  readonly deviceToHost?: TensorRtSpan;
  readonly hostWalltimeS?: number;
  readonly gpuComputeS?: number;
}

/** A layer of an engine. */
export interface EngineLayer {
  readonly name: string;
  /** TensorRT's type of layer; absent at the default verbosity. */
  readonly type?: string;
  /** Nodes of the ONNX model that were fused into it; empty where it is a node or a copy of its own. */
  readonly fused: readonly string[];
  /** Types of its outputs, for example `FP16`; absent at the default verbosity. */
  readonly precision?: string;
  readonly averageMs?: number;
  readonly medianMs?: number;
  /** Of the time in all layers, 0 to 1. */
  readonly share?: number;
}

/** How the engine was measured. Reports with other conditions are not compared. */
export interface TensorRtConditions {
  /** Copies of inputs and outputs are part of the latency. */
  readonly transfers: boolean;
  readonly cudaGraph: boolean;
  readonly spinWait: boolean;
  readonly streams: number;
  /** Fresh trtexec processes. */
  readonly processes: number;
  /** Shapes that were run, by input. */
  readonly shapes: readonly { readonly name: string; readonly dims: readonly number[] }[];
}

/** Types that serve-opt converts a graph to. */
export type TensorRtConversionMode = 'fp16' | 'bf16' | 'int8' | 'fp8';

/** A graph that serve-opt converted before TensorRT got it. */
export interface TensorRtConversion {
  readonly mode: TensorRtConversionMode;
  readonly model: ReportModel;
  /** Layers that were converted. */
  readonly layers: number;
  readonly calibration?: { readonly source: string; readonly samples: number };
  /** Against the original, in ONNX Runtime: the noise of the worst output, and the share of samples with the same class. */
  readonly worstSqnrDb?: number;
  readonly sameClass?: number;
}

/** Answer of `tensorrt --dry-run`: what would be run. */
export interface TensorRtPlanReport extends ReportHeader {
  readonly command: 'tensorrt';
  readonly dryRun: true;
  readonly tensorRtVersion: string;
  /** Programs with their arguments, in order. */
  readonly commands: readonly (readonly string[])[];
  readonly profiles: readonly EngineProfile[];
}

/** Answer of `tensorrt`, and the document beside the engine (`model.plan` → `model.report.json`). */
export interface TensorRtReport extends ReportHeader {
  readonly command: 'tensorrt';
  /** The ONNX model; absent where an engine was only measured. */
  readonly model?: ReportModel;
  readonly engine: ReportFile;
  /** For example `10.16.0`; absent where trtexec did not print it. */
  readonly tensorRtVersion?: string;
  readonly precision: TensorRtPrecision;
  readonly converted?: TensorRtConversion;
  readonly inputs: readonly EngineTensor[];
  readonly outputs: readonly EngineTensor[];
  /** Empty where no input has an open dimension. */
  readonly profiles: readonly EngineProfile[];
  readonly device?: TensorRtDevice;
  /** Absent where an engine was only measured. */
  readonly build?: { readonly seconds?: number; readonly parseSeconds?: number };
  /** Arguments of trtexec, with the names of files for their paths. */
  readonly trtexec: readonly string[];
  /** The container image that trtexec ran in. */
  readonly image?: string;
  /** Absent without a measurement. */
  readonly conditions?: TensorRtConditions;
  /** The summary of each process. */
  readonly summaries: readonly TensorRtSummary[];
  /** The measurement in the form of `bench`: latency and throughput over all processes. */
  readonly measurement?: ConfigurationReport;
  readonly layers: readonly EngineLayer[];
  /** The machine; absent without a measurement. */
  readonly environment?: EnvironmentReport;
  readonly budgets: readonly BudgetReport[];
  readonly regressions: readonly RegressionReport[];
  /** Of all gates together; absent without any. */
  readonly verdict?: BenchVerdict;
}
