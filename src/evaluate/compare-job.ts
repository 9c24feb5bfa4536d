import { basename } from 'node:path';
import { ServeOptError } from '../errors.js';
import type { ChildSession, JobContext, ReportProgress, SampleReader } from '../runtime/job.js';
import type { Feeds, HostTensor, SampleSource, ValueSpec } from '../runtime/types.js';
import { type ChangedAnswers, type ChangedAnswersCollector, collectChangedAnswers } from './changed-answers.js';
import { chooseMetric, labelTraits, type MetricChoice } from './choose-metric.js';
import type { ComparisonResult, ComparisonSource, MetricComparison } from './comparison.js';
import { compareMetrics, type LabelScorer, labelScorer } from './label-metrics.js';
import { accumulateDifference, type OutputDifferenceAccumulator } from './output-difference.js';

/** What `compareJob` is given. */
export interface CompareParams {
  /** Session of the reference model. */
  readonly a: number;
  /** Session of the model under test. */
  readonly b: number;
  readonly source: SampleSource;
  /** Inputs of model A; model B takes the same. */
  readonly inputs: readonly ValueSpec[];
  /** Samples a run, where the data and the model allow more than one. */
  readonly batchSize: number;
  /** False leaves label metrics out; default true. */
  readonly labels?: boolean;
  /** Class that means "nothing" in CTC outputs; default 0. */
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
  const scoring = params.labels === false ? undefined : labelScoring(reader, params);
  const step = reader.batchable ? Math.max(1, params.batchSize) : 1;
  for (let start = 0; start < reader.count; start += step) {
    const count = Math.min(step, reader.count - start);
    const feeds = await reader.read(start, count);
    const outputsA = await a.run(feedsOf(a, feeds));
    const outputsB = await b.run(feedsOf(b, feeds));
    for (const name of shared) {
      const [tensorA, tensorB] = [outputsA.get(name), outputsB.get(name)];
      // Outputs that are no tensors are not handed over by a session.
      if (!tensorA || !tensorB) continue;
      let difference = differences.get(name);
      if (!difference) {
        difference = accumulateDifference(name);
        differences.set(name, difference);
      }
      difference.add(tensorA, tensorB);
    }
    scoring?.add(outputsA, outputsB, start, count);
    progress({ done: start + count, total: reader.count });
  }
  return {
    source: plainSource(params.source),
    samples: reader.count,
    outputs: [...differences.values()].map((difference) => difference.result()),
    unmatched: {
      a: a.outputNames.filter((name) => !b.outputNames.includes(name)),
      b: b.outputNames.filter((name) => !a.outputNames.includes(name)),
    },
    ...scoring?.result(),
    warnings: reader.warnings ?? [],
  };
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

interface LabelScoring {
  add(a: ReadonlyMap<string, HostTensor>, b: ReadonlyMap<string, HostTensor>, start: number, count: number): void;
  result(): {
    readonly metrics: readonly MetricComparison[];
    readonly metricsSkipped?: string;
    readonly changedAnswers?: ChangedAnswers;
  };
}

/** Scores both models against the labels of a reader; undefined when it has none. */
function labelScoring(reader: SampleReader, { source, ctcBlank }: CompareParams): LabelScoring | undefined {
  const { labels } = reader;
  if (!labels || reader.count === 0) return undefined;
  const traits = labelTraits(labels);
  // A model with a fixed batch size takes several rows a sample.
  const rowsPerSample = (labels.dims[0] ?? 1) / reader.count;
  let choice: MetricChoice | string | undefined;
  let scorers: readonly [LabelScorer, LabelScorer] | undefined;
  let changed: ChangedAnswersCollector | undefined;
  const firstRow = source.kind === 'data' ? (source.first ?? 0) * rowsPerSample : 0;
  return {
    add(a, b, start, count) {
      const rows = count * rowsPerSample;
      if (choice === undefined) {
        const shared = new Map([...a].filter(([name]) => b.has(name)));
        choice = chooseMetric(shared, traits, rows);
        if (typeof choice !== 'string') {
          scorers = [labelScorer(choice, ctcBlank), labelScorer(choice, ctcBlank)];
          changed = collectChangedAnswers(choice, firstRow, ctcBlank);
        }
      }
      if (!scorers || typeof choice === 'string') return;
      const [tensorA, tensorB] = [a.get(choice.output), b.get(choice.output)];
      if (!tensorA || !tensorB) return;
      scorers[0].add(tensorA, labels, start * rowsPerSample, rows);
      scorers[1].add(tensorB, labels, start * rowsPerSample, rows);
      changed?.add(tensorA, tensorB, labels, start * rowsPerSample, rows);
    },
    result() {
      if (scorers && choice !== undefined && typeof choice !== 'string')
        return {
          metrics: compareMetrics(choice, scorers[0], scorers[1]),
          ...(changed ? { changedAnswers: changed.result() } : {}),
        };
      return { metrics: [], metricsSkipped: typeof choice === 'string' ? choice : 'no sample was run' };
    },
  };
}
