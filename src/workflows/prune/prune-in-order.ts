import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import { nodeSelector } from '../../passes/node-filter.js';
import { biasOf, setFits } from '../../passes/prune/set-fits.js';
import { parsePattern } from '../../prune/amounts.js';
import {
  centredGram,
  fitLinear,
  fittingBias,
  type LinearFit,
  type NormalSums,
} from '../../prune/repair/least-squares.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../prune/repair/repair-layers.js';
import { type SparsityWish, surgeonPrune, wandaPrune } from '../../prune/repair/surgeon.js';
import type { SparseWeightReport } from '../../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneMethod, type PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { forEachLayer, type SumsSetting } from '../workbench/stepped-sums.js';
import type { SparseModel } from './unstructured.js';

/**
 * Sets weights to zero layer by layer in the order of the network, by what each layer reads on samples in the network pruned so far.
 * @param method `obs` starts from the weights that give what the original layer gave, and makes up for each zero by the weights
 *   that are left; `wanda` only chooses
 */
export async function pruneInOrder(
  model: Model,
  method: PruneMethod,
  setting: SumsSetting & { readonly options: PruneOptions },
  stages: Stages,
): Promise<SparseModel> {
  const { options } = setting;
  const copy = model.clone();
  const isChosen = nodeSelector(copy, options);
  const { amount = PRUNE_DEFAULTS.amount, pattern } = options;
  const wish: SparsityWish = { amount, pattern: pattern === undefined ? undefined : parsePattern(pattern) };
  const weights = new Map<Node, SparseWeightReport>();
  const layers = [...copy.graph.nodes].flatMap((node) => {
    const layer = repairLayer(node);
    if (layer === undefined) return [];
    const left = !isChosen(node) ? 'it was not chosen' : typeof layer === 'string' ? layer : whyNoPattern(layer, wish);
    if (left === undefined) return [{ node }];
    const elements = typeof layer === 'string' ? 0 : layer.tensor.size;
    weights.set(node, { node: nodeLabel(node), opType: node.opType, elements, zeros: 0, left });
    return [];
  });
  await forEachLayer({ changed: copy, original: model }, layers, setting, ({ layer, sums: [own = []] }, at) => {
    const { node, tensor } = layer;
    const zeros = pruneLayer(layer, own, method, wish);
    const unknown = zeros === undefined ? { left: 'its inputs are all zero or not finite' } : {};
    const label = { node: nodeLabel(node), opType: node.opType };
    weights.set(node, { ...label, elements: tensor.size, zeros: zeros ?? 0, ...unknown });
    stages.advance(at + 1, layers.length);
  });
  return { model: copy, weights: [...copy.graph.nodes].flatMap((node) => weights.get(node) ?? []) };
}

function whyNoPattern({ tensor, kind, inputs }: RepairLayer, { pattern }: SparsityWish): string | undefined {
  if (pattern === undefined) return undefined;
  const channels = kind === 'matrix' ? inputs : (tensor.dims[kind === 'convolution' ? 1 : 0] as number);
  return channels % pattern.of === 0 ? undefined : `its ${channels} inputs are not a multiple of ${pattern.of}`;
}

/** @returns how many weights are zero; undefined where the samples do not tell, and nothing was done */
function pruneLayer(
  layer: RepairLayer,
  sums: readonly NormalSums[],
  method: PruneMethod,
  wish: SparsityWish,
): number | undefined {
  const { inputs } = layer;
  const given = weightsOf(layer).map((weights, group): LinearFit => ({ weights, bias: biasOf(layer, group) }));
  let zeros = 0;
  const fits: LinearFit[] = [];
  for (const [group, own] of sums.entries()) {
    const start = given[group] as LinearFit;
    if (method === 'wanda') {
      zeros += wandaPrune(start.weights, own.gram, inputs, wish);
      fits.push(start);
      continue;
    }
    const withBias = layer.bias !== undefined;
    const weights = fitLinear(own, start, withBias)?.weights;
    const made =
      weights && surgeonPrune(weights, withBias ? centredGram(own) : new Float64Array(own.gram), inputs, wish);
    if (!weights || made === undefined || !weights.every(Number.isFinite)) return undefined;
    zeros += made;
    fits.push({ weights, bias: withBias ? fittingBias(own, weights) : start.bias });
  }
  setFits(layer, fits);
  return zeros;
}
