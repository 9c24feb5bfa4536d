import { ServeOptError } from '../../errors.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import type { Feeds, HostTensor } from '../../samples/types.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import { type KeptRun, KeptRuns, type RunsOfSource } from '../kept-runs.js';
import type { ObserveParams } from '../observe-params.js';
import { feedsOf } from './compare.js';
import { outputOf } from './stream-samples.js';
import { addOutputs, type SumsResult } from './sums.js';

/** A value that is kept from step to step, and the input or output of a model that it is. */
type NamedValue = readonly [key: string, name: string];

export interface StepSumsParams extends Omit<ObserveParams, 'session'> {
  /** What `keepRuns` gave. */
  readonly runs: number;
  /** A number for the source: its runs are told from those over other sources by it. */
  readonly sourceId: number;
  readonly step: number;
  /** A session that starts from kept values, or from the inputs of the model. */
  readonly session: number;
  readonly from: 'kept values' | 'inputs';
  readonly take: readonly NamedValue[];
  /** Outputs that are kept. */
  readonly keep: readonly NamedValue[];
  /** Values that stay kept as they are. */
  readonly carry: readonly string[];
  readonly outputs: readonly string[];
}

export interface StepSumsResult extends SumsResult {
  /** Samples of the source that this step has not seen: nothing is kept of them. */
  readonly left: number;
}

/** Jobs of a network that is run step by step. */
export interface StepJobTypes {
  keepRuns: { params: { readonly maxBytes: number }; result: { readonly runs: number } };
  stepSums: { params: StepSumsParams; result: StepSumsResult };
  dropRuns: { params: { readonly runs: number }; result: undefined };
}

/** Makes room for kept values. @returns the number that they are known by */
export function keepRunsJob(
  context: JobContext,
  { maxBytes }: { readonly maxBytes: number },
): { readonly runs: number } {
  return { runs: context.keepRuns(new KeptRuns(maxBytes)) };
}

export function dropRunsJob(context: JobContext, { runs }: { readonly runs: number }): undefined {
  context.dropRuns(runs);
}

/**
 * One step over a source: sums outputs over the samples, element by element and in float64, and keeps others for the next step. From kept
 * values, only runs that have them are made; from inputs, those that the step has not seen yet.
 */
export async function stepSumsJob(
  context: JobContext,
  params: StepSumsParams,
  progress: ReportProgress,
): Promise<StepSumsResult> {
  const kept = context.runs(params.runs);
  const session = context.session(params.session);
  const sums = new Map<string, Float64Array>();
  const isResumed = params.from === 'kept values';
  const fetches = [...new Set([...params.outputs, ...params.keep.map(([, name]) => name)])];
  let reader: SampleReader | undefined;
  const openReader = async (): Promise<SampleReader> => {
    reader ??= await context.openSamples(params.source, params.inputs);
    return reader;
  };
  const run = async (each: KeptRun): Promise<void> => {
    const feeds = await feedsFor(session, params, each, openReader);
    const outputs = await session.run(feeds, fetches);
    addOutputs(sums, outputs, params.outputs);
    each.step = params.step;
    kept.keep(each, keptValues(params, each, outputs));
  };
  let samples = 0;
  try {
    const runs = kept.of(params.sourceId) ?? firstRuns(kept, params, await openReader());
    const total = runs.list.reduce((sum, { count }) => sum + count, 0);
    for (let at = 0; at < runs.list.length; at++) {
      const each = runs.list[at] as KeptRun;
      if (each.step === params.step || (isResumed && each.values === undefined)) continue;
      try {
        await run(each);
      } catch (error) {
        const { least } = runs;
        if (!(error instanceof ServeOptError) || !/^SO(5002|2105)$/.test(error.code) || each.count <= least)
          throw error;
        // A model may have its batch size built in, and a large batch may take too much.
        kept.keep(each, undefined);
        runs.list.splice(at, 1, ...split(each, least));
        at--;
        continue;
      }
      samples += each.count;
      progress({ done: samples, total });
    }
    const left = runs.list.reduce((sum, { step, count }) => sum + (step === params.step ? 0 : count), 0);
    return { samples, sums, left };
  } finally {
    await reader?.close?.();
  }
}

function firstRuns(kept: KeptRuns, { sourceId, batchSize }: StepSumsParams, reader: SampleReader): RunsOfSource {
  const least = reader.block ?? 1;
  const size = reader.batchable ? Math.max(1, batchSize) : least;
  return kept.begin(sourceId, { least, list: split({ start: 0, count: reader.count }, size) });
}

function split({ start, count }: Pick<KeptRun, 'start' | 'count'>, size: number): KeptRun[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => ({
    start: start + at * size,
    count: Math.min(size, count - at * size),
    step: -1,
    values: undefined,
  }));
}

async function feedsFor(
  session: ChildSession,
  { from, take }: StepSumsParams,
  { start, count, values }: KeptRun,
  openReader: () => Promise<SampleReader>,
): Promise<Feeds> {
  const taken: Feeds = new Map();
  if (from === 'kept values')
    for (const [key, name] of take) {
      const tensor = values?.get(key);
      if (tensor) taken.set(name, tensor);
    }
  if (session.inputNames.every((name) => taken.has(name))) return taken;
  const read = await (await openReader()).read(start, count);
  return feedsOf(session, new Map([...read, ...taken]));
}

function keptValues(
  { from, keep, carry }: StepSumsParams,
  { values }: KeptRun,
  outputs: ReadonlyMap<string, HostTensor>,
): ReadonlyMap<string, HostTensor> {
  const next = new Map<string, HostTensor>();
  for (const [key, name] of keep) next.set(key, outputOf(outputs, name));
  if (from === 'kept values')
    for (const key of carry) {
      const tensor = values?.get(key);
      if (tensor) next.set(key, tensor);
    }
  return next;
}
