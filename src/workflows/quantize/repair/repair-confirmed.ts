import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { bestForm, scoreForms } from '../confirm-forms.js';
import type { Conversion } from '../conversion.js';
import { repairConversion } from './repair-conversion.js';
import type { Repaired } from './repair-static.js';

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
): Promise<Omit<Repaired, 'model'>> {
  const { calibration, judging, heldOut } = split;
  // Nothing could tell whether it helps.
  if (!calibration || !heldOut) return { ranges, report: undefined };
  const before = conversion.copy();
  let repaired: Repaired;
  try {
    repaired = await repairConversion(conversion, ranges, split, calibration, options, stages, await runtime.host());
  } catch (error) {
    const givenUp = whyGivenUp(error);
    if (givenUp === undefined) throw error;
    // The process is gone; another one takes its place.
    await runtime.close();
    stages.end('given up');
    conversion.replaceModel(before.model);
    const effort = options.effort ?? QUANTIZE_DEFAULTS.effort;
    return { ranges, report: { effort, fitted: 0, heldOut: 0, steps: [], givenUp } };
  }
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
  const report = { ...repaired.report, confirmed: { without, with: together, kept } };
  if (kept) return { ...repaired, report };
  conversion.replaceModel(before.model);
  return { ranges, report };
}

/** A repair is a bonus: where it takes too much memory, or ends the process, the result is as good as without it. */
function whyGivenUp(error: unknown): string | undefined {
  if (!(error instanceof ServeOptError)) return undefined;
  if (error.code === 'SO2105') return `it needs more memory than is allowed (--mem allows more)`;
  return error.code === 'SO5003' ? 'ONNX Runtime ended during it' : undefined;
}
