import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { nodeLabel } from '../../ir/problem.js';
import { checkAmount, parsePattern } from '../../prune/amounts.js';
import { type LayerWeight, layerWeights } from '../../prune/layer-weights.js';
import { magnitudeMasks, patternMask, type WeightMask } from '../../prune/weight-masks.js';
import { type NodeFilter, nodeSelector } from '../node-filter.js';
import { zeroWeights } from './zero-weights.js';

/** Options of `pruneMagnitude`. */
export interface PruneMagnitudeOptions extends NodeFilter {
  /** Of the weights of each layer: a share below 1 (rounded half to even), or a count from 1 on. Default 0.3. */
  readonly amount?: number | undefined;
  /** Compare the weights of all layers with each other. Default false. */
  readonly global?: boolean | undefined;
  /** Keep the largest N of every M inputs of an output instead, written `2:4`. */
  readonly pattern?: string | undefined;
}

/** Defaults of `pruneMagnitude`. */
export const PRUNE_MAGNITUDE_DEFAULTS = { amount: 0.3, global: false } as const satisfies PruneMagnitudeOptions;

/** What became of the weight of one layer. */
export interface SparseWeight {
  /** The layer, its operator, and the name of its weight. */
  readonly node: string;
  readonly opType: string;
  readonly weight: string;
  readonly elements: number;
  /** How many the mask set to zero. */
  readonly zeros: number;
  /** Why it is as it was, where it is. */
  readonly left?: string;
}

/**
 * Sets the smallest weights of convolutions and matrix products to zero, in place: as `torch.nn.utils.prune.l1_unstructured`, or
 * `global_unstructured`, or by a pattern N:M along the inputs. Weights of FLOAT, FLOAT16 and BFLOAT16 are read where they are used,
 * and written as they are read. Zeros alone make no runtime faster that has no sparse kernels.
 * @returns one row for each layer
 * @throws SO1006 for an amount or a pattern that means nothing, SO3101 where there are no such weights, SO1003 for a layer that is
 *   not there
 */
export function pruneMagnitude(model: Model, options: PruneMagnitudeOptions = {}): SparseWeight[] {
  const { amount = PRUNE_MAGNITUDE_DEFAULTS.amount } = options;
  checkAmount(amount);
  const isChosen = nodeSelector(model, options);
  const layers = layerWeights(model);
  const chosen = layers.filter(({ node }) => isChosen(node));
  if (chosen.length === 0) {
    throw new ServeOptError('SO3101', 'This model has no layers with constant float weights', {
      hint: 'serve-opt inspect MODEL shows its layers',
    });
  }
  const masks = masksFor(chosen, amount, options);
  zeroWeights(
    model,
    [...masks.values()].filter((mask) => typeof mask !== 'string'),
  );
  return layers.map((layer) => describe(layer, masks.get(layer)));
}

function masksFor(
  chosen: readonly LayerWeight[],
  amount: number,
  { global = PRUNE_MAGNITUDE_DEFAULTS.global, pattern }: PruneMagnitudeOptions,
): Map<LayerWeight, WeightMask | string> {
  if (pattern === undefined) {
    const masks = magnitudeMasks(
      chosen.map(({ tensor }) => tensor),
      amount,
      global,
    );
    return new Map(chosen.map((layer, at) => [layer, masks[at] as WeightMask]));
  }
  const wanted = parsePattern(pattern);
  return new Map<LayerWeight, WeightMask | string>(
    chosen.map((layer): [LayerWeight, WeightMask | string] => {
      const inputs = layer.tensor.dims[layer.inputAxis] as number;
      return inputs % wanted.of === 0
        ? [layer, patternMask(layer.tensor, layer.inputAxis, wanted)]
        : [layer, `its ${inputs} inputs are not a multiple of ${wanted.of}`];
    }),
  );
}

function describe({ node, tensor, value }: LayerWeight, mask: WeightMask | string | undefined): SparseWeight {
  const shared = { node: nodeLabel(node), opType: node.opType, weight: value.name, elements: tensor.size };
  if (mask === undefined) return { ...shared, zeros: 0, left: 'it was not chosen' };
  if (typeof mask === 'string') return { ...shared, zeros: 0, left: mask };
  return { ...shared, zeros: mask.zeros };
}
