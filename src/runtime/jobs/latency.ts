import { medianOfPairedRatios } from '../../bench/paired-ratio.js';
import { quantileNearestRank } from '../../bench/quantiles.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { LatencyParams, LatencyResult, SessionLatency } from '../protocol.js';
import { BlockSubject, timeInTurns } from '../timing/block-subject.js';
import type { WarmUp } from '../timing/warm-up.js';
import type { Feeds } from '../types.js';

/** How latency is measured; the reasons are in the doc comment of `latencyJob`. */
export const LATENCY_DEFAULTS = {
  minRuns: 50,
  maxMs: 5000,
  /** Block pairs below which the interval of the ratio is too wide to be of use. */
  minPairs: 30,
  /** Different samples in turn, so that one odd sample does not stand for all. */
  maxSamples: 8,
} as const;

/**
 * Times one session, or two against each other in turns (`timeInTurns`); their ratio is the median over block pairs,
 * with a bootstrap interval. Inputs are converted outside the clock.
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
    return new BlockSubject(feeds.map((f) => session.prepare(f)));
  });
  const { warmUps } = await timeInTurns(subjects, {
    maxMs,
    blocks: (blockRuns) =>
      Math.max(subjects.length > 1 ? LATENCY_DEFAULTS.minPairs : 1, Math.ceil(minRuns / blockRuns), feeds.length),
    onBlock: (done, total) => progress({ done, total }),
  });

  const latencies = subjects.map((subject, index) => sessionLatency(subject, warmUps[index] as WarmUp));
  const [baseline, candidate] = subjects;
  if (!baseline || !candidate) return { latencies };
  const ratio = medianOfPairedRatios(
    baseline.blockMediansMs,
    candidate.blockMediansMs,
    params.seed === undefined ? {} : { seed: params.seed },
  );
  return { latencies, ratio };
}

function sessionLatency({ timesMs }: BlockSubject, { runs, firstRunMs }: WarmUp): SessionLatency {
  return {
    runs: timesMs.length,
    warmUpRuns: runs,
    firstRunMs,
    p50Ms: quantileNearestRank(timesMs, 0.5),
    p90Ms: quantileNearestRank(timesMs, 0.9),
  };
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
