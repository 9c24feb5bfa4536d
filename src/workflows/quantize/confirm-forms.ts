/** Which form of a quantized model is best for its outputs: each is run beside the original on samples that did not make it. */
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { ConfirmedForm } from '../../report/confirmed-form.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, QuantizeOptions } from '../options.js';
import { Failure } from '../workbench/failure.js';
import { type TrialSamples, withTrials } from '../workbench/trials.js';

/** Judging samples that forms are tried on. */
const MOST_SAMPLES = 128;
/** An output without any noise counts as this many dB. */
const BEST_DB = 100;
/** What another form has to gain over the first one on each part of the samples, in dB: less is chance. */
const LEAST_GAIN_DB = 0.1;

/** Runs forms of a model on both halves of the judging samples. @param onDone told how many are done */
export async function scoreForms(
  forms: readonly (() => Promise<Model>)[],
  original: { readonly model: Model; readonly path: string },
  options: InContext<QuantizeOptions>,
  judging: SampleSource,
  runtime: LazyRuntime,
  onDone: (done: number) => void,
): Promise<ConfirmedForm[]> {
  return withTrials(runtime, original, options, async (trials) => {
    const parts: TrialSamples[] = [];
    for (const part of halves(judging)) parts.push(await trials.on(part));
    const results: ConfirmedForm[] = [];
    for (const make of forms) {
      const model = await make();
      const scores: (ComparisonResult | Failure)[] = [];
      for (const part of parts) scores.push(await part.score(model));
      results.push(describe(scores));
      onDone(results.length);
    }
    return results;
  });
}

/**
 * The index of the form with the largest least gain over the first. The first one is taken unless another gives the outputs more signal over
 * noise on each half, and no more changed predictions: a few samples can decide one half, not both.
 */
export function bestForm([first, ...others]: readonly ConfirmedForm[]): number {
  let chosen = 0;
  let largest = LEAST_GAIN_DB;
  for (const [index, { sqnrDb, agreement = 1 }] of others.entries()) {
    if (!sqnrDb || agreement < (first?.agreement ?? 0)) continue;
    const gain = Math.min(...sqnrDb.map((value, part) => value - (first?.sqnrDb?.[part] ?? Number.NEGATIVE_INFINITY)));
    if (gain < largest) continue;
    largest = gain;
    chosen = index + 1;
  }
  return chosen;
}

/** The samples in two parts, where there are at least two. */
function halves(judging: SampleSource): SampleSource[] {
  if (judging.kind === 'seeded') return [judging];
  const { first = 0, count = MOST_SAMPLES } = judging;
  const used = Math.min(count, MOST_SAMPLES);
  if (used < 2) return [judging];
  const half = Math.floor(used / 2);
  return [
    { ...judging, first, count: half },
    { ...judging, first: first + half, count: used - half },
  ];
}

function describe(results: readonly (ComparisonResult | Failure)[]): ConfirmedForm {
  const failed = results.find((result): result is Failure => result instanceof Failure);
  if (failed) return { failed: failed.reason };
  const compared = results.filter((result): result is ComparisonResult => !(result instanceof Failure));
  const decibels = compared.map(signalToNoise).filter((value) => value !== undefined);
  const agreements = compared
    .flatMap(({ outputs }) => outputs)
    .flatMap(({ top1Agreement, random }) => (top1Agreement && !random ? [top1Agreement.value] : []));
  return {
    samples: compared.reduce((sum, { samples }) => sum + samples, 0),
    ...(decibels.length === compared.length ? { sqnrDb: decibels } : {}),
    ...(agreements.length > 0
      ? { agreement: agreements.reduce((sum, value) => sum + value, 0) / agreements.length }
      : {}),
  };
}

/** Mean over outputs; undefined where values are lost, or none can be compared. */
function signalToNoise({ outputs }: ComparisonResult): number | undefined {
  const floats = outputs.filter(({ sqnrDb, random }) => sqnrDb !== undefined && !random);
  if (floats.length === 0 || outputs.some(({ nonFinite }) => nonFinite.lost > 0)) return undefined;
  return floats.reduce((total, { sqnrDb }) => total + Math.min(sqnrDb as number, BEST_DB), 0) / floats.length;
}
