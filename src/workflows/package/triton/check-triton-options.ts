import { ServeOptError } from '../../../errors.js';
import { LARGEST_SIZE, whyNotWholeNumber } from '../../limits.js';
import type { PackageTritonOptions, RepositoryOptions } from './triton-package-options.js';

/** Checks options of every call that writes into a repository. @throws SO1006 */
export function checkRepositoryOptions({ version }: RepositoryOptions): void {
  if (version !== undefined && version !== 'next') checkNumber(version, '--version', 1);
}

/** Checks options that contradict each other or are no numbers, before anything is read. @throws SO1002, SO1006 */
export function checkTritonOptions(options: PackageTritonOptions): void {
  checkRepositoryOptions(options);
  const {
    maxBatch,
    preferredBatches = [],
    instances,
    maxDelayMicroseconds,
    priorities,
    queueTimeout,
    threads,
  } = options;
  if (maxBatch !== undefined) checkNumber(maxBatch, '--max-batch', 0);
  for (const size of preferredBatches) checkNumber(size, '--preferred', 1);
  if (instances !== undefined) checkNumber(instances, '--instances', 1, 1024);
  if (maxDelayMicroseconds !== undefined) checkNumber(maxDelayMicroseconds, '--max-delay', 0);
  if (queueTimeout !== undefined) checkNumber(queueTimeout.microseconds, '--queue-timeout', 1);
  if (threads?.intra !== undefined) checkNumber(threads.intra, '--threads', 1, 1024);
  if (threads?.inter !== undefined) checkNumber(threads.inter, '--threads', 1, 1024);
  if (priorities !== undefined) {
    checkNumber(priorities.levels, '--priority', 1, 1000);
    checkNumber(priorities.defaultLevel, '--priority', 1, priorities.levels);
  }
  const needsWarmup = (['dataPath', 'dims', 'seed'] as const).find((key) => options[key] !== undefined);
  if (needsWarmup !== undefined && !options.warmup) {
    const flag = { dataPath: '--data', dims: '--dim', seed: '--seed' }[needsWarmup];
    throw new ServeOptError('SO1002', `${flag} needs --warmup`, {
      why: 'samples are for the requests that the server runs first',
      hint: `add --warmup, or leave ${flag} out`,
    });
  }
  const { preprocess, tokenizerPath } = options.reading ?? {};
  if (options.reading && options.dataPath === undefined) {
    const flag = preprocess ? '--preprocess' : tokenizerPath === undefined ? '--max-length' : '--tokenizer';
    throw new ServeOptError('SO1002', `${flag} needs --data`, {
      why: 'synthetic inputs are made without files',
      hint: `add --warmup --data SAMPLES, or leave ${flag} out`,
    });
  }
  if (preprocess && tokenizerPath !== undefined)
    throw new ServeOptError('SO1002', '--preprocess cannot be used with --tokenizer', {
      why: 'one is for images, the other for texts',
      hint: 'leave one of them out',
    });
  if (options.outputName !== undefined && options.labelsPath === undefined)
    throw new ServeOptError('SO1002', '--output-name needs --labels', { hint: 'add --labels labels.txt' });
}

function checkNumber(value: number, flag: string, minimum: number, maximum = LARGEST_SIZE): void {
  const why = whyNotWholeNumber(value, { minimum, maximum });
  if (why !== undefined) throw new ServeOptError('SO1006', `The value "${value}" of ${flag} is not allowed`, { why });
}
