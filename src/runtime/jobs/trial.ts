import type { ComparisonResult } from '../../evaluate/comparison.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, HostTensor, ValueSpec } from '../../samples/types.js';
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
  /** Only so many samples, the first ones; default all. */
  readonly first?: number;
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
    const step = await stepOf([session], reader, params.batchSize, run);
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
    const { session: _, inputs: __, batchSize: ___, maxBytes: ____, ...compared } = params;
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
  { samples: id, session: candidate, first = Number.POSITIVE_INFINITY }: TrialParams,
  progress: ReportProgress,
): Promise<ComparisonResult> {
  const session = context.session(candidate);
  const kept = context.trialSamples(id);
  const runs = kept.runs.filter(({ start }) => start < first);
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const shared = kept.outputNames.filter((name) => session.outputNames.includes(name));
  const sums = new ComparisonSums({ count, labels: kept.labels, warnings: kept.warnings }, kept.params);
  for (const { start, count: rows, size, feeds, outputs } of runs) {
    const given = cutRows(await session.run(feedsOf(session, feeds), shared), rows, size);
    sums.add(outputs, given, start, rows);
    progress({ done: start + rows, total: count });
  }
  return sums.result(kept.step, { a: kept.outputNames, b: session.outputNames });
}

/** Forgets kept samples. */
export function trialEndJob(context: JobContext, { samples }: { readonly samples: number }): undefined {
  context.dropTrialSamples(samples);
  return undefined;
}
