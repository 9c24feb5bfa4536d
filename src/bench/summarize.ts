import { concatenate } from './concatenate.js';
import { designEffect } from './dispersion.js';
import { quantileReports, REPORTED_PROBABILITIES } from './quantile-interval.js';
import { median, quantileOfSorted } from './quantiles.js';
import type { LatencyReport, SegmentReport } from './results.js';
import { roundsOf, type Segment } from './segment.js';

/** Windows of time whose medians must agree, and by how much (perf_analyzer's rule of stability). */
const STABLE = { windows: 3, tolerance: 0.1 } as const;

/** What a report says of latencies. All processes and streams are pooled; `stable`, say, looks at them in order. */
export function summarizeLatency(segments: readonly Segment[]): LatencyReport {
  const sorted = pooled(segments).sort();
  const runs = sorted.length;
  let sum = 0;
  for (let i = 0; i < runs; i++) sum += sorted[i] as number;
  const autocorrelation = lagOneAutocorrelation(segments);
  const effects = new Map(
    REPORTED_PROBABILITIES.map((p) => [
      p as number,
      runs === 0 ? 1 : designEffect(segments, quantileOfSorted(sorted, p)),
    ]),
  );
  const serial = (1 + autocorrelation) / Math.max(1 - autocorrelation, 1e-9);
  const effect = Math.max(1, serial, effects.get(0.5) ?? 1);
  return {
    runs,
    failures: segments.reduce((total, { failures }) => total + failures, 0),
    minMs: sorted[0] ?? Number.NaN,
    meanMs: sum / runs,
    maxMs: sorted[runs - 1] ?? Number.NaN,
    quantiles: quantileReports(sorted, REPORTED_PROBABILITIES, 0.95, (p) => effects.get(p) ?? 1),
    autocorrelation,
    effectiveRuns: runs === 0 ? 0 : Math.max(1, Math.round(runs / effect)),
    outliers: countOutliers(sorted),
    stable: isStable(segments),
    processes: processMedians(segments),
  };
}

/** All latencies, segment by segment. */
export function pooled(segments: readonly Segment[]): Float64Array {
  return concatenate(segments.map(({ latencyMs }) => latencyMs));
}

/**
 * Correlation of each latency with the next one in the same segment, means taken per segment so that processes that
 * differ do not look like bursts. 0 where nothing varies.
 */
export function lagOneAutocorrelation(segments: readonly Pick<Segment, 'latencyMs'>[]): number {
  let products = 0;
  let squares = 0;
  let rounding = 0;
  for (const { latencyMs } of segments) {
    let mean = 0;
    for (let i = 0; i < latencyMs.length; i++) mean += (latencyMs[i] as number) / latencyMs.length;
    rounding += latencyMs.length * (1e-14 * mean) ** 2;
    let before = 0;
    for (let i = 0; i < latencyMs.length; i++) {
      const deviation = (latencyMs[i] as number) - mean;
      squares += deviation * deviation;
      products += deviation * before;
      before = deviation;
    }
  }
  return squares > rounding ? products / squares : 0;
}

/** Latencies beyond the fences of Tukey's box plot ("Exploratory Data Analysis", 1977), on either side. */
function countOutliers(sorted: Float64Array): LatencyReport['outliers'] {
  const lower = quantileOfSorted(sorted, 0.25);
  const upper = quantileOfSorted(sorted, 0.75);
  const range = upper - lower;
  let mild = 0;
  let severe = 0;
  for (const ms of sorted) {
    const beyond = Math.max(lower - ms, ms - upper);
    if (beyond > 3 * range) severe++;
    else if (beyond > 1.5 * range) mild++;
  }
  return { mild, severe };
}

/**
 * The last three windows agree within 10 % on the median. Windows are a fifth of the time measured each, over the rounds in
 * order; streams of one round run at the same time. Too few runs to fill them are not stable.
 */
function isStable(segments: readonly Segment[]): boolean {
  const offsets = new Map<number, number>();
  let end = 0;
  for (const round of roundsOf(segments)) {
    offsets.set(round[0]?.round ?? 0, end);
    end += Math.max(...round.map(({ wallMs }) => wallMs));
  }
  const width = end / 5;
  const windows: number[][] = Array.from({ length: STABLE.windows }, () => []);
  for (const { startMs, latencyMs, round } of segments) {
    const offset = (offsets.get(round) ?? 0) - (end - STABLE.windows * width);
    for (let i = 0; i < latencyMs.length; i++) {
      const window = Math.floor((offset + (startMs[i] as number)) / width);
      if (window >= 0) windows[Math.min(window, STABLE.windows - 1)]?.push(latencyMs[i] as number);
    }
  }
  const medians = windows.map((window) => (window.length < 3 ? Number.NaN : median(window)));
  // A comparison with NaN is false: windows that are nearly empty are not stable.
  return Math.max(...medians) - Math.min(...medians) <= STABLE.tolerance * Math.min(...medians);
}

/** Median of each round, in order. */
export function processMedians(segments: readonly Segment[]): LatencyReport['processes'] {
  return roundsOf(segments)
    .map((round) => pooled(round).sort())
    .filter(({ length }) => length > 0)
    .map((sorted) => ({ runs: sorted.length, p50Ms: quantileOfSorted(sorted, 0.5) }));
}

/** Requests that a report keeps: of one configuration, of all of them, and of a segment at the least. */
const KEPT = { each: 20_000, all: 400_000, segment: 10 } as const;

/** Segments of a configuration as a report keeps them, thinned evenly; fewer requests where there are many configurations. */
export function thinAll(segments: readonly Segment[], configurations: number): SegmentReport[] {
  const most = Math.min(KEPT.each, KEPT.all / Math.max(1, configurations));
  const share = Math.max(KEPT.segment, Math.ceil(most / Math.max(1, segments.length)));
  return segments.map((segment) => thin(segment, share));
}

/** A segment as a report keeps it: every n-th request from the first on, with the least n that leaves at most `most`. */
export function thin({ round, stream, startMs, latencyMs }: Segment, most: number): SegmentReport {
  const every = Math.max(1, Math.ceil(latencyMs.length / Math.max(1, most)));
  const kept: number[] = [];
  for (let i = 0; i < latencyMs.length; i += every) kept.push(i);
  return {
    round,
    stream,
    every,
    startMs: kept.map((i) => toNanoseconds(startMs[i] as number)),
    latencyMs: kept.map((i) => toNanoseconds(latencyMs[i] as number)),
  };
}

/** A clock shows no more, and the digits beyond would fill half of a report. */
function toNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
