/** What `bench` reports, as plain data. Times in ms, sizes in bytes, rates in 1/s; quantiles by nearest rank. */
import type {
  BenchVerdict,
  EstimateReport,
  LatencyReport,
  QuantileReport,
  RegressionReport,
  SegmentReport,
} from '../bench/results.js';
import type { Scenario } from '../bench/scenario.js';
import type { BudgetReport } from '../gates/budget-report.js';
import type { EnvironmentReport } from '../runtime/environment.js';
import type { ProfileReport, ProviderUse } from '../runtime/profile.js';
import type { ReportHeader, ReportModel } from './types.js';

/** One start in a fresh process, from process start to the end of the first inference. File caches of the system are warm. */
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
  /** Time to first token, and tokens per second of one response, for completions. */
  readonly tokens?: {
    readonly firstTokenMs: readonly QuantileReport[];
    readonly perSecond: EstimateReport;
    readonly total: number;
  };
  /** Count of responses by status; only for servers. */
  readonly responses?: readonly { readonly status: string; readonly count: number }[];
  readonly segments?: readonly SegmentReport[];
  /** Nothing else is better in latency, throughput and memory at once. */
  readonly pareto?: boolean;
}

/** Result of `bench`. */
export interface BenchReport extends ReportHeader {
  readonly command: 'bench';
  /** Models in ONNX Runtime here, or a server. */
  readonly subject: 'models' | 'server';
  readonly environment: EnvironmentReport;
  readonly scenario: Scenario;
  readonly seed: number;
  /** Where inputs came from: the name of a data set, or `synthetic`. */
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
