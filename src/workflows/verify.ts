import { ServeOptError } from '../errors.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { Model } from '../ir/model.js';
import type { LatencyComparison } from '../report/types.js';
import type { RuntimeHost } from '../runtime/host.js';
import { screenInterface } from '../runtime/interface-screen.js';
import { forTurns } from '../runtime/session-options.js';
import type { SampleSource, SessionOptions, ValueSpec } from '../runtime/types.js';
import { inputSpecs, outputSpecs } from '../runtime/value-specs.js';
import { fitSource } from './fit-source.js';
import type { ExecutionOptions, WorkflowContext } from './options.js';
import { namedProviders } from './preflight/providers.js';

/** Limits of the latency measurement beside a comparison. */
const LATENCY_LIMITS = { minRuns: 60, maxMs: 4000 } as const;

/** Session options that an execution choice means. */
export function sessionOptions(options: ExecutionOptions): SessionOptions {
  return {
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.executionProviders === undefined
      ? {}
      : { executionProviders: namedProviders(options.executionProviders) }),
  };
}

/** Why ONNX Runtime for Node cannot run this interface, or undefined. */
export function whyNotRunnable(model: Model): string | undefined {
  try {
    screenInterface(inputSpecs(model), outputSpecs(model));
    return undefined;
  } catch (error) {
    if (error instanceof ServeOptError && error.code === 'SO5006') return error.message;
    throw error;
  }
}

/** Two loaded models, ready to be run on the same samples. */
export interface LoadedPair {
  /** Made-up samples of sizes that the original accepts; a sentence when it accepts none. Data is given back as it is. */
  fit(source: SampleSource): Promise<SampleSource | string>;
  /** Compares the candidate, or another session in its place, with the original. */
  compare(source: SampleSource, batchSize: number, candidate?: number): Promise<ComparisonResult>;
  latency(source: SampleSource): Promise<LatencyComparison>;
}

/** Loads the original and the candidate in ONNX Runtime, which may get session options of its own. @throws SO5001 naming the one that is refused */
export async function loadPair(
  runtime: RuntimeHost,
  original: Model,
  paths: { readonly a: string; readonly b: string },
  options: ExecutionOptions & WorkflowContext,
  candidate: SessionOptions = {},
): Promise<LoadedPair> {
  const inputs = inputSpecs(original);
  const load = async (path: string, more: SessionOptions): Promise<number> =>
    (await runtime.request('load', { path, options: forTurns({ ...sessionOptions(options), ...more }) })).session;
  const a = await load(paths.a, {});
  const b = await load(paths.b, candidate);
  return {
    fit: (source) => fitSource(runtime, a, inputs, source),
    compare: (source, batchSize, candidate = b) =>
      runtime.request(
        'compare',
        { a, b: candidate, source, inputs, batchSize },
        { onProgress: ({ done, total }) => options.onProgress?.({ kind: 'advance', stage: 'compare', done, total }) },
      ),
    latency: (source) => measureLatency(runtime, [a, b], source, inputs, options),
  };
}

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
  if (!first || !second || !ratio) throw new ServeOptError('SO9001', 'the latency job measured nothing');
  return {
    p50MsA: first.p50Ms,
    p50MsB: second.p50Ms,
    ratio: ratio.median,
    ratioLow: ratio.low,
    ratioHigh: ratio.high,
    runs: Math.min(first.runs, second.runs),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.executionProviders === undefined ? {} : { executionProviders: options.executionProviders }),
    batchSize: 1,
  };
}
