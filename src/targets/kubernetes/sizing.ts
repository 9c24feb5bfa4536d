import type { Measurements } from './measurements.js';
import type { KubernetesOptions } from './options.js';
import type { ServerTraits } from './server-traits.js';

const MEBIBYTE = 2 ** 20;
/** Sizes are rounded up to this, so that two measurements of one model give the same manifests. */
const MEMORY_STEP = 64 * MEBIBYTE;
/** Room above what was measured: other shapes and fragmentation. */
const MODEL_FACTOR = 1.25;
/** Limit of memory over its request: a pod beyond it is killed. */
const LIMIT_FACTOR = 1.5;
/** Host memory of CUDA's libraries and context. */
const GPU_BYTES = 1024 * MEBIBYTE;
/** How much longer than here a start may take on another machine, with cold file caches. */
const START_FACTOR = 10;
const LEAST_START_SECONDS = 60;
/** Seconds for endpoints to be withdrawn before the server is stopped. */
const WITHDRAW_SECONDS = 5;
const DRAIN_SECONDS = 25;

/** What a pod asks for, and how patient its probes are: each figure with its rule in docs/kubernetes.md. */
export interface Sizing {
  readonly cpuCores: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
  /** Expected start of the server with its models, in s. */
  readonly expectedStartSeconds: number;
  readonly startup: Timing;
  readonly readiness: Timing;
  readonly liveness: Timing;
  readonly preStopSeconds: number;
  readonly drainSeconds: number;
  readonly graceSeconds: number;
  /** Mean time in a queue that an autoscaler holds, in µs. */
  readonly queueUs: number;
  readonly temporaryBytes: number;
}

/** Seconds, and a count. */
export interface Timing {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/**
 * Requests, limits and delays from what was measured:
 * memory = server + copies × (worker + 1.25 × model), the limit 1.5 times that; CPU = copies × threads; the startup probe waits for
 * the expected start, and allows ten times as long.
 */
export function sizePods(
  traits: ServerTraits,
  { models, threads }: Measurements,
  { instances, maximumQueueUs, gpus }: Pick<KubernetesOptions, 'instances' | 'maximumQueueUs' | 'gpus'>,
  modelFileBytes: number,
): Sizing {
  const sum = (of: (each: (typeof models)[number]) => number): number =>
    models.reduce((total, each) => total + of(each), 0);
  const largest = (of: (each: (typeof models)[number]) => number): number => Math.max(0, ...models.map(of));
  const copyBytes = traits.workerBytes + MODEL_FACTOR * sum((each) => each.modelBytes);
  const requestBytes = traits.serverBytes + (gpus > 0 ? GPU_BYTES : 0) + instances * copyBytes;
  const loadSeconds = (instances * sum((each) => each.sessionMs + each.firstRunMs)) / 1000;
  const expected = Math.ceil(traits.startSeconds + loadSeconds);
  const tailSeconds = largest((each) => each.tailMs) / 1000;
  const period = clamp(Math.ceil(expected / 5), 1, 10);
  const patience = Math.max(LEAST_START_SECONDS, START_FACTOR * expected) + traits.installSeconds;
  const timeoutSeconds = clamp(1 + Math.ceil(2 * tailSeconds), 2, 30);
  const drainSeconds = DRAIN_SECONDS + Math.ceil(10 * tailSeconds);
  return {
    cpuCores: instances * threads,
    memoryRequestBytes: roundUp(requestBytes),
    memoryLimitBytes: roundUp(requestBytes * LIMIT_FACTOR),
    expectedStartSeconds: expected,
    startup: {
      initialDelaySeconds: expected,
      periodSeconds: period,
      timeoutSeconds,
      failureThreshold: Math.ceil(patience / period),
    },
    readiness: { initialDelaySeconds: 0, periodSeconds: 5, timeoutSeconds, failureThreshold: 3 },
    // Restarting a busy server loses what it has in its queue: it gets a minute.
    liveness: { initialDelaySeconds: 0, periodSeconds: 10, timeoutSeconds, failureThreshold: 6 },
    preStopSeconds: WITHDRAW_SECONDS,
    drainSeconds,
    graceSeconds: WITHDRAW_SECONDS + drainSeconds + 5,
    queueUs: maximumQueueUs ?? defaultQueueUs(largest((each) => each.p50Ms)),
    temporaryBytes: roundUp(512 * MEBIBYTE + 2 * modelFileBytes),
  };
}

/** A request may wait about as long as it is computed, and at least 1 ms: one digit of it, rounded up. */
function defaultQueueUs(p50Ms: number): number {
  const us = Math.max(1000, p50Ms * 1000);
  const unit = 10 ** Math.floor(Math.log10(us));
  return Math.ceil(Number((us / unit).toPrecision(12))) * unit;
}

/** `512Mi`. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)}Mi`;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / MEMORY_STEP) * MEMORY_STEP;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
