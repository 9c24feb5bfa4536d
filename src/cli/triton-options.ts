import { ServeOptError } from '../errors.js';
import { parseDuration } from '../gates/units.js';
import {
  type Accelerator,
  type Priorities,
  type QueueTimeout,
  TENSORRT_PRECISIONS,
  type TritonDevice,
  type VersionPolicy,
} from '../targets/triton/triton-options.js';
import { readWholeNumber, whyNotWholeNumber } from '../workflows/limits.js';
import type {
  PackageEnsembleOptions,
  PackageTritonOptions,
} from '../workflows/package/triton/triton-package-options.js';
import { ONE_DIM, parseDims } from './dims.js';
import type { FlagName, FlagValues } from './flags.js';
import { readingOptions } from './reading-options.js';
import { given } from './workflow-options.js';

/** Flags of `package triton` for a model or an engine as options. @throws SO1006 for values that cannot be read */
export function tritonOptions(flags: FlagValues): PackageTritonOptions {
  // Here, --labels names the classes of an output.
  const { labels: _, ...ofData } = flags;
  const [intra = 0, inter = 0] = flags.threads ?? [];
  const threads = { ...(intra > 0 ? { intra } : {}), ...(inter > 0 ? { inter } : {}) };
  return {
    ...repositoryOptions(flags),
    ...given('maxBatch', flags['max-batch']),
    ...given('preferredBatches', flags.preferred),
    ...given('maxDelayMicroseconds', microseconds(flags['max-delay'], '--max-delay')),
    ...given('priorities', parsePriorities(flags.priority)),
    ...given('queueTimeout', parseQueueTimeout(flags['queue-timeout'])),
    ...given('instances', flags.instances),
    ...given('device', parseDevice(flags.device)),
    ...given('accelerator', parseAccelerator(flags.accelerator)),
    ...(flags.threads === undefined ? {} : { threads }),
    ...given('optimization', flags.optimization),
    ...given('cache', flags.cache),
    ...given('policy', parsePolicy(flags.policy)),
    ...given('sequence', flags.sequence),
    ...given('fields', flags.set),
    ...given('labelsPath', flags.labels),
    ...given('outputName', flags['output-name']),
    ...given('warmup', flags.warmup),
    ...given('dataPath', flags.data),
    ...readingOptions(ofData),
    ...given(
      'dims',
      flags.dim && new Map([...parseDims(flags.dim, ONE_DIM)].map(([name, [size = 1]]) => [name, size])),
    ),
    ...given('seed', flags.seed),
    ...given('platform', flags.platform),
    ...given('engineInputs', flags['engine-input']),
    ...given('engineOutputs', flags['engine-output']),
    ...(flags['no-verify'] ? { verify: false } : {}),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
  };
}

/** Flags that an ensemble has; the others are about one model. */
const OF_ENSEMBLES: ReadonlySet<string> = new Set<FlagName>([
  'output',
  'force',
  'dry-run',
  'name',
  'version',
  'max-batch',
  'cache',
  'policy',
  'set',
  'ensemble',
  'map',
  'json',
  'quiet',
  'verbose',
  'debug',
  'color',
  'no-color',
]);

/** Flags of `package triton --ensemble` as options. @throws SO1002 for flags that are about one model */
export function ensembleOptions(flags: FlagValues): PackageEnsembleOptions {
  const other = Object.keys(flags).find((flag) => !OF_ENSEMBLES.has(flag));
  if (other !== undefined) {
    throw new ServeOptError('SO1002', `--${other} and --ensemble contradict each other`, {
      why: 'an ensemble runs models that have their own configuration',
      hint: `give --${other} when you package the model`,
    });
  }
  return {
    ...repositoryOptions(flags),
    ...given('map', flags.map),
    ...given('maxBatch', flags['max-batch']),
    ...given('cache', flags.cache),
    ...given('policy', parsePolicy(flags.policy)),
    ...given('fields', flags.set),
  };
}

function repositoryOptions(flags: FlagValues) {
  return {
    ...given('name', flags.name),
    ...given('version', parseVersion(flags.version)),
    ...given('dryRun', flags['dry-run']),
    ...given('force', flags.force),
    ...given('link', flags.link),
  };
}

function notAllowed(text: string, flag: string, why: string, example: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, {
    why,
    hint: `write ${flag} ${example}`,
  });
}

