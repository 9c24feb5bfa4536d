import { mergeByEnd } from './merge-streams.js';
import { normalQuantile } from './normal.js';
import type { Segment } from './segment.js';
import { studentQuantile } from './student.js';

/** Runs that took longer than a limit, told by where they stand. */
interface Exceedance {
  /** Requests, failed ones included. */
  readonly runs: number;
  /** Those over the limit, failed ones included. */
  readonly over: number;
  /** Each segment: requests that completed, and the places of those over the limit, in order. */
  readonly segments: readonly {
    readonly round: number;
    readonly runs: number;
    readonly over: readonly number[];
    readonly failures: number;
  }[];
}

function exceedance(segments: readonly Segment[], limitMs: number): Exceedance {
  let runs = 0;
  let total = 0;
  const found = segments.map(({ latencyMs, failures, round }) => {
    const over: number[] = [];
    for (let i = 0; i < latencyMs.length; i++) if ((latencyMs[i] as number) > limitMs) over.push(i);
    runs += latencyMs.length + failures;
    total += over.length + failures;
    return { round, runs: latencyMs.length, over, failures };
  });
  return { runs, over: total, segments: found };
}

/**
 * Fewer runs over a limit than this do not show whether they come in bursts; then the slowest so many are looked at.
 */
const ENOUGH_OVER = 20;
/** Blocks over which counts are compared double in length as long as there are this many of them. */
const LEAST_BLOCKS = 5;
/** A spread that chance explains with a probability above this is none: within processes, and between them. */
const WITHIN_TAIL = 0.02;
const BETWEEN_TAIL = 0.2;

/**
 * By how much fewer independent runs would tell as much about the share over the limit (the design effect, Kish 1965): 1
 * for independent ones. It is the variance of counts over that of independent runs (index of dispersion), the largest
 * one over blocks of 2, 4, 8, … consecutive runs and over rounds, so it sees bursts of any length as well as processes
 * that differ. Runs are consecutive within their stream, and across the streams of a round in the order in which they ended: all
 * requests that were under way in one stall are one burst. What chance explains counts as 1. Few rounds, or few long blocks, do not tell how much they differ; that is
 * charged by Student's t as Korn and Graubard (1998) do for surveys: `tail` is that of the bound to be computed.
 */
export function designEffect(segments: readonly Segment[], limitMs: number, tail = 0.025): number {
  const at = exceedance(segments, limitMs);
  const limit = at.over >= ENOUGH_OVER ? limitMs : slowestBut(segments, ENOUGH_OVER);
  const looked = at.over >= ENOUGH_OVER ? at : exceedance(segments, limit);
  const rate = looked.over / looked.runs;
  if (!(rate > 0 && rate < 1)) return 1;
  const merged = mergeByEnd(segments);
  const across = merged === undefined ? 1 : withinSegments(exceedance(merged, limit), rate, tail);
  return Math.max(1, across, withinSegments(looked, rate, tail), betweenRounds(looked, rate, tail));
}

function withinSegments({ segments }: Exceedance, rate: number, tail: number): number {
  let largest = 1;
  let counts = segments.map(countPairs);
  for (let length = 2; ; length *= 2) {
    let blocks = 0;
    let sum = 0;
    let squares = 0;
    for (const ofSegment of counts) {
      blocks += ofSegment.length;
      for (let i = 0; i < ofSegment.length; i++) {
        const count = ofSegment[i] as number;
        sum += count;
        squares += count * count;
      }
    }
    if (blocks < LEAST_BLOCKS) return largest;
    const spread = squares - 2 * sum * length * rate + blocks * (length * rate) ** 2;
    const dispersion = spread / (blocks * length * rate * (1 - rate));
    if (dispersion > chanceDispersion(blocks, length * rate, WITHIN_TAIL)) {
      largest = Math.max(largest, dispersion * charge(blocks - 1, tail));
    }
    counts = counts.map(joinPairs);
  }
}

/** Runs over the limit in each block of two; a run that is left at the end is in none. */
function countPairs({ runs, over }: Exceedance['segments'][number]): Uint32Array {
  const counts = new Uint32Array(runs >> 1);
  for (const place of over) {
    const block = place >> 1;
    if (block < counts.length) counts[block] = (counts[block] as number) + 1;
  }
  return counts;
}

/** Counts of blocks twice as long. */
function joinPairs(counts: Uint32Array): Uint32Array {
  const joined = new Uint32Array(counts.length >> 1);
  for (let i = 0; i < joined.length; i++) joined[i] = (counts[2 * i] as number) + (counts[2 * i + 1] as number);
  return joined;
}

function betweenRounds({ segments }: Exceedance, rate: number, tail: number): number {
  const rounds = new Map<number, { runs: number; over: number }>();
  for (const { round, runs, over, failures } of segments) {
    const sums = rounds.get(round) ?? { runs: 0, over: 0 };
    sums.runs += runs + failures;
    sums.over += over.length + failures;
    rounds.set(round, sums);
  }
  const degrees = rounds.size - 1;
  if (degrees < 1) return 1;
  let spread = 0;
  let mean = 0;
  for (const { runs, over } of rounds.values()) {
    if (runs === 0) continue;
    spread += (over - runs * rate) ** 2 / (runs * rate * (1 - rate));
    mean += (runs * rate) / rounds.size;
  }
  const dispersion = spread / degrees;
  if (dispersion <= chanceDispersion(degrees, mean, BETWEEN_TAIL)) return 1;
  return dispersion * charge(degrees, tail);
}

/** What a variance from so few counts costs. */
function charge(degrees: number, tail: number): number {
  return (studentQuantile(tail, degrees) / -normalQuantile(tail)) ** 2;
}

/**
 * What the dispersion of independent counts exceeds with probability `tail`: chi-square by Wilson and Hilferty's (1931) cube, a
 * little wider for small means, whose squares have long tails.
 */
function chanceDispersion(degrees: number, mean: number, tail: number): number {
  const variance = (2 + 1 / Math.max(mean, 1e-3)) / degrees;
  const part = variance / 9;
  return (1 - part - normalQuantile(tail) * Math.sqrt(part)) ** 3;
}

/** The value that all but `count` latencies lie at or below, failures among the slow. */
function slowestBut(segments: readonly Segment[], count: number): number {
  const slowest = new Float64Array(count + 1).fill(Number.NEGATIVE_INFINITY);
  for (const { latencyMs } of segments) {
    for (let i = 0; i < latencyMs.length; i++) {
      const value = latencyMs[i] as number;
      if (value <= (slowest[count] as number)) continue;
      let place = count;
      for (; place > 0 && (slowest[place - 1] as number) < value; place--)
        slowest[place] = slowest[place - 1] as number;
      slowest[place] = value;
    }
  }
  return slowest[count] as number;
}
