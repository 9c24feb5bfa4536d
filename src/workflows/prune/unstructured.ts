import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { nodeLabel } from '../../ir/problem.js';
import { nodeSelector } from '../../passes/node-filter.js';
import { zeroWeights } from '../../passes/prune/zero-weights.js';
import { type LayerWeight, layerWeights } from '../../prune/layer-weights.js';
import { magnitudeMasks, patternMask, type SparsePattern, type WeightMask } from '../../prune/weight-masks.js';
import type { SparseWeightReport } from '../../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneMethod, type PruneOptions } from '../options.js';

/** Whether a method sets single weights to zero. */
export function isUnstructured(method: PruneMethod): boolean {
  return method === 'magnitude' || method === 'obs' || method === 'wanda';
}

/** A model some of whose weights are zero. */
export interface SparseModel {
  readonly model: Model;
  readonly weights: readonly SparseWeightReport[];
}

/** Reads `2:4`. @throws SO1006 */
export function parsePattern(text: string): SparsePattern {
  const [, kept = '', of = ''] = /^(\d{1,3}):(\d{1,3})$/.exec(text) ?? [];
  const pattern = { kept: Number(kept), of: Number(of) };
  if (pattern.kept >= 1 && pattern.kept < pattern.of && pattern.of <= 256) return pattern;
  throw new ServeOptError('SO1006', `The value "${text}" of --pattern is not allowed`, {
    why: 'it is N:M, with N of every M weights kept and N below M',
    hint: 'write --pattern 2:4',
  });
}

/** Sets weights of a copy to zero. @throws SO3101 where there are none, SO1003 for a layer that is not there */
export function zeroSmallest(model: Model, options: PruneOptions): SparseModel {
  const copy = model.clone();
  const isChosen = nodeSelector(copy, options);
  const layers = layerWeights(copy);
  const chosen = layers.filter(({ node }) => isChosen(node));
  if (chosen.length === 0) {
    throw new ServeOptError('SO3101', 'This model has no layers with constant float weights', {
      hint: 'serve-opt inspect MODEL shows its layers',
    });
  }
  const masks = masksFor(chosen, options);
  zeroWeights(
    copy,
    [...masks.values()].filter((mask) => typeof mask !== 'string'),
  );
  return { model: copy, weights: layers.map((layer) => weightReport(layer, masks.get(layer))) };
}

function masksFor(chosen: readonly LayerWeight[], options: PruneOptions): Map<LayerWeight, WeightMask | string> {
  const { amount = PRUNE_DEFAULTS.amount, global = false, pattern } = options;
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

function weightReport({ node, tensor }: LayerWeight, mask: WeightMask | string | undefined): SparseWeightReport {
  const shared = { node: nodeLabel(node), opType: node.opType, elements: tensor.size };
  if (mask === undefined) return { ...shared, zeros: 0, left: 'it was not chosen' };
  if (typeof mask === 'string') return { ...shared, zeros: 0, left: mask };
  return { ...shared, zeros: mask.zeros };
}
