import type { EstimateReport, LatencyReport } from '../report/bench-types.js';
import { quantileNearestRank } from '../tensor/statistics.js';
import type { Scenario } from './scenario.js';
import type { Segment } from './segment.js';

/** Stands in until the statistics are merged. */
export function summarizeLatency(segments: readonly Segment[]): LatencyReport {
  const all = Float64Array.from(segments.flatMap((segment) => [...segment.latencyMs]));
  return {
    runs: all.length,
    failures: segments.reduce((sum, segment) => sum + segment.failures, 0),
    minMs: Math.min(...all),
    meanMs: all.reduce((sum, ms) => sum + ms, 0) / all.length,
    maxMs: Math.max(...all),
    quantiles: [0.5, 0.9, 0.95, 0.99].map((probability) => ({
      probability,
      ms: quantileNearestRank(all, probability),
    })),
    autocorrelation: 0,
    effectiveRuns: all.length,
    outliers: { mild: 0, severe: 0 },
    stable: true,
    processes: [],
  };
}

export function summarizeThroughput(
  segments: readonly Segment[],
  samplesPerRequest: number,
  _scenario: Scenario,
): EstimateReport {
  const walls = new Map<number, number>();
  for (const { round, wallMs } of segments) walls.set(round, wallMs);
  const wall = [...walls.values()].reduce((sum, ms) => sum + ms, 0);
  const runs = segments.reduce((sum, segment) => sum + segment.latencyMs.length, 0);
  return { value: (runs * samplesPerRequest * 1000) / wall };
}
