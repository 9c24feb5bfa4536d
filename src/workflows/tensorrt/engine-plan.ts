/** From options to the plan that is rendered for a version. */
import { join, resolve } from 'node:path';
import type { EngineProfile } from '../../report/tensorrt-types.js';
import { PATH_FLAGS } from '../../targets/tensorrt/docker.js';
import {
  type BuildPlan,
  type DevicePlan,
  type ExportPaths,
  type GraphTypes,
  type MeasurePlan,
  TENSORRT_DEFAULTS,
  type TensorRtPlan,
} from '../../targets/tensorrt/plan.js';
import {
  ENGINE_DEFAULTS,
  type EngineMeasureOptions,
  type TensorRtOptions,
  type TrtexecOptions,
} from './tensorrt-options.js';

const MIB = 2 ** 20;

export interface BuildFacts {
  /** The ONNX model that trtexec reads. */
  readonly onnxPath: string;
  readonly enginePath: string;
  readonly graphTypes: GraphTypes;
  readonly profiles: readonly EngineProfile[];
  readonly exports: ExportPaths | undefined;
}

/** Builds an engine, and measures it unless told not to. */
export function buildPlan(facts: BuildFacts, options: TensorRtOptions): TensorRtPlan {
  const { exports } = facts;
  return {
    build: buildPart(facts, options),
    measure: measurePart(options, options.measure ?? true, []),
    device: devicePart(options),
    ...(exports ? { exports } : {}),
  };
}

/** What an engine was built for that loading it has to be told. */
export type BuiltFor = Pick<TensorRtOptions, 'versionCompatible' | 'dlaCore'>;

/** Measures an engine that is there. */
export function loadPlan(
  enginePath: string,
  exports: ExportPaths | undefined,
  shapes: MeasurePlan['shapes'],
  options: EngineMeasureOptions & TrtexecOptions,
  built: BuiltFor = {},
): TensorRtPlan {
  return {
    loadEnginePath: resolve(enginePath),
    ...(built.versionCompatible ? { loadsRuntime: true } : {}),
    ...(built.dlaCore === undefined ? {} : { loadDlaCore: built.dlaCore }),
    measure: measurePart(options, true, shapes),
    device: devicePart(options),
    ...(exports ? { exports } : {}),
  };
}

/** Names of exports in a folder. */
export function exportPaths(folder: string): ExportPaths {
  return {
    times: join(folder, 'times.json'),
    profile: join(folder, 'profile.json'),
    layers: join(folder, 'layers.json'),
  };
}

function buildPart({ onnxPath, enginePath, graphTypes, profiles }: BuildFacts, options: TensorRtOptions): BuildPlan {
  const { workspaceBytes, timingCachePath, calibrationCachePath } = options;
  return {
    onnxPath: resolve(onnxPath),
    enginePath: resolve(enginePath),
    precision: options.precision ?? TENSORRT_DEFAULTS.precision,
    graphTypes,
    profiles,
    ...(calibrationCachePath === undefined ? {} : { calibrationCachePath: resolve(calibrationCachePath) }),
    ...(workspaceBytes === undefined ? {} : { workspaceMiB: Number((workspaceBytes / MIB).toFixed(3)) }),
    ...(timingCachePath === undefined ? {} : { timingCachePath: resolve(timingCachePath) }),
    ...(options.builderLevel === undefined ? {} : { builderLevel: options.builderLevel }),
    ...(options.sparsity === undefined ? {} : { sparsity: options.sparsity }),
    ...(options.versionCompatible === undefined ? {} : { versionCompatible: options.versionCompatible }),
    ...(options.hardware === undefined ? {} : { hardwareLevel: options.hardware }),
    ...(options.stripWeights === undefined ? {} : { stripWeights: options.stripWeights }),
    ...(options.refit === undefined ? {} : { refit: options.refit }),
    ...(options.tf32 === undefined ? {} : { tf32: options.tf32 }),
    ...(options.dlaCore === undefined ? {} : { dlaCore: options.dlaCore }),
  };
}

function measurePart(options: EngineMeasureOptions, measure: boolean, shapes: MeasurePlan['shapes']): MeasurePlan {
  return {
    measure,
    profile: 0,
    shapes,
    durationS: Number(((options.durationMs ?? ENGINE_DEFAULTS.durationMs) / 1000).toFixed(3)),
    streams: options.inferenceStreams ?? TENSORRT_DEFAULTS.streams,
    cudaGraph: options.cudaGraph ?? TENSORRT_DEFAULTS.cudaGraph,
    transfers: options.transfers ?? TENSORRT_DEFAULTS.transfers,
    spinWait: TENSORRT_DEFAULTS.spinWait,
    percentiles: [...(options.percentiles ?? TENSORRT_DEFAULTS.percentiles)].sort((a, b) => a - b),
  };
}

/** Paths in options of the user as whole ones. */
function withWholePath(flag: string): string {
  const at = flag.indexOf('=');
  return at > 0 && PATH_FLAGS.has(flag.slice(0, at)) ? `${flag.slice(0, at)}=${resolve(flag.slice(at + 1))}` : flag;
}

function devicePart({ gpu, plugins = [], trtexecFlags = [], verboseLog = false, image }: TrtexecOptions): DevicePlan {
  return {
    // A container sees only the GPU that it is given.
    ...(gpu === undefined || image !== undefined ? {} : { device: gpu }),
    plugins: plugins.map((path) => resolve(path)),
    // A container has another folder to work in.
    extra: image === undefined ? trtexecFlags : trtexecFlags.map(withWholePath),
    verbose: verboseLog,
  };
}
