import { type PairedRound, ratioOfRounds } from '../../bench/paired-rounds.js';
import { quantileNearestRank } from '../../bench/quantiles.js';
import { sampleFeeds } from '../../samples/sample-feeds.js';
import type { Feeds } from '../../samples/types.js';
import type { ChildState } from '../child-state.js';
import type { ReportProgress } from '../job.js';
import type { LatencyParams, LatencyResult, SessionLatency } from '../protocol.js';
import { BlockSubject, timeInTurns } from '../timing/block-subject.js';
import type { WarmUp } from '../timing/warm-up.js';

/** How latency is measured; the reasons are in the doc comment of `latencyJob`. */
export const LATENCY_DEFAULTS = {
  minRuns: 50,
  maxMs: 5000,
  /** Block pairs below which the interval of the ratio is too wide to be of use. */
  minPairs: 16,
  /** Fresh pairs of sessions, at most, and the share of the time that making them may take. */
  maxRounds: 8,
  makingShare: 0.4,
} as const;

/**
 * Times one session, or two against each other in turns (`timeInTurns`), so that each runs as it does alone. Where a session
 * comes to lie in memory decides up to a tenth of the time of a small model: two sessions are made anew several times, in
 * changing order, as far as that is quick, and the interval of their ratio is over these rounds (`ratioOfRounds`). Inputs
 * are converted outside the clock.
 */
export async function latencyJob(
  state: ChildState,
  params: LatencyParams,
  progress: ReportProgress,
): Promise<LatencyResult> {
  const { sessions } = params;
  const minRuns = params.minRuns ?? LATENCY_DEFAULTS.minRuns;
  const maxMs = params.maxMs ?? LATENCY_DEFAULTS.maxMs;
  const feeds = await sampleFeeds(state, { ...params, batchSize: 1 });
  const isPair = sessions.length > 1;
  const wanted = isPair ? await roundsWithin(state, sessions, feeds[0] as Feeds, maxMs) : 1;
  const minPairs = isPair ? LATENCY_DEFAULTS.minPairs : 1;
  const measured = new Rounds(sessions.length);
  const begun = performance.now();
  for (let round = 0; round < wanted; round++) {
    // Sessions that are given are taken first: a model that takes long to load is loaded no more than once.
    if (isPair && (round > 0 || !state.areForTurns(sessions)))
      await state.renewForTurns(round % 2 === 0 ? sessions : sessions.toReversed());
    const leftMs = maxMs - (performance.now() - begun);
    if (round > 0 && leftMs <= 0) break;
    const subjects = sessions.map((id) => {
      const session = state.session(id);
      return new BlockSubject(feeds.map((sample) => session.prepare(sample)));
    });
    const { warmUps } = await timeInTurns(subjects, {
      maxMs: leftMs / (wanted - round),
      firstSample: measured.blocks,
      blocks: (blockRuns) => Math.ceil(Math.max(minPairs, minRuns / blockRuns, feeds.length) / wanted),
      onBlock: (done, total) => progress({ done: round * total + done, total: wanted * total }),
    });
    measured.add(subjects, warmUps);
  }
  const latencies = measured.latencies();
  if (!isPair) return { latencies };
  return { latencies, ratio: ratioOfRounds(measured.pairs, params.seed === undefined ? {} : { seed: params.seed }) };
}

/** Runs that a fresh session takes until it is warm, about. */
const WARMING_RUNS = 12;

/** How many pairs of fresh sessions fit the time, judged by what making these took and by their second run. */
async function roundsWithin(
  state: ChildState,
  sessions: readonly number[],
  sample: Feeds,
  maxMs: number,
): Promise<number> {
  let makingMs = 0;
  for (const id of sessions) {
    const run = state.session(id).prepare(sample);
    await run();
    const start = performance.now();
    await run();
    makingMs += state.createMs(id) + WARMING_RUNS * (performance.now() - start);
  }
  const rounds = Math.floor((LATENCY_DEFAULTS.makingShare * maxMs) / makingMs);
  return Math.max(1, Math.min(LATENCY_DEFAULTS.maxRounds, rounds));
}

/** What was timed of each session, over all rounds. */
class Rounds {
  readonly pairs: PairedRound[] = [];
  blocks = 0;
  readonly #times: readonly number[][];
  readonly #warmUps: WarmUp[] = [];

  constructor(sessions: number) {
    this.#times = Array.from({ length: sessions }, () => []);
  }

  add(subjects: readonly BlockSubject[], warmUps: readonly WarmUp[]): void {
    if (this.#warmUps.length === 0) this.#warmUps.push(...warmUps);
    for (const [index, { timesMs }] of subjects.entries()) for (const ms of timesMs) this.#times[index]?.push(ms);
    const [baselineMs, candidateMs = new Float64Array()] = subjects.map(({ blockMediansMs }) =>
      Float64Array.from(blockMediansMs),
    );
    if (!baselineMs) return;
    this.blocks += baselineMs.length;
    this.pairs.push({ baselineMs, candidateMs });
  }

  latencies(): SessionLatency[] {
    return this.#times.map((timesMs, index) => sessionLatency(timesMs, this.#warmUps[index] as WarmUp));
  }
}

function sessionLatency(timesMs: readonly number[], { runs, firstRunMs }: WarmUp): SessionLatency {
  return {
    runs: timesMs.length,
    warmUpRuns: runs,
    firstRunMs,
    p50Ms: quantileNearestRank(timesMs, 0.5),
    p90Ms: quantileNearestRank(timesMs, 0.9),
    p95Ms: quantileNearestRank(timesMs, 0.95),
  };
}
