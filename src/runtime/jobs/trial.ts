import type { ComparisonResult } from '../../evaluate/comparison.js';
import { floatElements, isFloatTensor } from '../../evaluate/host-numbers.js';
import type { OutputMeanings } from '../../evaluate/output-meaning.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, HostTensor, ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import { cutRows } from '../batches.js';
import { type ComparisonParams, ComparisonSums } from '../comparison-sums.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import type { TrialRun } from '../trial-samples.js';
import { feedsOf, stepOf } from './compare.js';

export interface TrialOriginalParams extends ComparisonParams {
  /** Session of the original. */
  readonly session: number;
  readonly inputs: readonly ValueSpec[];
  /** Samples a run, where the data allows more than one; absent: as many as change nothing, found by trying. */
  readonly batchSize?: number;
  /** Where the batch is found: at most so many samples a run. */
  readonly mostBatch?: number;
  /** Most bytes of inputs and outputs to keep: samples after that are left out. */
  readonly maxBytes: number;
}

export interface TrialOriginalResult {
  /** The number that the samples are known by. */
  readonly samples: number;
  /** Samples that were kept, and all of the source. */
  readonly count: number;
  readonly of: number;
  /** What running the original took, in ms. */
  readonly runMs: number;
}

export interface TrialParams {
  /** Samples that `trialOriginal` kept. */
  readonly samples: number;
  /** Session of the candidate. */
  readonly session: number;
  /** Only so many samples, or one run more: runs are spread over all of them. Default all. */
  readonly most?: number;
  /** Probabilities are compared by their logarithms: near 0 and 1 they say nothing else of what a layer loses. Default false. */
  readonly logarithms?: boolean;
}

/** Runs the original once and keeps what it was given and gave. @throws what opening the source or running throws */
export async function trialOriginalJob(
  context: JobContext,
  params: TrialOriginalParams,
  progress: ReportProgress,
): Promise<TrialOriginalResult> {
  const session = context.session(params.session);
  const reader = await context.openSamples(params.source, params.inputs);
  try {
    const run = (each: ChildSession, feeds: Feeds): Promise<Map<string, HostTensor>> => each.run(feedsOf(each, feeds));
    const step = await stepOf([session], reader, params.batchSize, run, params.mostBatch);
    const runs: TrialRun[] = [];
    let [bytes, count, runMs] = [0, 0, 0];
    while (count < reader.count && bytes <= params.maxBytes) {
      const rows = Math.min(step, reader.count - count);
      const feeds = await reader.read(count, rows);
      const size = reader.block === undefined ? rows : step;
      const begin = performance.now();
      const outputs = cutRows(await run(session, feeds), rows, size);
      runMs += performance.now() - begin;
      runs.push({ start: count, count: rows, size, feeds, outputs });
      bytes += tensorBytes(feeds) + tensorBytes(outputs);
      count += rows;
      progress({ done: count, total: reader.count });
    }
    const { labels, warnings = [] } = reader;
    const { session: _, inputs: __, batchSize: ___, mostBatch: ____, maxBytes: _____, ...compared } = params;
    const samples = context.keepTrialSamples({
      params: compared,
      count,
      step,
      labels,
      warnings,
      outputNames: session.outputNames,
      runs,
    });
    return { samples, count, of: reader.count, runMs };
  } finally {
    await reader.close?.();
  }
}

/**
 * Runs a candidate on kept samples and holds its outputs against those of the original: `compare` without running the
 * original again. @throws SO5002 where the candidate does not run
 */
export async function trialJob(
  context: JobContext,
  { samples: id, session: candidate, most = Number.POSITIVE_INFINITY, logarithms = false }: TrialParams,
  progress: ReportProgress,
): Promise<ComparisonResult> {
  const session = context.session(candidate);
  const kept = context.trialSamples(id);
  const runs = spreadRuns(kept.runs, Math.ceil(most / kept.step));
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const shared = kept.outputNames.filter((name) => session.outputNames.includes(name));
  const sums = new ComparisonSums({ count, labels: kept.labels, warnings: kept.warnings }, kept.params);
  for (const { start, count: rows, size, feeds, outputs } of runs) {
    const given = cutRows(await session.run(feedsOf(session, feeds), shared), rows, size);
    if (logarithms) sums.add(...logarithmsOf(outputs, given, kept.params.meanings), start, rows);
    else sums.add(outputs, given, start, rows);
    progress({ done: start + rows, total: count });
  }
  return sums.result(kept.step, { a: kept.outputNames, b: session.outputNames });
}

type Outputs = ReadonlyMap<string, HostTensor>;

/** Smaller probabilities count as this. */
const LEAST_PROBABILITY = 1e-30;

/** Both sides with the logarithms of what the original gives as probabilities: scores of classes, all of them from 0 to 1. */
function logarithmsOf(a: Outputs, b: Outputs, meanings: OutputMeanings = new Map()): readonly [Outputs, Outputs] {
  const [logA, logB] = [new Map(a), new Map(b)];
  for (const [name, tensor] of a) {
    const other = b.get(name);
    if (!other || meanings.get(name)?.kind !== 'scores' || !isFloatTensor(tensor) || !isFloatTensor(other)) continue;
    const values = floatElements(tensor);
    if (!values.every((value) => value >= 0 && value <= 1)) continue;
    logA.set(name, { ...tensor, dataType: DataType.FLOAT, data: logs(values) });
    logB.set(name, { ...other, dataType: DataType.FLOAT, data: logs(floatElements(other)) });
  }
  return [logA, logB];
}

function logs(values: Float32Array | Float64Array): Float32Array {
  return Float32Array.from(values, (value) =>
    Math.log(Number.isNaN(value) ? value : Math.max(value, LEAST_PROBABILITY)),
  );
}

/** So many runs, spread evenly over all of them. */
function spreadRuns(runs: readonly TrialRun[], count: number): readonly TrialRun[] {
  if (count >= runs.length) return runs;
  return Array.from({ length: Math.max(1, count) }, (_, i) => runs[Math.floor((i * runs.length) / count)] as TrialRun);
}

/** Forgets kept samples. */
export function trialEndJob(context: JobContext, { samples }: { readonly samples: number }): undefined {
  context.dropTrialSamples(samples);
  return undefined;
}
