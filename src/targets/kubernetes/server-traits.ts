import { SERVER_IMAGES } from '../server-images.js';
import type { KubernetesOptions, KubernetesServer } from './options.js';

const MEBIBYTE = 2 ** 20;

/** Series of Prometheus: both counters, per model. */
export interface QueueMetrics {
  /** Time that requests waited, in µs. */
  readonly queueUs: string;
  readonly requests: string;
  readonly modelLabel: string;
  readonly versionLabel: string;
  /** Name of the quotient, where an adapter offers it to an HPA. */
  readonly perRequest: string;
}

/** What is peculiar to a server. */
export interface ServerTraits {
  readonly title: string;
  /** Bytes of the server without a model, and of each copy of a model besides what the model takes. */
  readonly serverBytes: number;
  readonly workerBytes: number;
  /** Time until the server answers without a model, in s. */
  readonly startSeconds: number;
  /** More time for what is installed at the start, in s. */
  readonly installSeconds: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  readonly metricsPath: string;
  /** Where the server looks for models. */
  readonly modelFolder: string;
  readonly metrics: QueueMetrics;
}

const TRITON_METRICS: QueueMetrics = {
  queueUs: 'nv_inference_queue_duration_us',
  requests: 'nv_inference_request_success',
  modelLabel: 'model',
  versionLabel: 'version',
  perRequest: 'nv_inference_queue_us_per_request',
};

/**
 * Times and sizes of the servers themselves were measured with tritonserver 2.51 (ready after 2 s, 40 MB) and TorchServe 0.12 (8 s,
 * 190 MB for Java and 260 MB for a worker) on two cores, and leave room: Triton's image loads a larger ONNX Runtime backend, Java
 * grows its heap, and newer versions of torch are larger.
 */
const TRAITS: Readonly<Record<KubernetesServer, ServerTraits>> = {
  triton: {
    title: 'Triton Inference Server',
    serverBytes: 256 * MEBIBYTE,
    workerBytes: 0,
    startSeconds: 4,
    installSeconds: 0,
    httpPort: 8000,
    grpcPort: 8001,
    metricsPort: 8002,
    metricsPath: '/metrics',
    modelFolder: '/models',
    metrics: TRITON_METRICS,
  },
  torchserve: {
    title: 'TorchServe',
    serverBytes: 512 * MEBIBYTE,
    workerBytes: 448 * MEBIBYTE,
    startSeconds: 8,
    // onnxruntime and what else the archive requires come from a package index at each start.
    installSeconds: 180,
    httpPort: 8080,
    grpcPort: 7070,
    metricsPort: 8082,
    metricsPath: '/metrics',
    modelFolder: '/models',
    metrics: {
      queueUs: 'ts_queue_latency_microseconds',
      requests: 'ts_inference_requests_total',
      modelLabel: 'model_name',
      versionLabel: 'model_version',
      perRequest: 'ts_queue_us_per_request',
    },
  },
  kserve: {
    title: 'KServe with its Triton runtime',
    serverBytes: 256 * MEBIBYTE,
    workerBytes: 0,
    startSeconds: 4,
    installSeconds: 0,
    httpPort: 8080,
    grpcPort: 9000,
    metricsPort: 8002,
    metricsPath: '/metrics',
    modelFolder: '/mnt/models',
    metrics: TRITON_METRICS,
  },
};

export function serverTraits(server: KubernetesServer): ServerTraits {
  return TRAITS[server];
}

/** Image of the server container; undefined where KServe's runtime has its own. */
export function serverImage({
  server,
  image,
  gpus,
}: Pick<KubernetesOptions, 'server' | 'image' | 'gpus'>): string | undefined {
  if (image !== undefined) return image;
  if (server === 'kserve') return undefined;
  if (server === 'triton') return SERVER_IMAGES.triton;
  return gpus > 0 ? SERVER_IMAGES.torchserveGpu : SERVER_IMAGES.torchserveCpu;
}
