import { addToBias } from '../../../passes/prune/set-fits.js';
import { weightsOf } from '../../../prune/repair/repair-layers.js';
import { dequantized, layersByMark, quantizedLayers } from '../../../quantize/repair/quantized-layer.js';
import { plural } from '../../../report/format.js';
import { type InputSums, inputSums } from './input-sums.js';
import { REPAIR_LIMITS, type RepairStep } from './repair-state.js';

/**
 * Gives the outputs of each layer the mean that they have without quantization, channel by channel, from the first layer to the last
 * (Nagel et al. 2019, arXiv 1906.04721). A layer is linear, so the mean of its outputs follows from that of its inputs. The first layer
 * of each round makes up for all that the layers before it have left; the others of the round for the rounding of their own weights,
 * since the error that they see now is what the first one takes away.
 */
export const correctBiases: RepairStep = {
  name: 'bias correction',
  efforts: ['medium', 'high'],
  async propose(state, tools) {
    const model = state.model.clone();
    const wanted = layersByMark(state.reference);
    const all = quantizedLayers(model, state.quantized).filter(
      ({ mark, layer }) => layer.bias !== undefined && wanted.has(mark),
    );
    if (all.length === 0) return 'no quantized layer has a bias';
    const references = all.map(({ mark }) => wanted.get(mark)).filter((layer) => layer !== undefined);
    const means = await inputSums(
      state.reference,
      references.map((layer) => ({ layer, node: layer.node })),
      'values',
      tools,
    );
    const target = new Map(all.map(({ mark }, at) => [mark, means[at]]));
    const rounds = Math.min(REPAIR_LIMITS[tools.effort].biasRounds, all.length);
    const size = Math.ceil(all.length / rounds);
    let corrected = 0;
    let quantized = state.quantized;
    for (let start = 0; start < all.length; start += size) {
      const marks = new Set(all.slice(start, start + size).map(({ mark }) => mark));
      if (start > 0) quantized = await tools.quantize(model, state.ranges);
      const layers = quantizedLayers(model, quantized).filter(({ mark }) => marks.has(mark));
      const own = await inputSums(quantized, layers.slice(0, 1), 'values', tools);
      for (const [at, { mark, layer, grids }] of layers.entries()) {
        const reference = wanted.get(mark);
        const before = target.get(mark);
        const now = at === 0 ? own[at] : before;
        if (!reference || !now || !before) continue;
        const { inputs, outputs } = layer;
        const goal = weightsOf(reference).map((weights, group) => product(weights, before, group, inputs, outputs));
        const delta = new Float64Array(layer.groups * outputs);
        for (const [group, grid] of grids.entries()) {
          const made = product(dequantized(grid), now, group, inputs, outputs);
          for (let o = 0; o < outputs; o++) delta[group * outputs + o] = (goal[group]?.[o] ?? 0) - (made[o] as number);
        }
        if (!delta.every(Number.isFinite)) continue;
        addToBias(layer, delta);
        corrected++;
      }
    }
    return {
      model,
      equivalent: false,
      what: `biases of ${plural(corrected, 'layer')}, in ${plural(Math.ceil(all.length / size), 'round')}`,
    };
  },
};

/** Wᵀx̄ of a group. */
function product(
  weights: Float64Array,
  { mean }: InputSums,
  group: number,
  inputs: number,
  outputs: number,
): Float64Array {
  const result = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    const x = mean[group * inputs + i] as number;
    for (let o = 0; o < outputs; o++) result[o] = (result[o] as number) + x * (weights[i * outputs + o] as number);
  }
  return result;
}
