import { ServeOptError } from '../errors.js';
import { parseBudgets } from '../gates/parse-budget.js';
import { parseDuration, parseShare } from '../gates/units.js';
import type { BenchServerOptions } from '../workflows/bench-server/open-server-bench.js';
import type { BenchOptions } from '../workflows/options.js';
import { DIM, parseDims } from './dims.js';
import type { FlagValues } from './flags.js';
import { readingOptions } from './reading-options.js';
import { given } from './workflow-options.js';

/** A dimension among the arguments: `--dim batch=1,8 seq=128` names two. */
const DIM_WORD = /^[^=/\\]+=[+-]?\d+(,[+-]?\d+)*$/;

/** The paths among the arguments, and the dimensions that follow `--dim` without a flag of their own. */
export function benchArguments(
  args: readonly string[],
  flags: FlagValues,
): { readonly paths: readonly string[]; readonly dims: readonly string[] } {
  const isDim = (word: string): boolean => flags.dim !== undefined && DIM_WORD.test(word);
  return { paths: args.filter((word) => !isDim(word)), dims: [...(flags.dim ?? []), ...args.filter(isDim)] };
}

/** Flags of `bench` as options. @throws SO1002, SO1006 for values that cannot be read */
export function benchOptions(flags: FlagValues, dims: readonly string[]): BenchOptions {
  const providers = flags.ep?.flatMap((text) => text.split(','));
  return {
    ...given('executionProviders', providers),
    ...given('threads', unique(flags.threads)),
    ...given('memory', flags.mem),
    ...given('batch', unique(flags.batch)),
    ...(dims.length > 0 ? { dims: parseDims(dims, DIM) } : {}),
    ...given('dataPath', flags.data),
    ...readingOptions(flags),
    ...given('seed', flags.seed),
    ...given('scenario', flags.scenario),
    ...given('streams', flags.streams),
    ...given('rate', flags.rate),
    ...given('arrivals', flags.arrivals),
    ...given('durationMs', flags.duration === undefined ? undefined : parseDuration(flags.duration, '--duration')),
    ...given('processes', flags.processes),
    ...given('budgets', flags.budget && parseBudgets(flags.budget, 'bench')),
    ...given('baselinePath', flags.baseline),
    ...given(
      'minEffect',
      flags['min-effect'] === undefined ? undefined : parseShare(flags['min-effect'], '--min-effect'),
    ),
    ...given('maxTimeMs', flags['max-time'] === undefined ? undefined : parseDuration(flags['max-time'], '--max-time')),
    ...given('profile', flags.profile),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
  };
}

/** Flags of `bench --url` as options. Errors as `benchOptions`. */
export function serverOptions(flags: FlagValues, dims: readonly string[]): BenchServerOptions {
  const [batch, another] = flags.batch ?? [];
  if (another !== undefined) contradict(`--batch ${flags.batch?.join(',')}`, '--url, which allows one batch size');
  const budgets = flags.budget && parseBudgets(flags.budget, 'bench --url');
  const duration = (name: 'duration' | 'max-time' | 'timeout'): number | undefined =>
    flags[name] === undefined ? undefined : parseDuration(flags[name], `--${name}`);
  return {
    ...given('dataPath', flags.data),
    ...readingOptions(flags),
    ...given('seed', flags.seed),
    ...given('batch', batch),
    ...(dims.length > 0 ? { dims: chosenDims(dims) } : {}),
    ...given('concurrency', flags.concurrency),
    ...given('rate', flags.rate),
    ...given('arrivals', flags.arrivals),
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

function chosenDims(texts: readonly string[]): Map<string, number> {
  return new Map(
    [...parseDims(texts, DIM)].map(([name, [size = 1, another]]) => {
      if (another !== undefined) contradict(`--dim ${name}=${size},${another}`, '--url, which allows one size');
      return [name, size];
    }),
  );
}

function unique(values: readonly number[] | undefined): readonly number[] | undefined {
  return values && [...new Set(values)];
}

function contradict(a: string, b: string): never {
  throw new ServeOptError('SO1002', `${a} and ${b} contradict each other`, { hint: 'leave one of them out' });
}
