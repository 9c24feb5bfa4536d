/** What to build and measure, independent of the version of TensorRT. */
import type { EngineProfile, TensorRtPrecision } from '../../report/tensorrt-types.js';

/** Values of `--precision`. */
export const TENSORRT_PRECISIONS = [
  'model',
  'fp16',
  'bf16',
  'int8',
  'fp8',
  'best',
] as const satisfies readonly TensorRtPrecision[];

/** How TensorRT may use weights with two zeros in each four. */
export const SPARSITIES = ['disable', 'enable', 'force'] as const;
export type Sparsity = (typeof SPARSITIES)[number];

/** GPUs that an engine runs on besides the one it was built on. */
export const HARDWARE_LEVELS = ['none', 'ampere+', 'sameComputeCapability'] as const;
export type HardwareLevel = (typeof HARDWARE_LEVELS)[number];

/** Element types in the graph that decide options of weakly typed builds. */
export interface GraphTypes {
  readonly float16: boolean;
  readonly bfloat16: boolean;
  /** QuantizeLinear or DequantizeLinear to INT8. */
  readonly int8Pairs: boolean;
  /** QuantizeLinear or DequantizeLinear to FLOAT8. */
  readonly float8Pairs: boolean;
}

export interface BuildPlan {
  /** Path of the ONNX model. */
  readonly onnxPath: string;
  /** Path that the engine is written to. */
  readonly enginePath: string;
  readonly precision: TensorRtPrecision;
  readonly graphTypes: GraphTypes;
  readonly profiles: readonly EngineProfile[];
  /** Calibration cache of TensorRT 8 to 10. */
  readonly calibrationCachePath?: string;
  readonly workspaceMiB?: number;
  readonly timingCachePath?: string;
  readonly builderLevel?: number;
  readonly sparsity?: Sparsity;
  readonly versionCompatible?: boolean;
  readonly hardwareLevel?: HardwareLevel;
  readonly stripWeights?: boolean;
  readonly refit?: boolean;
  readonly tf32?: boolean;
  /** DLA core; layers it cannot take fall back to the GPU. */
  readonly dlaCore?: number;
}

export interface MeasurePlan {
  /** False builds only. */
  readonly measure: boolean;
  /** Index of the profile to measure. */
  readonly profile: number;
  /** Shapes to run by input, where they differ from the optimum of the profile. */
  readonly shapes: readonly { readonly name: string; readonly dims: readonly number[] }[];
  readonly durationS: number;
  readonly warmUpMs?: number;
  readonly streams: number;
  readonly cudaGraph: boolean;
  readonly transfers: boolean;
  readonly spinWait: boolean;
  /** In percent, ascending. */
  readonly percentiles: readonly number[];
}

export interface DevicePlan {
  readonly device?: number;
  readonly plugins: readonly string[];
  /** Options of trtexec as they are, `--maxTactics=8`. */
  readonly extra: readonly string[];
  readonly verbose: boolean;
}

/** Files that trtexec writes beside the engine. */
export interface ExportPaths {
  readonly times: string;
  readonly profile: string;
  readonly layers: string;
}

/** The whole of it. */
export interface TensorRtPlan {
  /** Absent: an engine that is there is measured. */
  readonly build?: BuildPlan;
  /** Engine to load, where none is built. */
  readonly loadEnginePath?: string;
  /** It holds a runtime of its own, as version-compatible engines do. */
  readonly loadsRuntime?: boolean;
  /** DLA core that it was built for. */
  readonly loadDlaCore?: number;
  readonly measure: MeasurePlan;
  readonly device: DevicePlan;
  readonly exports?: ExportPaths | undefined;
  /** Only the times of queries, where nothing else is exported. */
  readonly exportTimes?: string;
}

/** Defaults of the plan, as help shows them. */
export const TENSORRT_DEFAULTS = {
  precision: 'model',
  streams: 1,
  cudaGraph: true,
  transfers: false,
  spinWait: true,
  percentiles: [50, 90, 95, 99],
} as const;
