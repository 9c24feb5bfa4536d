/** What `bench` reports, as plain data. Times in ms, sizes in bytes, rates in 1/s; quantiles by nearest rank. */
import type { MetricUnit } from '../bench/budgets.js';
import type { Scenario } from '../bench/scenario.js';
import type { ReportHeader, ReportModel } from './types.js';

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

/** One start in a fresh process, from nothing to the first answer. File caches of the system are warm. */
export interface ColdStart {
  /** Starting the process that holds ONNX Runtime. */
  readonly processMs: number;
  /** Loading ONNX Runtime's library. */
  readonly libraryMs: number;
  /** Creating the session. */
  readonly sessionMs: number;
  /** The first run. */
  readonly firstRunMs: number;
  /** The sum. */
  readonly totalMs: number;
}

export interface ColdStartReport {
  readonly starts: readonly ColdStart[];
  /** Medians of each part, and of the totals. */
  readonly median: ColdStart;
}

export interface MemoryReport {
  /** Largest resident set of the process with the model, all processes of a round together. */
  readonly peakBytes: number;
  /** The same process before the model was loaded, ONNX Runtime and a tiny session included. */
  readonly bareBytes: number;
  /** Samples kept ready for all runs, which no server would do. */
  readonly samplesBytes?: number;
  /** What is left of the difference: what the model costs. */
  readonly modelBytes: number;
}

/** Sensors of noise, free of charge. */
export interface NoiseReport {
  /** CPU time over wall time of the timed part: far below the number of threads means that something else ran. */
  readonly cpuPerWall: number;
  readonly involuntarySwitches: number;
  /** Periods in which the container was throttled, where a cgroup tells. */
  readonly throttledPeriods?: number;
}

/** Proof of where the graph ran, from ONNX Runtime's own profile. */
export interface ProviderUse {
  /** ONNX Runtime's name, for example `CUDAExecutionProvider`. */
  readonly provider: string;
  readonly nodes: number;
  readonly kernelMs: number;
}

/** Operators by the time they took, from ONNX Runtime's profile. */
export interface OperatorTime {
  readonly opType: string;
  readonly provider: string;
  /** Nodes of this operator. */
  readonly nodes: number;
  /** Mean time of one run of the model in all of them. */
  readonly msPerRun: number;
  /** Of the time in all nodes, 0 to 1. */
  readonly share: number;
}

/** A node by the time it took. */
export interface NodeTime {
  readonly name: string;
  readonly opType: string;
  readonly provider: string;
  readonly msPerRun: number;
  readonly share: number;
}

export interface ProfileReport {
  readonly runs: number;
  readonly providers: readonly ProviderUse[];
  readonly operators: readonly OperatorTime[];
  readonly nodes: readonly NodeTime[];
}

/** One thing that was measured: a model on a provider with so many threads and these shapes, or a server. */
export interface ConfigurationReport {
  /** Unique in the report, short, for tables: `model.onnx cpu 2 threads batch=8`, without what all share. */
  readonly label: string;
  readonly model?: ReportModel;
  /** What was asked for, first choice first, for example `cuda`. */
  readonly executionProviders: readonly string[];
  /** Absent where only the CPU was asked for and no profile was wanted: then there is nothing else it can have run on. */
  readonly providersUsed?: readonly ProviderUse[];
  readonly threads?: number;
  readonly batchSize: number;
  /** Sizes chosen for open dimensions, by name. */
  readonly dims: readonly { readonly name: string; readonly size: number }[];
  /** What was fed, for example `float[8,3,32,32]`. */
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** Why it could not be measured, or not to the end. What was measured before stands beside it. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly warmUp?: { readonly runs: number; readonly ms: number; readonly settled: boolean };
  readonly latency?: LatencyReport;
  /** Samples (rows of a batch) a second; tokens where a server counts them. */
  readonly throughput?: EstimateReport;
  readonly coldStart?: ColdStartReport;
  readonly memory?: MemoryReport;
  readonly noise?: NoiseReport;
  readonly profile?: ProfileReport;
  /** Time to first token, and tokens a second of one answer, for completions. */
  readonly tokens?: {
    readonly firstTokenMs: readonly QuantileReport[];
    readonly perSecond: EstimateReport;
    readonly total: number;
  };
  /** How many answers had which status; only for servers. */
  readonly answers?: readonly { readonly status: string; readonly count: number }[];
  readonly segments?: readonly SegmentReport[];
  /** Nothing else is better in latency, throughput and memory at once. */
  readonly pareto?: boolean;
}

/** One budget on one configuration. */
export interface BudgetReport {
  readonly configuration: string;
  /** `p99`, `throughput`, `size`, `memory`, `cold-start`, … */
  readonly metric: string;
  /** As it was given: `10ms`. */
  readonly budget: string;
  /** In `unit`. */
  readonly limit: number;
  readonly unit: MetricUnit;
  readonly measured?: number;
  readonly low?: number;
  readonly high?: number;
  readonly verdict: BenchVerdict;
  /** One clause, for example `12 of 3,000 runs over; at most 0.6 % with 95 % confidence`. */
  readonly why: string;
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

/** The machine, as far as it decides latencies. No host name, no paths, no time of day. */
export interface EnvironmentReport {
  readonly os: string;
  readonly architecture: string;
  readonly cpuModel: string;
  readonly logicalCores: number;
  /** What the process may use (`os.availableParallelism()`). */
  readonly availableParallelism: number;
  /** CPUs that a cgroup allows, where it limits them. */
  readonly cpuQuota?: number;
  /** Frequency governor, where Linux tells. */
  readonly governor?: string;
  readonly loadAverage: number;
  readonly memoryBytes: number;
  readonly nodeVersion: string;
  readonly gpus?: readonly { readonly name: string; readonly driver: string; readonly memoryBytes?: number }[];
  /** Cost of reading the clock, in µs. */
  readonly timerUs: number;
}

/** Answer of `bench`. */
export interface BenchReport extends ReportHeader {
  readonly command: 'bench';
  /** Models in ONNX Runtime here, or a server. */
  readonly subject: 'models' | 'server';
  readonly environment: EnvironmentReport;
  readonly scenario: Scenario;
  readonly seed: number;
  /** Where inputs came from: the name of a data set, or `made up`. */
  readonly source: string;
  readonly server?: { readonly protocol: string; readonly model: string; readonly url: string };
  readonly configurations: readonly ConfigurationReport[];
  /** Label of the configuration to take, and why. */
  readonly suggestion?: { readonly configuration: string; readonly why: string };
  readonly budgets: readonly BudgetReport[];
  readonly regressions: readonly RegressionReport[];
  /** Of all gates together; absent without any. */
  readonly verdict?: BenchVerdict;
  /** A signal came: what had been measured by then. */
  readonly interrupted?: true;
}
