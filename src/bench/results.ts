/** What measurements come to, as plain data. Times in ms, rates in 1/s; quantiles by nearest rank. */

export type BenchVerdict = 'pass' | 'fail' | 'inconclusive';

/** A quantile with its distribution-free 95 % confidence interval from order statistics. */
export interface QuantileReport {
  /** 0.99 for p99. */
  readonly probability: number;
  /** Absent where there are too few runs to tell it from the maximum. */
  readonly ms?: number;
  readonly lowMs?: number;
  /** Absent where the interval is open upwards. */
  readonly highMs?: number;
  /** What is missing and why, for example `needs 299 runs`. */
  readonly why?: string;
}

/** An estimate with its 95 % confidence interval; without one where there was too little to tell. */
export interface EstimateReport {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

export interface LatencyReport {
  /** Requests timed, warm-up not counted. */
  readonly runs: number;
  readonly failures: number;
  readonly minMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
  /** p50, p90, p95, p99, p99.9. */
  readonly quantiles: readonly QuantileReport[];
  /** Lag-1 autocorrelation of latencies in order: noise comes in bursts. */
  readonly autocorrelation: number;
  /** So many independent runs tell as much. */
  readonly effectiveRuns: number;
  /** Beyond 1.5 and 3 interquartile ranges (Tukey's fences); counted, never removed. */
  readonly outliers: { readonly mild: number; readonly severe: number };
  /** The last three windows of time agree within 10 % on the median. */
  readonly stable: boolean;
  /** Median of each fresh process, in order. */
  readonly processes: readonly { readonly runs: number; readonly p50Ms: number }[];
}

/** The requests of one process and stream, in order; thinned where there were very many. */
export interface SegmentReport {
  readonly round: number;
  readonly stream: number;
  /** Only every n-th request is kept; 1 keeps all. */
  readonly every: number;
  readonly startMs: readonly number[];
  readonly latencyMs: readonly number[];
}

/** A configuration against a baseline. */
export interface RegressionReport {
  readonly configuration: string;
  readonly baseline: string;
  /** Measured in turns in one run, or an earlier report. */
  readonly kind: 'model' | 'report';
  /** Latency over that of the baseline with its 95 % interval; above 1 is slower. The median of paired blocks, or of process medians. */
  readonly ratio?: EstimateReport;
  /** What the baseline differed by from itself in the same run (A/A): 0.01 is 1 %. */
  readonly noise?: number;
  /** Smaller effects do not count: 0.03 is 3 %. */
  readonly minEffect: number;
  /** Fresh processes, each with its ratio and its A/A ratio. */
  readonly rounds: readonly { readonly ratio: number; readonly selfRatio?: number; readonly pairs: number }[];
  /** Hodges-Lehmann estimate of the ratio and the p-value of Wilcoxon's signed-rank test: shown, they decide nothing. */
  readonly hodgesLehmann?: number;
  readonly wilcoxonP?: number;
  readonly verdict: BenchVerdict | 'not-comparable';
  readonly why: string;
}

/** Latency of two models measured in turns in one process. */
export interface LatencyComparison {
  readonly p50MsA: number;
  readonly p50MsB: number;
  /** p50 of B divided by that of A: below 1 is faster. */
  readonly ratio: number;
  /** 95 % confidence interval of the ratio; absent where there were too few runs for one. */
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
  readonly runs: number;
  readonly threads?: number;
  /** Execution providers as they were asked for; absent for the CPU. */
  readonly executionProviders?: readonly string[];
  readonly batchSize: number;
}
