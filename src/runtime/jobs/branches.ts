import { ServeOptError } from '../../errors.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import { VARIED_FROM } from '../../samples/scalar-values.js';
import type { Feeds, SeedPlan } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { BranchesParams, BranchesResult } from '../protocol.js';

/** Samples that are tried for branches that those to be used do not reach: other scalars and numbers, then other magnitudes. */
const FURTHER: readonly number[] = [
  ...Array.from({ length: 24 }, (_, at) => 16 + at),
  ...Array.from({ length: 12 }, (_, at) => VARIED_FROM + at),
];
/** After so long no more are tried. */
const SEARCH_MS = 4000;

/**
 * Finds which branches samples take, and for synthetic ones further samples that take others. The session is of a model
 * that gives its conditions out.
 */
export async function branchesJob(
  context: JobContext,
  params: BranchesParams,
  progress: ReportProgress,
): Promise<BranchesResult> {
  const { source, inputs, conditions } = params;
  const reached = conditions.map(() => [false, false] as [boolean, boolean]);
  const isDone = (): boolean => reached.every(([no, yes]) => no && yes);
  const end = performance.now() + SEARCH_MS;
  const reader = await context.openSamples(source, inputs);
  try {
    for (let sample = 0; sample < reader.count && !isDone() && performance.now() < end; sample++) {
      await look(context, params, await reader.read(sample, 1), reached);
      progress({ done: sample + 1, total: reader.count });
    }
  } finally {
    await reader.close?.();
  }
  const further: number[] = [];
  if (source.kind === 'seeded') {
    for (const sample of FURTHER) {
      if (isDone() || performance.now() > end) break;
      const plan: SeedPlan = { ...(source.plan ?? { sizes: 0 }), samples: [sample] };
      const other = await context.openSamples({ ...source, count: 1, plan }, inputs);
      if (await look(context, params, await readFirst(other), reached)) further.push(sample);
      progress({ done: further.length, total: 0 });
    }
  }
  return { reached, further };
}

function readFirst(reader: SampleReader): Promise<Feeds> | Feeds {
  return reader.read(0, 1);
}

/** True where the sample takes a branch that none before it took. What does not run takes none. */
async function look(
  context: JobContext,
  { session, conditions }: BranchesParams,
  feeds: Feeds,
  reached: readonly [boolean, boolean][],
): Promise<boolean> {
  let isNew = false;
  try {
    const outputs = await context.session(session).run(feeds);
    for (const [index, name] of conditions.entries()) {
      const data = outputs.get(name)?.data;
      if (data?.length !== 1) continue;
      const taken = Number(data[0]) === 0 ? 0 : 1;
      const branches = reached[index] as [boolean, boolean];
      if (!branches[taken]) isNew = true;
      branches[taken] = true;
    }
  } catch (error) {
    if (!(error instanceof ServeOptError) || (error.code !== 'SO5002' && error.code !== 'SO2105')) throw error;
  }
  return isNew;
}
