import type { ConfirmedForm } from '../../../report/confirmed-form.js';
import type { TriedWeightsReport } from '../../../report/weight-only-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { WeightMethod } from '../../weight-only-options.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import type { ConversionRun } from '../conversion-run.js';
import { scoresOrReason } from './score-or-reason.js';
import type { WeightedForm } from './weighted-form.js';

/** What GPTQ has to gain on each half of the samples, in dB: less is chance. */
const LEAST_GAIN_DB = 0.1;
/** Share of predictions by which the two may differ: less is a sample or two. */
const MOST_CHANGED = 0.01;

/** The method to take, and how that was found. */
export interface ChosenMethod {
  readonly chosen: WeightedForm;
  readonly reason: string | undefined;
  readonly tried: readonly TriedWeightsReport[];
}

/**
 * The method that was asked for; else GPTQ where samples are at hand and it comes closer to the original than the scale search on
 * samples that made neither, and else the scale search, which needs none.
 * @param count of weights
 */
export async function chooseMethod(
  run: ConversionRun,
  { judging, calibration, heldOut }: SampleSplit,
  runtime: LazyRuntime | undefined,
  count: number,
  make: (method: WeightMethod, searched?: WeightedForm) => Promise<WeightedForm>,
): Promise<ChosenMethod> {
  const { options, stages } = run;
  if (options.method !== undefined) return { chosen: await make(options.method), reason: undefined, tried: [] };
  const search = await make('kquant');
  if (!calibration || !runtime || count === 0) return { chosen: search, reason: 'no samples were given', tried: [] };
  if (!heldOut) return { chosen: search, reason: 'there are too few samples to hold some out', tried: [] };
  const forms = [search, await make('gptq', search)];
  const models = forms.map((form) => () => form.model());
  const scores = await scoresOrReason(run, models, judging, runtime);
  if (typeof scores === 'string') return { chosen: search, reason: scores, tried: [] };
  const chosen = forms[isCloser(scores[1], scores[0]) ? 1 : 0] as WeightedForm;
  stages.end(chosen.method);
  const tried = scores.map(
    ({ sqnrDb }, at): TriedWeightsReport => ({
      method: (forms[at] as WeightedForm).method,
      ...(sqnrDb ? { sqnrDb: sqnrDb.reduce((sum, each) => sum + each, 0) / sqnrDb.length } : {}),
    }),
  );
  return { chosen, reason: 'its outputs are closest to those of the original on held-out samples', tried };
}

/** Whether a form gives the outputs more signal over noise on each half of the samples, and the same predictions but for chance. */
function isCloser(form: ConfirmedForm | undefined, than: ConfirmedForm | undefined): boolean {
  if (!form?.sqnrDb) return false;
  if ((than?.agreement ?? 0) - (form.agreement ?? 1) > MOST_CHANGED) return false;
  return form.sqnrDb.every(
    (value, half) => value - (than?.sqnrDb?.[half] ?? Number.NEGATIVE_INFINITY) >= LEAST_GAIN_DB,
  );
}
