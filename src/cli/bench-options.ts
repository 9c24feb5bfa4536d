import { parseBudget, parseDuration, parseShare } from '../bench/budgets.js';
import { ServeOptError } from '../errors.js';
import type { BenchOptions } from '../workflows/options.js';
import type { CommandContext } from './command.js';
import type { FlagName, FlagValues } from './flags.js';
import { given, workflowContext } from './workflow-options.js';

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
const LOCAL_ONLY = ['threads', 'ep', 'profile', 'baseline', 'processes'] as const satisfies readonly FlagName[];

/**
 * Flags of `bench` as options. @throws SO1002 for flags that contradict each other, SO1006 for values that cannot be read
 */
export function benchOptions(context: CommandContext, flags: FlagValues, dims: readonly string[]): BenchOptions {
  if (flags.url !== undefined) for (const name of LOCAL_ONLY) refuseWith(flags, name, '--url');
  const scenario = flags.scenario ?? (flags.rate === undefined ? undefined : 'server');
  if (flags.rate !== undefined && scenario !== 'server') contradict('--rate', `--scenario ${scenario}`);
  if (scenario === 'server' && flags.rate === undefined) {
    throw new ServeOptError('SO1002', '--scenario server needs --rate', { hint: 'add --rate 100, requests a second' });
  }
  if (flags.streams !== undefined && scenario !== undefined && scenario !== 'multi-stream')
    contradict('--streams', `--scenario ${scenario}`);
  if (flags.arrivals !== undefined && flags.rate === undefined) {
    throw new ServeOptError('SO1002', '--arrivals needs --rate', { hint: 'add --rate 100, requests a second' });
  }
  return {
    ...workflowContext(context),
    ...given(
      'executionProviders',
      flags.ep?.flatMap((text) => text.split(',').filter((name) => name !== '')),
    ),
    ...given('threads', unique(flags.threads)),
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
