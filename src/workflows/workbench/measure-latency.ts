import type { LatencyComparison } from '../../bench/results.js';
import { ServeOptError } from '../../errors.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import type { ExecutionOptions } from '../options.js';

/** Limits of the latency measurement beside a comparison. */
const LATENCY_LIMITS = { minRuns: 60, maxMs: 4000 } as const;

/** Times two sessions in turns on the same samples. */
export async function measureLatency(
  runtime: RuntimeHost,
  sessions: readonly [number, number],
  source: SampleSource,
  inputs: readonly ValueSpec[],
  options: ExecutionOptions & { readonly minRuns?: number; readonly maxMs?: number },
): Promise<LatencyComparison> {
  const { latencies, ratio } = await runtime.request('latency', {
    sessions,
    source,
    inputs,
    minRuns: options.minRuns ?? LATENCY_LIMITS.minRuns,
    maxMs: options.maxMs ?? LATENCY_LIMITS.maxMs,
  });
  const [first, second] = latencies;
  if (!first || !second || !ratio) throw new ServeOptError('SO9001', 'the latency measurement gave no result');
  return {
    p50MsA: first.p50Ms,
    p50MsB: second.p50Ms,
    ratio: ratio.median,
    ...(ratio.low === undefined ? {} : { ratioLow: ratio.low }),
    ...(ratio.high === undefined ? {} : { ratioHigh: ratio.high }),
    runs: Math.min(first.runs, second.runs),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.executionProviders === undefined ? {} : { executionProviders: options.executionProviders }),
    batchSize: 1,
  };
}
