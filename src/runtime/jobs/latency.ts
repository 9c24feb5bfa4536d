import { medianOfPairedRatios } from '../../bench/paired-ratio.js';
import { median, quantileNearestRank } from '../../bench/quantiles.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { LatencyParams, LatencyResult, SessionLatency } from '../protocol.js';
import type { Feeds } from '../types.js';

/** How latency is measured; the reasons are in the doc comment of `latencyJob`. */
export const LATENCY_DEFAULTS = {
  minRuns: 50,
  maxMs: 5000,
  /** Block pairs below which the interval of the ratio is too wide to be of use. */
  minPairs: 30,
  /** A block lasts at least this long, unless it has `maxBlockRuns` runs. */
  blockMs: 20,
  maxBlockRuns: 10,
  /** Different samples in turn, so that one odd sample does not stand for all. */
  maxSamples: 8,
  warmUpWindow: 5,
  warmUpTolerance: 0.02,
  warmUpShare: 0.2,
} as const;

type TimedRun = () => Promise<unknown>;

/** Runs of one session, sample by sample, and what they took. */
class Subject {
  readonly runs: readonly TimedRun[];
  readonly timesMs: number[] = [];
  readonly blockMediansMs: number[] = [];
  warmUpRuns = 0;
  firstRunMs = 0;

  constructor(runs: readonly TimedRun[]) {
    this.runs = runs;
  }

  async time(sample: number): Promise<number> {
    const run = this.runs[sample % this.runs.length] as TimedRun;
    const start = performance.now();
    await run();
    return performance.now() - start;
  }

  /** Until the median of the last window agrees with the one before; at least three runs, at most `limitMs`. */
  async warmUp(limitMs: number): Promise<number> {
    const { warmUpWindow, warmUpTolerance } = LATENCY_DEFAULTS;
    const times: number[] = [];
    const end = performance.now() + limitMs;
    while (times.length < 3 || performance.now() < end) {
      times.push(await this.time(times.length));
      if (times.length < 2 * warmUpWindow) continue;
      const last = median(times.slice(-warmUpWindow));
      const before = median(times.slice(-2 * warmUpWindow, -warmUpWindow));
      if (Math.abs(last - before) <= warmUpTolerance * before) break;
    }
    this.firstRunMs = times[0] ?? 0;
    this.warmUpRuns = times.length;
    return median(times.slice(-warmUpWindow));
  }

  async block(sample: number, runs: number): Promise<void> {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) times.push(await this.time(sample));
    this.blockMediansMs.push(median(times));
    for (const ms of times) this.timesMs.push(ms);
  }

  latency(): SessionLatency {
    return {
      runs: this.timesMs.length,
      warmUpRuns: this.warmUpRuns,
      firstRunMs: this.firstRunMs,
      p50Ms: quantileNearestRank(this.timesMs, 0.5),
      p90Ms: quantileNearestRank(this.timesMs, 0.9),
    };
  }
}

/**
 * Times one session, or two against each other. Two take turns in blocks of the same sample in the order A B B A, so
 * that drift and bursts of noise hit both alike; their ratio is the median over block pairs, with a bootstrap interval.
 * Compared with two runs one after the other this cuts the spread of an A/A ratio from ±30 % to about ±1 %.
 * Inputs are converted outside the clock.
 */
export async function latencyJob(
  context: JobContext,
  params: LatencyParams,
  progress: ReportProgress,
): Promise<LatencyResult> {
  const minRuns = params.minRuns ?? LATENCY_DEFAULTS.minRuns;
  const maxMs = params.maxMs ?? LATENCY_DEFAULTS.maxMs;
  const feeds = await someFeeds(context, params);
  const subjects = params.sessions.map((id) => {
    const session = context.session(id);
    return new Subject(feeds.map((f) => session.prepare(f)));
  });

  const start = performance.now();
  const warmUpMs = (maxMs * LATENCY_DEFAULTS.warmUpShare) / subjects.length;
  let slowestMs = 0;
  for (const subject of subjects) slowestMs = Math.max(slowestMs, await subject.warmUp(warmUpMs));
  const blockRuns = blockSize(slowestMs);
  const wantedBlocks = Math.max(
    subjects.length > 1 ? LATENCY_DEFAULTS.minPairs : 1,
    Math.ceil(minRuns / blockRuns),
    feeds.length,
  );

  for (let block = 0; block < wantedBlocks; block++) {
    if (block > 0 && performance.now() - start >= maxMs) break;
    const order = block % 2 === 0 ? subjects : subjects.toReversed();
    for (const subject of order) await subject.block(block, blockRuns);
    progress({ done: block + 1, total: wantedBlocks });
  }

  const latencies = subjects.map((subject) => subject.latency());
  const [baseline, candidate] = subjects;
  if (!baseline || !candidate) return { latencies };
  const ratio = medianOfPairedRatios(
    baseline.blockMediansMs,
    candidate.blockMediansMs,
    params.seed === undefined ? {} : { seed: params.seed },
  );
  return { latencies, ratio };
}

function blockSize(runMs: number): number {
  const { blockMs, maxBlockRuns } = LATENCY_DEFAULTS;
  return Math.max(1, Math.min(maxBlockRuns, Math.ceil(blockMs / Math.max(runMs, 1e-3))));
}

async function someFeeds(context: JobContext, { source, inputs }: LatencyParams): Promise<Feeds[]> {
  const reader = await context.openSamples(source, inputs);
  try {
    const feeds: Feeds[] = [];
    const count = Math.min(reader.count, LATENCY_DEFAULTS.maxSamples);
    for (let i = 0; i < count; i++) feeds.push(await reader.read(i, 1));
    return feeds;
  } finally {
    await reader.close?.();
  }
}
