import { ServeOptError } from '../../../errors.js';
import { outputKey } from '../../../passes/kept-nodes.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { SampleSource } from '../../../samples/types.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { withTrials } from '../../workbench/trials.js';
import type { ConversionRun } from '../conversion-run.js';
import { type LayerRanking, rankLayers, type TriedLayers } from '../rank-layers.js';
import { NOT_MEASURED } from './score-or-reason.js';
import type { WeightedForm } from './weighted-form.js';

/** Units by what the outputs lose when each alone is quantized; or why that was not measured. */
export async function rankWeights(
  { model, path, options, stages }: ConversionRun,
  form: WeightedForm,
  units: readonly WeightUnit[],
  { calibration, judging }: SampleSplit,
  runtime: LazyRuntime | undefined,
): Promise<LayerRanking | string> {
  if (!runtime) return 'nothing is run with --no-verify';
  const why = whyNotRunnable(model);
  if (why !== undefined) return why;
  const source: SampleSource = calibration ? { kind: 'data', ...calibration } : judging;
  const choice = choiceOf(form, units);
  stages.start('search', units.length);
  try {
    const ranking = await withTrials(runtime, { model, path }, options, async (trials) => {
      const samples = await trials.on(source);
      const onTrial = (done: number, total: number) => stages.advance(done, total);
      return rankLayers(samples, choice, { calibrationSamples: samples.of, passes: 1, onTrial });
    });
    stages.end(`${units.length} weights ranked`);
    return ranking;
  } catch (error) {
    if (!(error instanceof ServeOptError) || !NOT_MEASURED.has(error.code)) throw error;
    stages.end('not measured');
    return error.message;
  }
}

/** Each unit as a layer that can be quantized alone. */
function choiceOf(form: WeightedForm, units: readonly WeightUnit[]): TriedLayers {
  return {
    layers: units.map(({ key, value, tensor, uses }) => ({
      key,
      name: value.name,
      opType: uses[0]?.node.opType ?? '',
      weightBytes: tensor.byteLength,
    })),
    candidate: (kept) => {
      const tried = new Set(units.filter(({ key }) => !kept.has(key)));
      const others = form.units.filter((unit) => !tried.has(unit)).flatMap(({ uses }) => uses);
      return form.model({ kept: new Map(others.map(({ node }) => [outputKey(node), 'not tried'])) });
    },
  };
}
