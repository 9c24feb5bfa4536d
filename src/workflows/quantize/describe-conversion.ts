/** What a quantization says beside its figures: notes, and the word before all others where nothing was gained. */
import { formatBytes, plural } from '../../report/format.js';
import type { FloatLayerReport, LayerReport, QuantizeReport, StepReport } from '../../report/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { QuantizeOptions } from '../options.js';
import { isWeightMode } from '../weight-only-options.js';
import type { Converted } from './converted.js';
import { describeLayers } from './layer-reports.js';

type Told = Pick<QuantizeReport, 'headline' | 'steps' | 'quantized' | 'leftInFloat' | 'notes'>;

/**
 * Layers, steps and notes of the file that was written: where nothing was done, nothing is told of the graph that was prepared for it.
 * @param tooLarge why a result that was made is not handed over
 * @param unchangedReason the same for each of its layers
 */
export function describeConversion(
  { conversion, step, mode }: Converted,
  done: QuantizeReport['mode'],
  tooLarge: string | undefined,
  options: QuantizeOptions,
  unchangedReason = 'the file would be larger',
): Told {
  const weightTypes = isWeightMode(mode) ? [DataType.FLOAT, DataType.FLOAT16] : [DataType.FLOAT];
  const layers = describeLayers(conversion.original, conversion.model, step, weightTypes);
  const headline = nothingGained(layers, done, options);
  if (done !== 'none') {
    return {
      ...(headline === undefined ? {} : { headline }),
      ...layers,
      steps: conversion.steps.map(stepReport),
      notes: conversion.steps.flatMap((each) => each.notes),
    };
  }
  const leftInFloat =
    tooLarge === undefined
      ? layers.leftInFloat
      : [...layers.leftInFloat, ...layers.quantized.map((layer) => ({ ...layer, reason: unchangedReason }))];
  const nothing =
    leftInFloat.length > 0
      ? 'Nothing was quantized, for the reasons given for each layer: the output is the unchanged model.'
      : 'This model has nothing to quantize: the output is the unchanged model.';
  return {
    ...(headline === undefined ? {} : { headline }),
    quantized: [],
    leftInFloat,
    steps: [],
    notes: [...step.notes, tooLarge ?? nothing],
  };
}

function stepReport({ name, changed, nodesBefore, nodesAfter }: Converted['step']): StepReport {
  return { pass: name, changes: changed, nodesBefore, nodesAfter };
}

/** Share of the weights of layers below which quantizing them is no gain. */
const SMALL_GAIN = 0.1;

/** That convolutions were left for want of samples, where that is most of the model. */
function nothingGained(
  layers: { readonly quantized: readonly LayerReport[]; readonly leftInFloat: readonly FloatLayerReport[] },
  done: QuantizeReport['mode'],
  { dataPath }: QuantizeOptions,
): string | undefined {
  if (dataPath !== undefined || (done !== 'dynamic' && done !== 'none')) return undefined;
  const convolutions = layers.leftInFloat.filter(({ opType }) => opType === 'Conv');
  const left = bytesOf(layers.leftInFloat);
  const gained = done === 'none' ? 0 : bytesOf(layers.quantized);
  if (bytesOf(convolutions) < left / 2 || convolutions.length === 0 || gained >= SMALL_GAIN * (gained + left))
    return undefined;
  return `${gained > 0 ? 'Very little' : 'Nothing'} was gained: without samples ${plural(convolutions.length, 'convolution')} with ${formatBytes(bytesOf(convolutions))} of weights cannot be quantized to INT8. Give samples with --data, or halve the file with --mode fp16.`;
}

function bytesOf(layers: readonly LayerReport[]): number {
  return layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0);
}
