import { parseBudget, parseDuration, parseShare } from '../bench/budgets.js';
import { ServeOptError } from '../errors.js';
import { parseProviderChoice } from '../runtime/provider-choice.js';
import type { BenchServerOptions } from '../workflows/bench-server/open-server-bench.js';
import { BENCH_DEFAULTS, type BenchOptions } from '../workflows/options.js';
import type { CommandContext } from './command.js';
import type { FlagName, FlagValues } from './flags.js';
import { given, memoryOption, workflowContext } from './workflow-options.js';

/** A dimension among the arguments: `--dim batch=1,8 seq=128` names two. */
const DIM = /^[^=/\\]+=\d+(,\d+)*$/;

/** The paths among the arguments, and the dimensions that follow `--dim` without a flag of their own. */
export function benchArguments(
  args: readonly string[],
  flags: FlagValues,
): { readonly paths: readonly string[]; readonly dims: readonly string[] } {
  const isDim = (word: string): boolean => flags.dim !== undefined && DIM.test(word);
  return { paths: args.filter((word) => !isDim(word)), dims: [...(flags.dim ?? []), ...args.filter(isDim)] };
}

/** Flags that belong to one way of measuring only. */
const LOCAL_ONLY = [
  'threads',
  'mem',
  'ep',
  'profile',
  'baseline',
  'min-effect',
  'processes',
  'scenario',
  'streams',
  'allow-links',
] as const satisfies readonly FlagName[];
const SERVER_ONLY = [
  'protocol',
  'model',
  'concurrency',
  'header',
  'timeout',
  'max-tokens',
] as const satisfies readonly FlagName[];

/**
 * Flags of `bench` as options. @throws SO1002 for flags that contradict each other, SO1006 for values that cannot be read
 */
export function benchOptions(context: CommandContext, flags: FlagValues, dims: readonly string[]): BenchOptions {
  for (const name of SERVER_ONLY) {
    if (flags[name] === undefined) continue;
    throw new ServeOptError('SO1002', `--${name} needs --url`, { why: 'it is about a running server' });
  }
  const scenario = flags.scenario ?? (flags.rate === undefined ? undefined : 'server');
  if (flags.rate !== undefined && scenario !== 'server') contradict('--rate', `--scenario ${scenario}`);
  if (scenario === 'server' && flags.rate === undefined) {
    throw new ServeOptError('SO1002', '--scenario server needs --rate', { hint: 'add --rate 100, requests a second' });
  }
  if (flags.streams !== undefined && scenario !== undefined && scenario !== 'multi-stream')
    contradict('--streams', `--scenario ${scenario}`);
  if (flags['min-effect'] !== undefined && flags.baseline === undefined) {
    throw new ServeOptError('SO1002', '--min-effect needs --baseline', { why: 'it is about the difference from one' });
  }
  if (flags.arrivals !== undefined && flags.rate === undefined) {
    throw new ServeOptError('SO1002', '--arrivals needs --rate', { hint: 'add --rate 100, requests a second' });
  }
  const providers = flags.ep?.flatMap((text) => text.split(','));
  // Read here only to refuse a wrong name before any file is opened.
  providers?.forEach(parseProviderChoice);
  return {
    ...workflowContext(context),
    ...given('executionProviders', providers),
    ...given('threads', unique(flags.threads)),
    ...given('memory', memoryOption(flags)),
    ...given('batch', unique(flags.batch)),
    ...(dims.length > 0 ? { dims: parseDims(dims) } : {}),
    ...given('dataPath', flags.data),
    ...given('seed', flags.seed),
    ...given('scenario', scenario ?? (flags.streams === undefined ? undefined : 'multi-stream')),
    ...given('streams', flags.streams),
    ...given('ratePerSecond', flags.rate),
    ...given('arrivals', flags.arrivals),
    ...given('durationMs', flags.duration === undefined ? undefined : parseDuration(flags.duration, '--duration')),
    ...given('processes', flags.processes),
    ...given('budgets', flags.budget?.map(parseBudget)),
    ...given('baselinePath', flags.baseline),
    ...given(
      'minEffect',
      flags['min-effect'] === undefined ? undefined : parseShare(flags['min-effect'], '--min-effect'),
    ),
    ...given('maxTimeMs', flags['max-time'] === undefined ? undefined : parseDuration(flags['max-time'], '--max-time')),
    ...given('profile', flags.profile),
    ...given('allowLinks', flags['allow-links']),
  };
}

