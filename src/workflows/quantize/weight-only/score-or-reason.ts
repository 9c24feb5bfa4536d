import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import type { ConfirmedForm } from '../../../report/confirmed-form.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../../samples/types.js';
import { scoreForms } from '../confirm-forms.js';
import type { ConversionRun } from '../conversion-run.js';

/** Samples on which the original cannot be run, or which take too much memory: what is left open is then not measured. */
export const NOT_MEASURED: ReadonlySet<string> = new Set(['SO5001', 'SO5002', 'SO5003', 'SO2105']);

/** Scores forms of a model beside the original, as the stage `confirm`; or tells why they cannot be, where the original does not run here. */
export async function scoresOrReason(
  { model, path, options, stages }: ConversionRun,
  forms: readonly (() => Promise<Model>)[],
  judging: SampleSource,
  runtime: LazyRuntime,
): Promise<ConfirmedForm[] | string> {
  stages.start('confirm', forms.length);
  try {
    const onDone = (done: number) => stages.advance(done, forms.length);
    return await scoreForms(forms, { model, path }, options, judging, runtime, onDone);
  } catch (error) {
    if (!(error instanceof ServeOptError) || !NOT_MEASURED.has(error.code)) throw error;
    stages.end('not measured');
    return error.message;
  }
}
