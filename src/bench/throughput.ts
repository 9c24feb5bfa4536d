import { createRandom, type Random } from '../tensor/random.js';
import { clusterInterval } from './cluster-interval.js';
import { normalQuantile } from './normal.js';
import type { EstimateReport } from './results.js';
import type { Scenario } from './scenario.js';
import type { Segment } from './segment.js';
import { roundsOf } from './segment.js';

export interface ThroughputOptions {
  /** Of the two-sided interval; 0.95 unless told. */
  readonly confidence?: number;
  readonly seed?: number;
  readonly resamples?: number;
}

/** Consecutive requests of a stream: so many, in so much time. */
interface Blocks {
  readonly counts: Float64Array;
  readonly timesMs: Float64Array;
}

/**
 * Samples a second. Of one stream it is what was completed over the time that passed; streams of a round run at once
 * and add up; rounds are averaged, each by its time. The interval is the wider of two: a bootstrap (Efron 1979) over rounds
 * and, within them, over blocks of about √n consecutive requests, so that bursts stay together; and Student's over the
 * rounds, since processes differ. With one round only the bootstrap is left; without it, as in a process of a single
 * request or a few, there is none. In an open loop the rate of requests bounds what can be completed.
 */
export function summarizeThroughput(
  segments: readonly Segment[],
  samplesPerRequest: number,
  scenario: Scenario,
  { confidence = 0.95, seed = 1, resamples = 2000 }: ThroughputOptions = {},
): EstimateReport {
  const rounds = roundsOf(segments)
    .map((round) => round.filter((segment) => segment.latencyMs.length > 0))
    .filter((round) => round.length > 0);
  if (rounds.length === 0) return { value: 0 };
  const perSecond = (perMs: number): number => perMs * 1000 * samplesPerRequest;
  const rates = rounds.map((round) => round.reduce((sum, each) => sum + each.latencyMs.length / timeOf(each), 0));
  const times = rounds.map((round) => Math.max(...round.map(timeOf)));
  const value = weightedMean(rates, times);
  const tail = (1 - confidence) / 2;
  const between = clusterInterval(rates, tail);
  const within = bootstrap(
    rounds.map((round) => round.map((segment) => blocksOf(segment, scenario.kind === 'server'))),
    times,
    createRandom(seed),
    resamples,
  );
  const ends = within === undefined ? [] : spread(within, value, tail);
  if (between.low !== undefined && between.high !== undefined) {
    ends.push(value + between.low - between.value, value + between.high - between.value);
  }
  if (ends.length === 0) return { value: perSecond(value) };
  return {
    value: perSecond(value),
    low: perSecond(Math.max(0, Math.min(value, ...ends))),
    high: perSecond(Math.max(value, ...ends)),
  };
}

/** The time a stream took: up to the end of its last response where no later time is recorded. */
function timeOf({ wallMs, startMs, latencyMs }: Segment): number {
  if (wallMs > 0) return wallMs;
  return Math.max((startMs.at(-1) ?? 0) + (latencyMs.at(-1) ?? 0), Number.MIN_VALUE);
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    sum += (values[i] as number) * (weights[i] as number);
    total += weights[i] as number;
  }
  return sum / total;
}

/** Cuts a stream into about √n blocks; a request lasts until the next one starts, the last one until the end. */
function blocksOf(segment: Segment, openLoop: boolean): Blocks {
  const { startMs, latencyMs } = segment;
  const runs = latencyMs.length;
  const blocks = Math.max(1, Math.floor(Math.sqrt(runs)));
  const counts = new Float64Array(blocks);
  const timesMs = new Float64Array(blocks);
  const end = timeOf(segment);
  // In an open loop requests may wait for the end of others: what counts is how many came to an end in a window of time.
  const marks = openLoop ? startMs.map((ms, i) => ms + (latencyMs[i] as number)).sort() : startMs;
  for (let block = 0; block < blocks; block++) {
    const from = Math.floor((block * runs) / blocks);
    const to = Math.floor(((block + 1) * runs) / blocks);
    const start = block === 0 ? 0 : (marks[from] as number);
    const stop = block === blocks - 1 ? Math.max(end, start) : (marks[to] as number);
    counts[block] = to - from;
    timesMs[block] = stop - start;
  }
  return { counts, timesMs };
}

/** Of fewer values a bootstrap gives an interval that looks narrow and means nothing. */
const LEAST_BLOCKS = 6;

/** Resampled rates in ascending order; nothing where there are too few blocks in all. */
function bootstrap(
  rounds: readonly (readonly Blocks[])[],
  times: readonly number[],
  random: Random,
  resamples: number,
): Float64Array | undefined {
  const blocks = (rounds[0] ?? []).reduce((sum, { counts }) => sum + counts.length, 0);
  if (rounds.length === 1 && blocks < LEAST_BLOCKS) return undefined;
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < rounds.length; i++) {
      const index = draw(random, rounds.length);
      const weight = times[index] as number;
      for (const { counts, timesMs } of rounds[index] ?? []) sum += weight * resampledRate(counts, timesMs, random);
      total += weight;
    }
    values[r] = sum / total;
  }
  return values.sort();
}

function resampledRate(counts: Float64Array, timesMs: Float64Array, random: Random): number {
  let requests = 0;
  let ms = 0;
  for (let i = 0; i < counts.length; i++) {
    const block = draw(random, counts.length);
    requests += counts[block] as number;
    ms += timesMs[block] as number;
  }
  return requests / Math.max(ms, Number.MIN_VALUE);
}

function draw(random: Random, below: number): number {
  return Math.floor((random.uint32() / 2 ** 32) * below);
}

/** Percentiles of the resamples; further out than they reach, their standard deviation is carried on. */
function spread(sorted: Float64Array, value: number, tail: number): number[] {
  const at = (probability: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(probability * sorted.length) - 1))] as number;
  const percentiles = [at(Math.max(tail, 0.025)), at(1 - Math.max(tail, 0.025))];
  const stretch = tail < 0.025 ? normalQuantile(tail) / normalQuantile(0.025) : 1;
  return percentiles.map((end) => value + (end - value) * stretch);
}
