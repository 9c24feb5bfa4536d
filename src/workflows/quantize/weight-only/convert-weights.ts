import type { Model } from '../../../ir/model.js';
import { nodeSelector } from '../../../passes/node-filter.js';
import { nodeLabel } from '../../../passes/nodes.js';
import {
  WEIGHT_ONLY_DEFAULTS,
  type WeightOnlyOptions,
} from '../../../passes/quantize/weight-only/weight-only-options.js';
import { planWeights, type WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { WeightForm } from '../../../passes/quantize/weight-only/weight-tensors.js';
import type { WeightOnlyReport } from '../../../report/weight-only-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { QUANTIZE_DEFAULTS } from '../../options.js';
import {
  WEIGHT_MODE_BITS,
  WEIGHT_ONLY_CHOICES,
  type WeightMethod,
  type WeightMode,
} from '../../weight-only-options.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { type Conversion, prepareConversion } from '../conversion.js';
import type { ConversionRun } from '../conversion-run.js';
import type { Converted } from '../converted.js';
import { chooseAccuracyLevel } from './choose-accuracy-level.js';
import { chooseMethod, type MethodForm } from './choose-method.js';
import { type QuantizedUnits, quantizeUnits } from './quantize-units.js';
import { WeightStore } from './weight-store.js';
import type { WeightTools } from './weight-tools.js';

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
  const { units } = planWeights(conversion.model, choices, nodeSelector(conversion.model, choices));
  const { calibration } = split;
  const tools: WeightTools = {
    options,
    stages,
    runtime,
    fitted: calibration && { kind: 'data', ...calibration },
  };
  const store = new WeightStore((close) => run.onClose(close));
  const quantized = async (method: WeightMethod, searched?: QuantizedUnits): Promise<MethodForm> => {
    stages.start('quantize');
    const made = await quantizeUnits(conversion.model, units, method, store, tools, searched);
    stages.end(`${units.length} weights, ${method}`);
    return { method, made, model: () => rewritten(conversion, choices, made) };
  };
  const { chosen, reason, tried } = await chooseMethod(run, split, trials, units.length, quantized);
  const withMade = { ...choices, made: chosen.made.made };
  const accuracy = await chooseAccuracyLevel(run, split, trials, units, (level) =>
    rewritten(conversion, { ...withMade, accuracyLevel: level }, chosen.made),
  );
  const step = await conversion.toWeightOnly({ ...withMade, accuracyLevel: accuracy?.level ?? 0 });
  const described = units.filter(({ key }) => typeof chosen.made.made.get(key) === 'object');
  const weights = described.map((unit) => describeUnit(unit, chosen.made));
  const report: WeightOnlyReport = {
    bits: choices.bits,
    block: choices.block,
    symmetric: choices.symmetric,
    operators: choices.operators,
    method: chosen.method,
    ...(reason === undefined ? {} : { methodReason: reason }),
    ...(tried.length > 0 ? { tried } : {}),
    ...(accuracy ? { accuracyLevel: accuracy } : {}),
    bytesBefore: weights.reduce((sum, { bytesBefore }) => sum + bytesBefore, 0),
    bytesAfter: weights.reduce((sum, { bytesAfter }) => sum + bytesAfter, 0),
    weights,
  };
  return { conversion, mode, step, weightOnly: report, warnings: conversion.warnings };
}

async function rewritten(conversion: Conversion, choices: WeightOnlyOptions, { made }: QuantizedUnits): Promise<Model> {
  const copy = conversion.copy();
  await copy.toWeightOnly({ ...choices, made });
  return copy.model;
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
