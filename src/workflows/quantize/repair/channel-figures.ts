import type { Model } from '../../../ir/model.js';
import type { ChannelFigures } from '../../../quantize/repair/channel-factors.js';
import { channelModel, type ObservedChannels } from '../../../quantize/repair/channel-model.js';
import { sumOutputs } from '../../workbench/layer-sums.js';
import type { RepairTools } from './repair-state.js';

/** Smallest, largest and mean square value of each channel over the samples to fit to, by the name of the value. */
export async function channelFigures(
  model: Model,
  wanted: readonly ObservedChannels[],
  { runtime, options, fitted }: RepairTools,
): Promise<Map<string, ChannelFigures>> {
  const figures = new Map<string, ChannelFigures>();
  const { model: observed, outputs } = channelModel(model, wanted);
  if (outputs.length === 0) return figures;
  const maxima = outputs.flatMap(({ max, negatedMin }) => [max, negatedMin]);
  const names = [...maxima, ...outputs.flatMap(({ squares, elements }) => [squares, elements])];
  const [sums = new Map<string, Float64Array>()] = await sumOutputs(
    observed,
    names,
    [fitted],
    runtime,
    options,
    maxima,
  );
  for (const { name, max, negatedMin, squares, elements } of outputs) {
    const [high, low, square] = [sums.get(max), sums.get(negatedMin), sums.get(squares)];
    const count = (sums.get(elements)?.[0] ?? 0) / (high?.length ?? 1);
    if (!high || !low || !square || count === 0) continue;
    const each = { max: high, min: low.map((value) => -value), power: square.map((value) => value / count) };
    if (Object.values(each).every((values) => values.every(Number.isFinite))) figures.set(name, each);
  }
  return figures;
}
