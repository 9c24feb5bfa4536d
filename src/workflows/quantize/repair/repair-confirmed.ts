import type { Model } from '../../../ir/model.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { QuantizeRepairReport } from '../../../report/repair-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { InContext, QuantizeOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { bestForm, scoreForms } from '../confirm-forms.js';
import type { Conversion } from '../conversion.js';
import { repairConversion } from './repair-conversion.js';

/**
 * Repairs a prepared model in place, and takes the repair back unless the outputs are better with it on both halves of the judging
 * samples: the samples that decide about a step also made the ranges. Gives the ranges that the model is to be quantized with.
 * @param original as it was read
 */
export async function repairConfirmed(
  conversion: Conversion,
  ranges: RangeMap,
  original: { readonly model: Model; readonly path: string },
  split: SampleSplit,
  options: InContext<QuantizeOptions>,
  stages: Stages,
  runtime: LazyRuntime,
): Promise<{ readonly ranges: RangeMap; readonly report: QuantizeRepairReport | undefined }> {
  const { calibration, judging, heldOut } = split;
  // Nothing could tell whether it helps.
  if (!calibration || !heldOut) return { ranges, report: undefined };
  const before = conversion.copy();
  const repaired = await repairConversion(
    conversion,
    ranges,
    split,
    calibration,
    options,
    stages,
    await runtime.host(),
  );
  if (!repaired.report?.steps.some(({ kept }) => kept)) return repaired;
  const quantized = (from: Conversion, its: RangeMap) => async (): Promise<Model> => {
    const trial = from.copy();
    await trial.toStatic(its, options);
    return trial.model;
  };
  const forms = [quantized(before, ranges), quantized(conversion, repaired.ranges)];
  stages.start('confirm', forms.length);
  const [without = {}, together = {}] = await scoreForms(forms, original, options, judging, runtime, (done) =>
    stages.advance(done, forms.length),
  );
  const kept = bestForm([without, together]) === 1;
  stages.end(kept ? 'the repair helps' : 'the repair is undone');
  if (!kept) conversion.replaceModel(before.model);
  return {
    ranges: kept ? repaired.ranges : ranges,
    report: { ...repaired.report, confirmed: { without, with: together, kept } },
  };
}
