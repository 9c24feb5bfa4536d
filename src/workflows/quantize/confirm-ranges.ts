/** Which ranges are best for the outputs of a model. */
import type { RangeMap } from '../../quantize/value-range.js';
import type { TriedRangesReport } from '../../report/types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { InContext, QuantizeOptions } from '../options.js';
import type { Stages } from '../stages.js';
import type { SampleSplit } from '../workbench/sample-split.js';
import type { CalibrationWork } from './calibration-work.js';
import { bestForm, scoreForms } from './confirm-forms.js';

export interface RangeCandidate {
  readonly name: TriedRangesReport['ranges'];
  readonly ranges: RangeMap;
}

export interface ConfirmedRanges {
  readonly chosen: TriedRangesReport['ranges'];
  readonly tried: readonly TriedRangesReport[];
}

/** Tries candidates on the judging samples; the first one is taken unless another is better on both halves. */
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
  const forms = distinct.map(
    ({ ranges }) =>
      () =>
        quantized(ranges),
  );
  const scores = await scoreForms(forms, original, options, judging, runtime, (done) =>
    stages.advance(done, distinct.length),
  );
  const chosen = distinct[bestForm(scores)]?.name ?? first.name;
  stages.end(`${chosen === 'auto' ? 'ranges chosen for each tensor' : chosen}`);
  return { chosen, tried: distinct.map(({ name }, index) => ({ ranges: name, ...scores[index] })) };
}

function equalRanges(a: RangeMap, b: RangeMap): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, { min, max }]) => b.get(name)?.min === min && b.get(name)?.max === max);
}
