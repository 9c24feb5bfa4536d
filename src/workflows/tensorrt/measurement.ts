/** Runs of trtexec in the form of `bench`. */
import type { LatencyReport } from '../../bench/results.js';
import type { Scenario } from '../../bench/scenario.js';
import type { Segment } from '../../bench/segment.js';
import { summarizeLatency, thinAll } from '../../bench/summarize.js';
import { summarizeThroughput } from '../../bench/throughput.js';
import type { ConfigurationReport } from '../../report/bench-types.js';
import type { TensorRtSummary } from '../../report/tensorrt-types.js';
import type { ReportFile } from '../../report/types.js';
import type { EngineRun } from './run-engine.js';

export interface MeasuredEngine {
  readonly engine: ReportFile;
  readonly runs: readonly EngineRun[];
  /** Rows of a query. */
  readonly batchSize: number;
  readonly streams: number;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly dims: readonly { readonly name: string; readonly size: number }[];
}

/** How trtexec sends queries. */
export function engineScenario(streams: number): Scenario {
  return streams > 1 ? { kind: 'multi-stream', streams } : { kind: 'single-stream' };
}

/** All queries of all processes, in order. */
export function engineSegments(runs: readonly EngineRun[]): readonly Segment[] {
  return runs.flatMap(({ segment }) => (segment ? [segment] : []));
}

/** Latency and throughput as `bench` reports them; from the summaries where trtexec exported no times. */
export function engineConfiguration(measured: MeasuredEngine): ConfigurationReport | undefined {
  const { engine, runs, batchSize, streams, inputs, dims } = measured;
  const segments = engineSegments(runs);
  const summaries = runs.map(({ log }) => log.summary);
  const shared = {
    label: engine.name,
    model: engine,
    executionProviders: ['tensorrt'],
    batchSize,
    dims,
    inputs,
  };
  if (segments.length > 0) {
    return {
      ...shared,
      latency: summarizeLatency(segments),
      throughput: summarizeThroughput(segments, batchSize, engineScenario(streams)),
      segments: thinAll(segments, 1),
    };
  }
  const latency = latencyOfSummaries(summaries);
  const rates = summaries.flatMap(({ queriesPerSecond }) => queriesPerSecond ?? []);
  if (!latency && rates.length === 0) return undefined;
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
  return {
    ...shared,
    ...(latency ? { latency } : {}),
    ...(rates.length > 0 ? { throughput: { value: mean * batchSize } } : {}),
  };
}

/** The first process that printed a latency; what needs single queries stays unknown. */
function latencyOfSummaries(summaries: readonly TensorRtSummary[]): LatencyReport | undefined {
  const printed = summaries.filter(({ latency }) => latency !== undefined);
  const [first] = printed;
  if (!first?.latency) return undefined;
  const { minMs, maxMs, meanMs, medianMs, percentiles } = first.latency;
  const queries = first.queries ?? 0;
  const quantiles = [{ percent: 50, ms: medianMs }, ...percentiles.filter(({ percent }) => percent !== 50)];
  return {
    runs: queries,
    failures: 0,
    minMs,
    meanMs,
    maxMs,
    quantiles: quantiles.map(({ percent, ms }) => ({ probability: percent / 100, ms })),
    autocorrelation: 0,
    effectiveRuns: queries,
    outliers: { mild: 0, severe: 0 },
    stable: false,
    processes: printed.flatMap(({ latency, queries: runs }) =>
      latency ? [{ runs: runs ?? 1, p50Ms: latency.medianMs }] : [],
    ),
  };
}
