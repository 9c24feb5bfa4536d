import { clusterInterval } from './cluster-interval.js';
import { concatenate } from './concatenate.js';
import { bootstrapMedians } from './hierarchical-bootstrap.js';
import { medianOfPairedRatios, type RatioEstimate } from './paired-ratio.js';
import { median, quantileOfSorted } from './quantiles.js';

/** Fresh sessions that took turns: medians of blocks in ms, paired by index, in order. */
export interface PairedRound {
  readonly baselineMs: Float64Array;
  readonly candidateMs: Float64Array;
  /** A second session of the baseline: what differs there is noise (A/A). */
  readonly selfMs?: Float64Array;
}

/** Logarithms of ratios: 2 and ½ are equally far from 1, and differences of sessions add up. */
export interface LogRatios {
  readonly ratios: Float64Array;
  readonly self: Float64Array;
}

export function logRatios({ baselineMs, candidateMs, selfMs }: PairedRound): LogRatios {
  return { ratios: logsOf(baselineMs, candidateMs), self: logsOf(baselineMs, selfMs ?? new Float64Array()) };
}

function logsOf(baseline: Float64Array, other: Float64Array): Float64Array {
  const logs = new Float64Array(Math.min(baseline.length, other.length));
  for (let i = 0; i < logs.length; i++) logs[i] = Math.log((other[i] as number) / (baseline[i] as number));
  // A block of no time at all, below what the clock resolves, has no ratio.
  return logs.filter(Number.isFinite);
}

/** The least interval that holds a value and the ends that are known. */
export function union(value: number, ...ends: readonly (number | undefined)[]): { low: number; high: number } {
  const known = ends.filter((end) => end !== undefined);
  return { low: Math.min(value, ...known), high: Math.max(value, ...known) };
}

/** With fewer rounds nothing is known of how much sessions differ. */
const LEAST_ROUNDS = 3;
const DEFAULTS = { resamples: 2000, confidence: 0.95, seed: 1 } as const;

/**
 * Median of candidate / baseline over all pairs, with an interval: the wider of Student's over the medians of rounds and a
 * bootstrap over rounds and blocks, as in `judgeRegression`. Below three rounds, as of models that take long to load, the
 * bootstrap of the pairs alone. @param rounds at least one with a pair
 */
export function ratioOfRounds(
  rounds: readonly PairedRound[],
  options: { readonly resamples?: number; readonly confidence?: number; readonly seed?: number } = {},
): RatioEstimate {
  const { resamples, confidence, seed } = { ...DEFAULTS, ...options };
  const logs = rounds.map((round) => logRatios(round).ratios).filter(({ length }) => length > 0);
  if (logs.length < LEAST_ROUNDS) {
    const all = (pick: (round: PairedRound) => Float64Array): number[] => [...concatenate(rounds.map(pick))];
    return medianOfPairedRatios(
      all(({ baselineMs }) => baselineMs),
      all(({ candidateMs }) => candidateMs),
      options,
    );
  }
  const tail = (1 - confidence) / 2;
  const pairs = concatenate(logs).sort();
  const effect = median(pairs);
  const between = clusterInterval(
    logs.map((each) => median(each)),
    tail,
  );
  const resampled = bootstrapMedians(logs, resamples, seed);
  const within = [quantileOfSorted(resampled, tail), quantileOfSorted(resampled, 1 - tail)];
  const { low, high } = union(effect, between.low, between.high, ...within);
  return { median: Math.exp(effect), low: Math.exp(low), high: Math.exp(high), pairs: pairs.length };
}
