import type { LatencyComparison } from '../../bench/results.js';
import { ServeOptError } from '../../errors.js';
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { SampleSource } from '../../samples/types.js';
import { judge } from '../comparison-warnings.js';
import { dependsOnBatch } from '../depends-on-batch.js';
import type { JudgedRunOptions, WorkflowContext } from '../options.js';
import { metricWish } from '../preflight/judging.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import type { Stages } from '../stages.js';
import { type LoadedPair, loadPairIfValid } from './loaded-pair.js';
import type { SampleSplit } from './sample-split.js';
import { fewerSamples, withSmallerSamples } from './smaller-samples.js';

/** What loading and running the result beside the original came to. */
export type Checked = Unrun | Compared;

interface Unrun {
  readonly loads: 'passed' | 'skipped';
  readonly reason: string;
  readonly warnings: readonly string[];
  readonly comparison?: undefined;
  readonly half?: undefined;
}

interface Compared {
  readonly loads: 'passed';
  readonly reason?: undefined;
  /** Sizes of synthetic inputs are chosen. */
  readonly judging: SampleSource;
  /** Of a FLOAT16 result: computed in emulated half precision. */
  readonly comparison: ComparisonResult;
  readonly accuracy: ComparisonResult | undefined;
  /** Of a FLOAT16 result: what ONNX Runtime computes here. */
  readonly half?: { readonly here: ComparisonResult };
  readonly warnings: readonly string[];
  /** Times both models in turns. */
  measure(): Promise<LatencyComparison>;
}

export interface CheckContext {
  /** The original, and the file it was read from. */
  readonly model: Model;
  readonly path: string;
  readonly options: CheckResultOptions;
  readonly stages: Stages;
}

/** Options of the command that has made the result. */
export interface CheckResultOptions extends JudgedRunOptions, WorkflowContext {
  /** Labelled samples to measure the metric on. */
  readonly evalPath?: string;
  /** Samples in one run. */
  readonly batch?: number;
}

/** How a result is compared that ONNX Runtime does not compute here as a device would. */
export interface HalfPrecision {
  /** Compares as ONNX Runtime computes it. */
  here(pair: LoadedPair, source: SampleSource, batch: number | undefined): Promise<ComparisonResult>;
  /** Compares with a session of the result in emulated half precision. */
  emulated<T>(runtime: RuntimeHost, path: string, use: (session: number) => Promise<T>): Promise<T>;
}

/** What was written, and how it is to be loaded. */
export interface Candidate {
  readonly path: string;
  readonly session?: SessionOptions | undefined;
  /** Its outputs depend on which samples are run together: it is compared one sample at a time. */
  readonly oneByOne?: boolean;
  /** What helps where the metric falls, after a colon: `keep layers in FP32 with --exclude`. */
  readonly advice: string;
  /** Given for a result in FLOAT16. */
  readonly half?: HalfPrecision | undefined;
}

/**
 * Loads, runs and compares a result beside the original.
 * @throws SO5001 when ONNX Runtime refuses one of them, SO5003 when it dies, SO4005 for labels that cannot be scored
 */
async function checkOnce(
  { model, path, options, stages }: CheckContext,
  runtime: RuntimeHost,
  candidate: Candidate,
  split: SampleSplit,
): Promise<Checked> {
  const reason = whyNotRunnable(model);
  if (reason !== undefined) return { loads: 'skipped', reason, warnings: [`The result was not run: ${reason}.`] };
  stages.start('load');
  const wish = metricWish(
    options,
    model.graph.outputs.map(({ name }) => name),
  );
  const { session } = candidate;
  const pair = await loadPairIfValid(
    runtime,
    model,
    { a: path, b: candidate.path },
    { ...options, ...stages.context('compare'), wish, ...(session ? { candidateSession: session } : {}) },
  );
  stages.end();
  if (typeof pair === 'string')
    return { loads: 'skipped', reason: pair, warnings: [`The result was not run: ${pair}.`] };
  stages.start('compare');
  const fitted = await pair.fit(split.judging);
  if (typeof fitted === 'string') {
    stages.end();
    return { loads: 'passed', reason: fitted, warnings: [`The result was loaded but not run: ${fitted}.`] };
  }
  const batch = options.batch ?? (candidate.oneByOne || dependsOnBatch(model) ? 1 : undefined);
  const compareAll = async (judging: SampleSource, session?: number) => ({
    comparison: await pair.compare(judging, batch, session),
    accuracy:
      options.evalPath === undefined
        ? undefined
        : await pair.compare({ kind: 'data', path: options.evalPath }, batch, session),
  });
  // On a CPU, FLOAT16 is computed in FLOAT and takes more memory than the original.
  const compareWith = async (source: SampleSource) => {
    if (!candidate.half) return { judging: source, half: undefined, ...(await compareAll(source)) };
    const half = { here: await candidate.half.here(pair, source, batch) };
    const compareEmulated = (session: number) => compareAll(source, session);
    return { judging: source, half, ...(await candidate.half.emulated(runtime, candidate.path, compareEmulated)) };
  };
  const { judging, half, comparison, accuracy } = await withSmallerSamples(fitted, compareWith, () => pair.reload());
  if (accuracy && (accuracy.metrics ?? []).length === 0) throw notScored(accuracy);
  stages.end(`${comparison.samples + (accuracy?.samples ?? 0)} samples`);
  const warnings = [...pair.warnings, ...judge({ comparison, accuracy }, candidate.advice)];
  if (judging.kind === 'data' && !split.heldOut) {
    warnings.push('Too few samples to hold some out: the comparison ran on the calibration samples.');
  }
  const measure = async (): Promise<LatencyComparison> => {
    stages.start('measure');
    const latency = await pair.latency(judging);
    stages.end();
    return latency;
  };
  return { loads: 'passed', judging, comparison, accuracy, ...(half ? { half } : {}), warnings, measure };
}

/**
 * Loads, runs and compares a result beside the original; once more in a new process and with fewer synthetic samples where the
 * system ended the process for want of memory.
 * @throws as `checkOnce`, SO2105 where the last sample takes too much
 */
export async function checkResult(
  context: CheckContext,
  runtime: LazyRuntime,
  candidate: Candidate,
  split: SampleSplit,
): Promise<Checked> {
  const checked = await withSmallerSamples(
    split.judging,
    async (judging) => checkOnce(context, await runtime.host(), candidate, { ...split, judging }),
    () => runtime.close(),
  );
  const [judged, wanted] = [checked.comparison && checked.judging, split.judging];
  if (judged?.kind !== 'seeded' || wanted.kind !== 'seeded' || judged.count >= wanted.count) return checked;
  return { ...checked, warnings: [...checked.warnings, fewerSamples(judged.count, wanted.count)] };
}

/** Labels of which only a run could tell that no output fits them. */
function notScored({ source, metricsSkipped }: ComparisonResult): ServeOptError {
  const name = source.kind === 'data' ? source.name : '';
  return new ServeOptError('SO4005', `The labels in "${name}" cannot be scored against any output`, {
    ...(metricsSkipped === undefined ? {} : { why: metricsSkipped }),
    hint: 'labels must be class numbers from 0 on, one per sample, or values of the same kind as the output',
  });
}
