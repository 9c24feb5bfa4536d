import { nodeLabel } from '../../../passes/nodes.js';
import {
  WEIGHT_ONLY_DEFAULTS,
  type WeightOnlyOptions,
} from '../../../passes/quantize/weight-only/weight-only-options.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { WeightForm } from '../../../passes/quantize/weight-only/weight-tensors.js';
import type { WeightOnlyReport } from '../../../report/weight-only-types.js';
import { METHOD_WORDS } from '../../../report/weight-only-words.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { QUANTIZE_DEFAULTS } from '../../options.js';
import {
  WEIGHT_MODE_BITS,
  WEIGHT_ONLY_CHOICES,
  type WeightMethod,
  type WeightMode,
} from '../../weight-only-options.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { prepareConversion } from '../conversion.js';
import type { ConversionRun } from '../conversion-run.js';
import type { Converted } from '../converted.js';
import { awareForm } from './aware-form.js';
import { chooseAccuracyLevel } from './choose-accuracy-level.js';
import { chooseMethod } from './choose-method.js';
import { type QuantizedUnits, quantizeUnits } from './quantize-units.js';
import { raiseBits } from './raise-bits.js';
import { WeightStore } from './weight-store.js';
import type { WeightTools } from './weight-tools.js';
import { planUnits, WeightedForm } from './weighted-form.js';

/** Quantizes weights alone: plans, quantizes one weight after the other, and chooses what was left open by the outputs of the model. */
export async function convertWeights(
  run: ConversionRun,
  mode: WeightMode,
  split: SampleSplit,
  runtime: LazyRuntime | undefined,
): Promise<Converted> {
  const { model, options, stages, memoryBytes } = run;
  const conversion = await prepareConversion(model, mode, options, stages, memoryBytes);
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const trials = verify ? runtime : undefined;
  const choices: WeightOnlyOptions = {
    ...WEIGHT_ONLY_DEFAULTS,
    ...conversion.layers,
    bits: WEIGHT_MODE_BITS[mode],
    block: options.block ?? WEIGHT_ONLY_CHOICES.block,
    symmetric: !(options.asymmetric ?? options.method === 'hqq'),
    operators: options.operators ?? QUANTIZE_DEFAULTS.operators,
  };
  const units = planUnits(conversion, choices);
  const { calibration } = split;
  const tools: WeightTools = {
    options,
    stages,
    runtime,
    fitted: calibration && { kind: 'data', ...calibration },
  };
  const store = new WeightStore((close) => run.onClose(close));
  const made = async (method: WeightMethod, searched?: WeightedForm): Promise<WeightedForm> => {
    stages.start('quantize');
    const aware = method === 'awq' ? await awareForm(conversion, choices, split, tools) : undefined;
    const known = { searched: searched?.made, choices: aware?.choices };
    const form = { method, choices, conversion, units, scaled: undefined, ...aware?.form };
    const quantized = await WeightedForm.of(form, (some) =>
      quantizeUnits(form.conversion.model, some, method, store, tools, known),
    );
    stages.end(`${units.length} weights, ${METHOD_WORDS[method]}`);
    return quantized;
  };
  const { chosen, reason, tried } = await chooseMethod(run, split, trials, units.length, made);
  const { form, report: mixed } = await raiseBits(run, chosen, split, trials);
  const accuracy = await chooseAccuracyLevel(run, split, trials, form.units, (level) =>
    form.model({ accuracyLevel: level }),
  );
  const step = await form.finish(accuracy?.level ?? 0);
  const weights = form.units
    .filter(({ key }) => typeof form.made.made.get(key) === 'object')
    .map((unit) => describeUnit(unit, form.made));
  const report: WeightOnlyReport = {
    bits: choices.bits,
    block: choices.block,
    symmetric: choices.symmetric,
    operators: choices.operators,
    method: form.method,
    ...(reason === undefined ? {} : { methodReason: reason }),
    ...(tried.length > 0 ? { tried } : {}),
    ...(form.scaled ? { scaled: form.scaled } : {}),
    ...(mixed ? { mixed } : {}),
    ...(accuracy ? { accuracyLevel: accuracy } : {}),
    bytesBefore: weights.reduce((sum, { bytesBefore }) => sum + bytesBefore, 0),
    bytesAfter: weights.reduce((sum, { bytesAfter }) => sum + bytesAfter, 0),
    weights,
  };
  return { conversion: form.conversion, mode, step, weightOnly: report, warnings: form.conversion.warnings };
}

function describeUnit(unit: WeightUnit, { made, notes }: QuantizedUnits): WeightOnlyReport['weights'][number] {
  const { codes, scales, zeroPoints } = made.get(unit.key) as WeightForm;
  const note = notes.get(unit.key);
  const reason = [unit.why, note?.reason].filter((each) => each !== undefined).join('; ');
  return {
    name: unit.value.name,
    layers: unit.uses.map(({ node }) => nodeLabel(node)),
    bits: unit.format.bits,
    block: unit.format.block,
    bytesBefore: unit.tensor.byteLength,
    bytesAfter: codes.byteLength + scales.byteLength + (zeroPoints?.byteLength ?? 0),
    ...(reason === '' ? {} : { reason }),
    ...(note?.errorRatio === undefined ? {} : { errorRatio: note.errorRatio }),
  };
}