/** Flags of `bench --url` as options. Errors as `benchOptions`. */
export function serverOptions(flags: FlagValues, dims: readonly string[]): BenchServerOptions {
  for (const name of LOCAL_ONLY) refuseWith(flags, name, '--url');
  if (flags.arrivals !== undefined && flags.rate === undefined) {
    throw new ServeOptError('SO1002', '--arrivals needs --rate', { hint: 'add --rate 100, requests a second' });
  }
  if (flags.rate !== undefined) refuseWith(flags, 'concurrency', '--rate');
  const [batchSize, another] = flags.batch ?? [];
  if (another !== undefined) contradict(`--batch ${flags.batch?.join(',')}`, '--url, which takes one batch size');
  const budgets = flags.budget?.map(parseBudget);
  for (const { metric } of budgets ?? []) {
    if (NOT_OF_SERVERS.has(metric)) {
      throw new ServeOptError('SO1006', `A server has no budget of ${metric}`, {
        why: 'it cannot be seen from outside',
      });
    }
  }
  const duration = (name: 'duration' | 'max-time' | 'timeout'): number | undefined =>
    flags[name] === undefined ? undefined : parseDuration(flags[name], `--${name}`);
  return {
    ...given('dataPath', flags.data),
    ...given('seed', flags.seed),
    ...given('batchSize', batchSize),
    ...(dims.length > 0 ? { dims: chosenDims(dims) } : {}),
    ...given('concurrency', flags.concurrency),
    ...(flags.rate === undefined
      ? {}
      : { openLoop: { ratePerSecond: flags.rate, arrivals: flags.arrivals ?? BENCH_DEFAULTS.arrivals } }),
    ...given('durationMs', duration('duration')),
    ...given('maxTimeMs', duration('max-time')),
    ...given('timeoutMs', duration('timeout')),
    ...given('budgets', budgets),
    ...given('protocol', flags.protocol),
    ...given('model', flags.model),
    ...given('headers', flags.header),
    ...given('maxTokens', flags['max-tokens']),
  };
}

/** What only those see who run the model. */
const NOT_OF_SERVERS: ReadonlySet<string> = new Set(['size', 'memory', 'cold-start']);

function chosenDims(texts: readonly string[]): { readonly name: string; readonly size: number }[] {
  return [...parseDims(texts)].map(([name, [size = 1, another]]) => {
    if (another !== undefined) contradict(`--dim ${name}=${size},${another}`, '--url, which takes one size');
    return { name, size };
  });
}

/** `batch=1,8,32`. @throws SO1006 */
function parseDims(texts: readonly string[]): Map<string, readonly number[]> {
  const dims = new Map<string, readonly number[]>();
  for (const text of texts) {
    const [, name = '', list = ''] = /^(.+)=(\d+(?:,\d+)*)$/.exec(text) ?? [];
    if (name === '') {
      throw new ServeOptError('SO1006', `The value "${text}" of --dim is not allowed`, {
        why: 'it is the name of a dimension and sizes',
        hint: 'write --dim batch=1,8 or --dim INPUT:AXIS=8',
      });
    }
    dims.set(name, unique([...(dims.get(name) ?? []), ...list.split(',').map(Number)]) ?? []);
  }
  return dims;
}

function unique(values: readonly number[] | undefined): readonly number[] | undefined {
  return values && [...new Set(values)];
}

function refuseWith(flags: FlagValues, name: FlagName, other: string): void {
  if (flags[name] !== undefined) contradict(`--${name}`, other);
}

function contradict(a: string, b: string): never {
  throw new ServeOptError('SO1002', `${a} and ${b} contradict each other`, { hint: 'leave one of them out' });
}
