import { replaceConstantInput } from '../../../passes/constants.js';
import { weightsOf, weightTensor } from '../../../prune/repair/repair-layers.js';
import { dequantized, type QuantizedLayer, quantizedLayers } from '../../../quantize/repair/quantized-layer.js';
import { outputError, roundWeights } from '../../../quantize/repair/round-weights.js';
import { plural } from '../../../report/format.js';
import { inputSums } from './input-sums.js';
import { REPAIR_LIMITS, type RepairStep } from './repair-state.js';

/** Rounds the weights of each layer so that its outputs change least, by the products of what it reads in the quantized model. */
export const roundLayers: RepairStep = {
  name: 'weight rounding',
  efforts: ['medium', 'high'],
  async propose(state, tools) {
    const model = state.model.clone();
    const all = quantizedLayers(model, state.quantized).filter(
      ({ layer }) => layer.node.input(layer.weight)?.uses.size === 1,
    );
    const layers = affordable(all, REPAIR_LIMITS[tools.effort].roundingWork);
    if (layers.length === 0) return all.length === 0 ? 'no layer to round' : 'the layers are too large for this effort';
    let [changed, before, after] = [0, 0, 0];
    const sums = await inputSums(state.quantized, layers, 'products', tools);
    for (const [at, { layer, grids }] of layers.entries()) {
      const own = sums[at];
      if (!own?.gram.every(Number.isFinite)) continue;
      const { inputs } = layer;
      let better = false;
      const groups = weightsOf(layer).map((weights, group) => {
        const grid = grids[group];
        if (!grid) return weights;
        const gram = own.gram.slice(group * inputs * inputs, (group + 1) * inputs * inputs);
        const given = dequantized(grid);
        const rounded = roundWeights(weights, new Float64Array(gram), inputs, grid);
        const errors = [given, rounded].map((each) =>
          each
            ? outputError(
                each.map((value, i) => value - (weights[i] as number)),
                gram,
                inputs,
              )
            : Number.NaN,
        );
        const [old = 0, now = Number.NaN] = errors;
        const isBetter = now < old;
        before += old;
        after += isBetter ? now : old;
        better ||= isBetter;
        return isBetter && rounded ? rounded : given;
      });
      if (!better) continue;
      replaceConstantInput(layer.node, layer.weight, weightTensor(layer, groups));
      changed++;
    }
    if (changed === 0) return 'no rounding is better than that of each weight alone';
    const share = before > 0 ? Math.round((1 - after / before) * 100) : 0;
    const left = all.length - layers.length;
    const more = left === 0 ? '' : `; ${plural(left, 'layer')} too large for this effort`;
    const what = `weights of ${plural(changed, 'layer')}, squared errors of their outputs −${share} %${more}`;
    return { model, equivalent: false, what };
  },
};

/** The layers that cost least, as far as the work allows, in their order. */
function affordable(layers: readonly QuantizedLayer[], work: number): QuantizedLayer[] {
  const cost = ({ layer: { inputs, outputs, groups } }: QuantizedLayer): number =>
    groups * (inputs ** 3 + inputs * inputs * outputs);
  const chosen = new Set<QuantizedLayer>();
  let left = work;
  for (const layer of [...layers].sort((a, b) => cost(a) - cost(b))) {
    left -= cost(layer);
    if (left < 0) break;
    chosen.add(layer);
  }
  return layers.filter((layer) => chosen.has(layer));
}
