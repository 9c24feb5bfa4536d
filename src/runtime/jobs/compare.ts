import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import type { ComparisonResult, ComparisonSource } from '../../evaluate/comparison.js';
import { LabelScoring } from '../../evaluate/label-scoring.js';
import { accumulateDifference, type OutputDifferenceAccumulator } from '../../evaluate/output-difference.js';
import type { OutputMeanings } from '../../evaluate/output-meaning.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import type { Feeds, HostTensor, SampleSource, ValueSpec } from '../../samples/types.js';
import { cutRows, fittingBatch } from '../batches.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';

/** What `compareJob` is given. */
export interface CompareParams {
  /** Session of the reference model. */
  readonly a: number;
  /** Session of the model under test. */
  readonly b: number;
  readonly source: SampleSource;
  /** Inputs of model A; model B takes the same. */
  readonly inputs: readonly ValueSpec[];
  /** Samples a run, where the data allows more than one; absent: as many as change nothing, found by trying. */
  readonly batchSize?: number;
  /** False leaves label metrics out; default true. */
  readonly labels?: boolean;
  /** Metric and output that are to be scored, instead of chosen. */
  readonly wish?: MetricWish;
  /** What the graph says of the outputs. */
  readonly meanings?: OutputMeanings;
  /** Class that means "nothing" in CTC outputs; found where absent. */
  readonly ctcBlank?: number;
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
  const differences = new Map<string, OutputDifferenceAccumulator>();
  const firstSample = params.source.kind === 'data' ? (params.source.first ?? 0) : 0;
  const scoring = params.labels === false ? undefined : LabelScoring.of(reader, { ...params, firstSample });
  const run = (session: ChildSession, feeds: Feeds): Promise<Map<string, HostTensor>> =>
    session.run(feedsOf(session, feeds), shared);
  const step = await stepOf([a, b], reader, params.batchSize, run);
  for (let start = 0; start < reader.count; start += step) {
    const count = Math.min(step, reader.count - start);
    const feeds = await reader.read(start, count);
    const size = reader.block === undefined ? count : step;
    const outputsA = cutRows(await run(a, feeds), count, size);
    const outputsB = cutRows(await run(b, feeds), count, size);
    scoring?.add(outputsA, outputsB, start, count);
    for (const name of shared) {
      const [tensorA, tensorB] = [outputsA.get(name), outputsB.get(name)];
      // Outputs that are no tensors are not handed over by a session.
      if (!tensorA || !tensorB) continue;
      let difference = differences.get(name);
      if (!difference) {
        difference = accumulateDifference(name, scoring?.meaningOf(name) ?? params.meanings?.get(name));
        differences.set(name, difference);
      }
      difference.add(tensorA, tensorB);
    }
    progress({ done: start + count, total: reader.count });
  }
  return {
    source: plainSource(params.source),
    samples: reader.count,
    batchSize: step,
    outputs: [...differences.values()].map((difference) => difference.result()),
    unmatched: {
      a: a.outputNames.filter((name) => !b.outputNames.includes(name)),
      b: b.outputNames.filter((name) => !a.outputNames.includes(name)),
    },
    ...scoring?.result(),
    warnings: reader.warnings ?? [],
  };
}

async function stepOf(
  sessions: readonly [ChildSession, ChildSession],
  reader: SampleReader,
  batchSize: number | undefined,
  run: (session: ChildSession, feeds: Feeds) => Promise<Map<string, HostTensor>>,
): Promise<number> {
  if (batchSize === undefined) return fittingBatch(sessions, reader, run);
  return reader.block ?? (reader.batchable ? Math.max(1, batchSize) : 1);
}

/** A model may have lost an input that nothing used. */
function feedsOf(session: ChildSession, feeds: Feeds): Feeds {
  if ([...feeds.keys()].every((name) => session.inputNames.includes(name))) return feeds;
  return new Map([...feeds].filter(([name]) => session.inputNames.includes(name)));
}

function plainSource(source: SampleSource): ComparisonSource {
  return source.kind === 'data'
    ? { kind: 'data', name: basename(source.path), first: source.first ?? 0 }
    : { kind: 'seeded', seed: source.seed };
}
