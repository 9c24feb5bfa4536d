import { ServeOptError } from '../../errors.js';
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import type { Feeds, HostTensor, ValueSpec } from '../../samples/types.js';
import { cutRows, fittingBatch } from '../batches.js';
import { type ComparisonParams, ComparisonSums } from '../comparison-sums.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';

/** What `compareJob` is given. */
export interface CompareParams extends ComparisonParams {
  /** Session of the reference model. */
  readonly a: number;
  /** Session of the model under test. */
  readonly b: number;
  /** Inputs of model A; model B takes the same. */
  readonly inputs: readonly ValueSpec[];
  /** Samples a run, where the data allows more than one; absent: as many as change nothing, found by trying. */
  readonly batchSize?: number;
}

/**
 * Runs two models on the same samples, batch by batch, and adds up how their outputs differ and how well each answers
 * the labels. Memory does not grow with the number of samples, but for one number a sample where a metric needs the order.
 * @throws what opening the source or running a session throws; SO4005 when the outputs never fit together.
 */
export async function compareJob(
  context: JobContext,
  params: CompareParams,
  progress: ReportProgress,
): Promise<ComparisonResult> {
  const a = context.session(params.a);
  const b = context.session(params.b);
  const reader = await context.openSamples(params.source, params.inputs);
  try {
    return await compareSamples(a, b, reader, params, progress);
  } finally {
    await reader.close?.();
  }
}

async function compareSamples(
  a: ChildSession,
  b: ChildSession,
  reader: SampleReader,
  params: CompareParams,
  progress: ReportProgress,
): Promise<ComparisonResult> {
  const shared = a.outputNames.filter((name) => b.outputNames.includes(name));
  if (shared.length === 0)
    throw new ServeOptError('SO4005', 'The two models have no output of the same name', {
      why: `one has ${a.outputNames.join(', ')}; the other ${b.outputNames.join(', ')}`,
    });
  const sums = new ComparisonSums(reader, params);
  const run = (session: ChildSession, feeds: Feeds): Promise<Map<string, HostTensor>> =>
    session.run(feedsOf(session, feeds), shared);
  const step = await stepOf([a, b], reader, params.batchSize, run);
  for (let start = 0; start < reader.count; start += step) {
    const count = Math.min(step, reader.count - start);
    const feeds = await reader.read(start, count);
    const size = reader.block === undefined ? count : step;
    const outputsA = cutRows(await run(a, feeds), count, size);
    const outputsB = cutRows(await run(b, feeds), count, size);
    sums.add(outputsA, outputsB, start, count);
    progress({ done: start + count, total: reader.count });
  }
  return sums.result(step, { a: a.outputNames, b: b.outputNames });
}

export async function stepOf(
  sessions: readonly ChildSession[],
  reader: SampleReader,
  batchSize: number | undefined,
  run: (session: ChildSession, feeds: Feeds) => Promise<Map<string, HostTensor>>,
  most?: number,
): Promise<number> {
  if (batchSize === undefined) return fittingBatch(sessions, reader, run, most);
  return reader.block ?? (reader.batchable ? Math.max(1, batchSize) : 1);
}

/** A model may have lost an input that nothing used. */
export function feedsOf(session: ChildSession, feeds: Feeds): Feeds {
  if ([...feeds.keys()].every((name) => session.inputNames.includes(name))) return feeds;
  return new Map([...feeds].filter(([name]) => session.inputNames.includes(name)));
}