/** A whole number from 1 on. @throws SO1006 */
function countOf(part: string, text: string, flag: string, example: string): number {
  const value = readWholeNumber(part.trim());
  const why = whyNotWholeNumber(value, { minimum: 1 });
  if (why !== undefined) throw notAllowed(text, flag, why, example);
  return value;
}

function parseVersion(text: string | undefined): number | 'next' | undefined {
  if (text === undefined || text === 'next') return text;
  return countOf(text, text, '--version', 'next');
}

function microseconds(text: string | undefined, flag: string): number | undefined {
  return text === undefined ? undefined : Math.round(parseDuration(text, flag) * 1000);
}

function parsePriorities(text: string | undefined): Priorities | undefined {
  if (text === undefined) return undefined;
  const [levels = '', level, ...rest] = text.split(':');
  if (rest.length > 0) throw notAllowed(text, '--priority', 'it must be the number of levels, and a level', '3:2');
  const count = countOf(levels, text, '--priority', '3:2');
  const defaultLevel = level === undefined ? Math.ceil((count + 1) / 2) : countOf(level, text, '--priority', '3:2');
  if (defaultLevel > count)
    throw notAllowed(text, '--priority', `there are ${count} levels, 1 being the most urgent`, `${count}:${count}`);
  return { levels: count, defaultLevel };
}

function parseQueueTimeout(text: string | undefined): QueueTimeout | undefined {
  if (text === undefined) return undefined;
  const [time = '', action = 'reject', ...rest] = text.split(':');
  if ((action !== 'reject' && action !== 'delay') || rest.length > 0)
    throw notAllowed(text, '--queue-timeout', 'it must be a duration, and reject or delay', '50ms:delay');
  return { microseconds: microseconds(time, '--queue-timeout') ?? 0, action };
}

function parseDevice(text: string | undefined): TritonDevice | undefined {
  if (text === undefined) return undefined;
  if (text === 'cpu') return { kind: 'cpu' };
  if (text === 'gpu') return { kind: 'gpu', ids: [] };
  const [, list] = /^gpu:(.+)$/.exec(text) ?? [];
  const ids = list?.split(',').map((id) => readWholeNumber(id.trim()));
  if (ids === undefined || ids.some((id) => whyNotWholeNumber(id) !== undefined))
    throw notAllowed(text, '--device', 'it must be cpu, gpu, or gpu: and numbers of GPUs', 'gpu:0,1');
  if (new Set(ids).size < ids.length) throw notAllowed(text, '--device', 'it has a GPU twice', 'gpu:0,1');
  return { kind: 'gpu', ids };
}

function parseAccelerator(text: string | undefined): Accelerator | undefined {
  if (text === undefined) return undefined;
  const [name = '', precision, ...rest] = text.split(':');
  const known = TENSORRT_PRECISIONS.find((each) => each === precision?.toLowerCase());
  if (name === 'openvino' && precision === undefined) return { name };
  if (name === 'tensorrt' && rest.length === 0) {
    if (precision === undefined) return { name };
    if (known !== undefined) return { name, precision: known };
    throw notAllowed(text, '--accelerator', `precisions are ${TENSORRT_PRECISIONS.join(', ')}`, 'tensorrt:fp16');
  }
  throw notAllowed(text, '--accelerator', 'it must be tensorrt, tensorrt:PRECISION or openvino', 'tensorrt:fp16');
}

function parsePolicy(text: string | undefined): VersionPolicy | undefined {
  if (text === undefined) return undefined;
  const [kind, list, ...rest] = text.split(':');
  if (kind === 'all' && list === undefined) return { kind };
  if (kind === 'latest' && rest.length === 0)
    return { kind, count: list === undefined ? 1 : countOf(list, text, '--policy', 'latest:2') };
  if (kind === 'specific' && list !== undefined && rest.length === 0) {
    const versions = list.split(',').map((version) => countOf(version, text, '--policy', 'specific:1,3'));
    if (new Set(versions).size < versions.length)
      throw notAllowed(text, '--policy', 'it has a version twice', 'specific:1,3');
    return { kind, versions };
  }
  throw notAllowed(text, '--policy', 'it must be latest:N, specific:N,M or all', 'latest:2');
}
