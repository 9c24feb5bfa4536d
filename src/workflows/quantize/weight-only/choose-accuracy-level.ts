import type { Model } from '../../../ir/model.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { ConfirmedForm } from '../../../report/confirmed-form.js';
import { formatPercent } from '../../../report/format.js';
import type { AccuracyLevelReport } from '../../../report/weight-only-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import type { ConversionRun } from '../conversion-run.js';
import { scoresOrReason } from './score-or-reason.js';

/** What activations of 8 bits may cost: signal over noise in dB, and a share of predictions. */
const MOST_LOSS_DB = 1;
const MOST_CHANGED = 0.005;

/**
 * The accuracy_level of MatMulNBits: 4, products with activations of 8 bits, is faster; it is taken where the outputs stay as close to the
 * original as with 1, products in FLOAT. 0 where nothing can be run.
 * @returns undefined where the model gets no MatMulNBits
 */
export async function chooseAccuracyLevel(
  run: ConversionRun,
  { judging }: SampleSplit,
  runtime: LazyRuntime | undefined,
  units: readonly WeightUnit[],
  make: (level: 1 | 4) => Promise<Model>,
): Promise<AccuracyLevelReport | undefined> {
  if (!units.some(({ layout }) => layout === 'operator' || layout === 'tied')) return undefined;
  if (!runtime || whyNotRunnable(run.model) !== undefined)
    return { level: 0, reason: 'nothing was run: the runtime chooses' };
  const levels = [1, 4] as const;
  const models = levels.map((level) => () => make(level));
  const scores = await scoresOrReason(run, models, judging, runtime);
  if (typeof scores === 'string') return { level: 0, reason: `${scores}: the runtime chooses` };
  const found = judged(scores[0], scores[1]);
  run.stages.end(`accuracy_level ${found.level}`);
  return found;
}

function judged(exact: ConfirmedForm | undefined, fast: ConfirmedForm | undefined): AccuracyLevelReport {
  if (!fast || fast.failed !== undefined || !exact || exact.failed !== undefined)
    return { level: 0, reason: `it could not be measured: ${exact?.failed ?? fast?.failed ?? 'nothing ran'}` };
  const [slow, quick] = [mean(exact), mean(fast)];
  const changed = (exact.agreement ?? 1) - (fast.agreement ?? 1);
  const agreement =
    fast.agreement === undefined || exact.agreement === undefined
      ? ''
      : `, ${formatPercent(fast.agreement)} of predictions as in the original against ${formatPercent(exact.agreement)}`;
  if (slow === undefined || quick === undefined) return { level: 1, reason: 'outputs could not be compared' };
  const figures = `${quick.toFixed(1)} dB against ${slow.toFixed(1)} dB in FLOAT${agreement}`;
  return slow - quick <= MOST_LOSS_DB && changed <= MOST_CHANGED
    ? { level: 4, reason: `activations of 8 bits keep the outputs: ${figures}` }
    : { level: 1, reason: `activations of 8 bits would change the outputs: ${figures}` };
}

function mean({ sqnrDb }: ConfirmedForm): number | undefined {
  return sqnrDb && sqnrDb.reduce((sum, each) => sum + each, 0) / sqnrDb.length;
}
