/** Which ranges are best for the outputs of a model: each candidate is quantized and run beside the original. */
import type { ComparisonResult } from '../../evaluate/comparison.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { TriedRangesReport } from '../../report/types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, QuantizeOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { Failure } from '../workbench/failure.js';
import type { SampleSplit } from '../workbench/sample-split.js';
import { type TrialSamples, withTrials } from '../workbench/trials.js';
import type { CalibrationWork } from './calibration-work.js';

/** Judging samples that candidates are tried on. */
const MOST_SAMPLES = 128;
/** An output without any noise counts as this many dB. */
const BEST_DB = 100;
/** What another choice has to gain over the first one on each part of the samples, in dB: less is chance. */
const LEAST_GAIN_DB = 0.1;

export interface RangeCandidate {
  readonly name: TriedRangesReport['ranges'];
  readonly ranges: RangeMap;
}

export interface ConfirmedRanges {
  readonly chosen: TriedRangesReport['ranges'];
  readonly tried: readonly TriedRangesReport[];
}

/**
 * Tries candidates on both halves of the judging samples. The first one is taken unless another gives the outputs more signal over noise on each
 * half, and no more changed predictions: a few samples can decide one half, not both.
 */
export async function confirmRanges(
  candidates: readonly RangeCandidate[],
  { original, quantized }: CalibrationWork,
  options: InContext<QuantizeOptions>,
  { judging }: SampleSplit,
  stages: Stages,
  runtime: LazyRuntime,
): Promise<ConfirmedRanges> {
  const distinct = candidates.filter(
    ({ ranges }, index) => !candidates.slice(0, index).some((earlier) => equalRanges(earlier.ranges, ranges)),
  );
  const [first] = distinct;
  if (!first || distinct.length === 1) return { chosen: candidates[0]?.name ?? 'minmax', tried: [] };
  stages.start('confirm', distinct.length);
  const tried = await withTrials(runtime, original, options, async (trials) => {
    const parts: TrialSamples[] = [];
    for (const part of halves(judging)) parts.push(await trials.on(part));
    const results: TriedRangesReport[] = [];
    for (const [index, { name, ranges }] of distinct.entries()) {
      const model = await quantized(ranges);
      const scores: (ComparisonResult | Failure)[] = [];
      for (const part of parts) scores.push(await part.score(model));
      results.push(describe(name, scores));
      stages.context('confirm').onProgress?.({ kind: 'advance', stage: 'confirm', done: index + 1 });
    }
    return results;
  });
  const chosen = best(tried);
  stages.end(`${chosen === 'auto' ? 'ranges chosen for each tensor' : chosen}`);
  return { chosen, tried };
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

function describe(
  ranges: TriedRangesReport['ranges'],
  results: readonly (ComparisonResult | Failure)[],
): TriedRangesReport {
  const failed = results.find((result): result is Failure => result instanceof Failure);
  if (failed) return { ranges, failed: failed.reason };
  const compared = results.filter((result): result is ComparisonResult => !(result instanceof Failure));
  const decibels = compared.map(signalToNoise).filter((value) => value !== undefined);
  const agreements = compared
    .flatMap(({ outputs }) => outputs)
    .flatMap(({ top1Agreement, random }) => (top1Agreement && !random ? [top1Agreement.value] : []));
  return {
    ranges,
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

/** The one with the largest least gain over the first. */
function best([first, ...others]: readonly TriedRangesReport[]): TriedRangesReport['ranges'] {
  let chosen = first?.ranges ?? 'minmax';
  let largest = LEAST_GAIN_DB;
  for (const { ranges, sqnrDb, agreement = 1 } of others) {
    if (!sqnrDb || agreement < (first?.agreement ?? 0)) continue;
    const gain = Math.min(...sqnrDb.map((value, part) => value - (first?.sqnrDb?.[part] ?? Number.NEGATIVE_INFINITY)));
    if (gain < largest) continue;
    largest = gain;
    chosen = ranges;
  }
  return chosen;
}

function equalRanges(a: RangeMap, b: RangeMap): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, { min, max }]) => b.get(name)?.min === min && b.get(name)?.max === max);
}
