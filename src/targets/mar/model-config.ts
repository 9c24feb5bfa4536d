import { yamlText } from '../yaml-text.js';
import { DEFAULT_BATCH_SIZE, type MarOptions } from './mar-options.js';
import type { ServedBatch } from './served-batch.js';

/** The model's own configuration for TorchServe, as YAML. */
export function modelConfigText(options: MarOptions, batch: ServedBatch): string {
  const { workers, maxBatchDelayMs, responseTimeoutSeconds, startupTimeoutSeconds, device, deviceIds } = options;
  return yamlText({
    minWorkers: workers,
    maxWorkers: workers,
    batchSize: servedBatchSize(options, batch),
    maxBatchDelay: maxBatchDelayMs,
    responseTimeout: responseTimeoutSeconds,
    startupTimeout: startupTimeoutSeconds,
    ...(device === 'auto' ? {} : { deviceType: device }),
    ...(deviceIds ? { deviceIds } : {}),
    // 0: the processors divided by the workers.
    handler: { intraOpThreads: options.threads ?? 0 },
  });
}

/** Requests that a worker gets at once. */
export function servedBatchSize({ batchSize }: MarOptions, { kind }: ServedBatch): number {
  return batchSize ?? (kind === 'open' ? DEFAULT_BATCH_SIZE : 1);
}
