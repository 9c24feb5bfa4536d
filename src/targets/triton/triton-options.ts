/** What can be chosen when a model is put into a Triton repository, as plain data. Times are in microseconds. */

/** Where instances of a model run. GPUs are numbered as the server sees them; without numbers, all of them. */
export type TritonDevice = { readonly kind: 'cpu' } | { readonly kind: 'gpu'; readonly ids: readonly number[] };

/** Which versions the server loads. */
export type VersionPolicy =
  | { readonly kind: 'all' }
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'specific'; readonly versions: readonly number[] };

/** Precisions of the TensorRT accelerator, in lower case. */
export const TENSORRT_PRECISIONS = ['fp32', 'fp16', 'bf16', 'int8'] as const;

/** What ONNX Runtime hands parts of the graph to. */
export type Accelerator =
  | { readonly name: 'tensorrt'; readonly precision?: (typeof TENSORRT_PRECISIONS)[number] }
  | { readonly name: 'openvino' };

/** How far ONNX Runtime optimizes the graph when the server loads it. */
export const GRAPH_OPTIMIZATIONS = ['off', 'basic', 'extended', 'all'] as const;
export type GraphOptimization = (typeof GRAPH_OPTIMIZATIONS)[number];

/** Schedulers of stateful models. */
export const SEQUENCE_STRATEGIES = ['direct', 'oldest'] as const;
export type SequenceStrategy = (typeof SEQUENCE_STRATEGIES)[number];

/** Priority levels of requests: 1 is the most urgent. */
export interface Priorities {
  readonly levels: number;
  /** Of requests that name none. */
  readonly defaultLevel: number;
}

/** What happens to a request that waits too long. */
export interface QueueTimeout {
  readonly microseconds: number;
  /** `delay` serves it after all others. */
  readonly action: 'reject' | 'delay';
}

/** How a model is served. What is absent is left to the server. */
export interface ServingOptions {
  /** Rows of one run at most; 0 for no batching. Default 8 where the model can be batched. */
  readonly maxBatch?: number;
  /** Batch sizes that the server waits for. */
  readonly preferredBatches?: readonly number[];
  /** How long a request may wait for others, in microseconds. */
  readonly maxDelayMicroseconds?: number;
  readonly priorities?: Priorities;
  readonly queueTimeout?: QueueTimeout;
  /** Copies of the model on each device. */
  readonly instances?: number;
  readonly device?: TritonDevice;
  readonly accelerator?: Accelerator;
  /** Threads of ONNX Runtime. */
  readonly threads?: { readonly intra?: number; readonly inter?: number };
  readonly optimization?: GraphOptimization;
  /** Keep responses for requests that come again. */
  readonly cache?: boolean;
  readonly policy?: VersionPolicy;
  /** Keep the requests of a sequence on one instance. */
  readonly sequence?: SequenceStrategy;
  /** Other fields of the configuration, each as `path.to.field=value`. */
  readonly fields?: readonly string[];
}

/** Rows of a batch where nothing is said. */
export const DEFAULT_MAX_BATCH = 8;
