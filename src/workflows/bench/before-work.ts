import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { BenchOptions, InContext } from '../options.js';
import { checkData } from '../preflight/data.js';
import { type Axes, type BenchModel, type BenchProvider, type Configuration, planConfigurations } from './plan.js';
import { fedInputs, screen } from './preparations.js';
import { chooseProviders } from './providers.js';

/** What is to be combined, as asked for. */
export function axesOf({
  threads = [],
  batch = [],
  dims = new Map(),
}: BenchOptions): Omit<Axes, 'models' | 'providers'> {
  return { threads, batch, dims };
}

/** Names and sizes take no process to check, so they are checked for whatever the providers come to. */
const ANY_PROVIDER: BenchProvider = { text: 'cpu', names: ['cpu'], executionProviders: ['cpu'] };

/**
 * Sizes, execution providers and data, before anything is measured. @returns the providers that `--ep` comes to
 * @throws SO1006, SO4002 for what the models do not take, SO5005 for a provider that is not there, SO5006 for a model that
 *   cannot be run, SO4001…SO4005 for data that does not fit
 */
export async function checkBeforeWork(
  models: readonly BenchModel[],
  options: InContext<BenchOptions>,
): Promise<{ readonly providers: readonly BenchProvider[]; readonly notes: readonly string[] }> {
  const planned = planConfigurations({ ...axesOf(options), models, providers: [ANY_PROVIDER] });
  const [first, another] = models;
  // Of several models one that cannot be run keeps the others from nothing.
  if (first && !another) screen(first);
  const { executionProviders = [], dataPath } = options;
  const found = await chooseProviders(executionProviders.length > 0 ? executionProviders : ['cpu'], options);
  if (dataPath !== undefined) await checkFeeds(planned, dataPath, options);
  return found;
}

/** Each way in which the data is to be fed: the inputs with the sizes asked for, and the rows of a run. */
async function checkFeeds(
  planned: readonly Configuration[],
  path: string,
  options: InContext<BenchOptions>,
): Promise<void> {
  const ways = new Map(
    planned.map((each) => {
      const inputs = fedInputs(each, { kind: 'data', path });
      return [JSON.stringify([inputs, each.batch]), { inputs, batch: each.batch ?? 1 }] as const;
    }),
  );
  const runtime = new LazyRuntime({
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.reading ? { reading: options.reading } : {}),
  });
  try {
    for (const { inputs, batch } of ways.values()) await checkData(await runtime.host(), path, [inputs], batch);
  } finally {
    await runtime.close();
  }
}
