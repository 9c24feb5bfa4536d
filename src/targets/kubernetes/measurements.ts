/** What one model costs, measured by `bench` in ONNX Runtime; times in ms, sizes in bytes. */
export interface ModelMeasurement {
  readonly model: string;
  /** Longest creation of a session, and longest first run, among the cold starts. */
  readonly sessionMs: number;
  readonly firstRunMs: number;
  /** Number of cold starts. */
  readonly starts: number;
  /** Peak memory above a process without the model. */
  readonly modelBytes: number;
  readonly p50Ms: number;
  /** The highest quantile that was reported, p99 where there were enough runs. */
  readonly tailMs: number;
  readonly tailName: string;
  /** What was fed, for example `float[1,3,32,32]`. */
  readonly inputs: readonly string[];
}

/** Where sizes and delays come from. */
export interface Measurements {
  /** `estimated` from the size of the file, where nothing was run. */
  readonly kind: 'measured' | 'estimated';
  /** A report's name, or what was done. */
  readonly source: string;
  readonly models: readonly ModelMeasurement[];
  /** Threads of one copy of a model. */
  readonly threads: number;
  readonly cpu?: string;
  readonly onnxRuntimeVersion?: string;
}

/** What was measured of a model, before what matters is taken from it. */
export interface MeasuredParts {
  readonly inputs: readonly string[];
  readonly starts: readonly { readonly sessionMs: number; readonly firstRunMs: number }[];
  readonly modelBytes?: number;
  /** Known quantiles of the latency, in order. */
  readonly quantiles: readonly { readonly probability: number; readonly name: string; readonly ms: number }[];
}

/** The quantile that probes and draining go by, where there are enough runs for it. */
const TAIL = 0.99;

/** The figures that manifests are made from; undefined where cold starts, memory or the median are missing. */
export function measurementFrom(
  model: string,
  { inputs, starts, modelBytes, quantiles }: MeasuredParts,
): ModelMeasurement | undefined {
  const tail = quantiles.filter(({ probability }) => probability <= TAIL).at(-1);
  const median = quantiles.find(({ probability }) => probability === 0.5);
  if (starts.length === 0 || modelBytes === undefined || tail === undefined || median === undefined) return undefined;
  return {
    model,
    sessionMs: Math.max(...starts.map(({ sessionMs }) => sessionMs)),
    firstRunMs: Math.max(...starts.map(({ firstRunMs }) => firstRunMs)),
    starts: starts.length,
    modelBytes,
    p50Ms: median.ms,
    tailMs: tail.ms,
    tailName: tail.name,
    inputs,
  };
}

/** What a model is taken to cost where nothing was run. */
export interface EstimateInput {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Weights are in memory twice while they are repacked; activations come on top. */
const ESTIMATED_MEMORY_FACTOR = 3;
const ESTIMATED_LEAST_BYTES = 64 * 2 ** 20;
/** A slow network disk. */
const ESTIMATED_BYTES_PER_MS = 50_000;
const ESTIMATED_LATENCY_MS = 100;

/** Costs from sizes of files alone: on the safe side, and marked as estimated. */
export function estimateCost({ name, sizeBytes }: EstimateInput): ModelMeasurement {
  return {
    model: name,
    sessionMs: 500 + sizeBytes / ESTIMATED_BYTES_PER_MS,
    firstRunMs: ESTIMATED_LATENCY_MS,
    starts: 0,
    modelBytes: Math.max(ESTIMATED_LEAST_BYTES, sizeBytes * ESTIMATED_MEMORY_FACTOR),
    p50Ms: ESTIMATED_LATENCY_MS,
    tailMs: ESTIMATED_LATENCY_MS,
    tailName: 'p50',
    inputs: [],
  };
}
