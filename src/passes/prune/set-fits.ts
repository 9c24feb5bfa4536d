import { tensorType } from '../../ir/type.js';
import type { LinearFit } from '../../prune/repair/least-squares.js';
import { floatValues, type RepairLayer, weightTensor } from '../../prune/repair/repair-layers.js';
import { floatTensor } from '../../tensor/float-values.js';
import { addConstant, replaceConstantInput } from '../constants.js';

/** Gives a layer other weights and another bias, group by group, in place. */
export function setFits(layer: RepairLayer, fits: readonly LinearFit[]): void {
  const weights = fits.map((fit) => fit.weights);
  replaceConstantInput(layer.node, layer.weight, weightTensor(layer, weights));
  if (layer.bias) setBias(layer, fits);
}

/** The bias inside the layer's output; 0 where it is added behind it. */
export function biasOf({ bias, outputs }: RepairLayer, group: number): Float64Array {
  if (!bias?.inside || !bias.tensor) return new Float64Array(outputs);
  return floatValues(bias.tensor).subarray(group * outputs, (group + 1) * outputs);
}

/** Adds to the bias of a layer, one number for each output of all groups; makes one where the layer has a place for it. */
export function addToBias(layer: RepairLayer, delta: Float64Array): void {
  const { groups, outputs, bias } = layer;
  const old = (group: number): Float64Array => biasOf(layer, group);
  const fits = Array.from({ length: groups }, (_, group) => {
    const own = delta.subarray(group * outputs, (group + 1) * outputs);
    return { weights: new Float64Array(0), bias: own.map((value, o) => value + (old(group)[o] as number)) };
  });
  if (bias) setBias(layer, fits);
}

/** A bias in the place of the one that the layer has, or as a new input. */
function setBias({ node, bias, tensor, groups, outputs }: RepairLayer, fits: readonly LinearFit[]): void {
  if (!bias) return;
  const values = new Float64Array(groups * outputs);
  for (const [group, fit] of fits.entries()) values.set(fit.bias, group * outputs);
  if (!bias.tensor) {
    const constant = addConstant(node.graph, `${node.output().name}_bias`, floatTensor(tensor.dataType, values), node);
    constant.type = tensorType(tensor.dataType, [values.length]);
    node.setInput(bias.slot, constant);
    return;
  }
  if (!bias.inside)
    for (const [at, value] of floatValues(bias.tensor).entries()) values[at] = (values[at] as number) + value;
  replaceConstantInput(bias.node, bias.slot, floatTensor(tensor.dataType, values, bias.tensor.dims));
}
