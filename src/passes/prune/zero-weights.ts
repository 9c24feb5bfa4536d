import type { Model } from '../../ir/model.js';
import { constantTensor } from '../../ir/walk.js';
import type { Dependencies, DependencyGroup, PruneUnit } from '../../prune/dependency-groups.js';
import { weightAxesOf } from '../../prune/unit-weights.js';
import type { WeightMask } from '../../prune/weight-masks.js';
import { computedBytes } from '../../tensor/computed-bytes.js';
import { rawByteLength } from '../../tensor/dtype.js';
import { elementCount, Tensor } from '../../tensor/tensor.js';
import { replaceConstantInput } from '../constants.js';

/** A tensor of which some elements are zero instead: computed when it is read. */
export function zeroed(tensor: Tensor, isZero: (element: number) => boolean): Tensor {
  const width = (rawByteLength(tensor.dataType, 2) ?? 2) / 2;
  return Tensor.of(
    tensor.dataType,
    tensor.dims,
    computedBytes(tensor.byteLength, function* () {
      let at = 0;
      for (const chunk of tensor.data.chunks()) {
        const copy = chunk.slice();
        for (let byte = 0; byte < copy.byteLength; byte += width, at++)
          if (isZero(at)) copy.fill(0, byte, byte + width);
        yield copy;
      }
    }),
  );
}

/** Sets masked elements of weights to zero, in place. */
export function zeroWeights(model: Model, masks: readonly WeightMask[]): void {
  const byTensor = new Map(masks.map((mask) => [mask.tensor, mask]));
  for (const node of model.graph.nodes)
    for (const [slot, value] of node.inputs.entries()) {
      const tensor = constantTensor(value);
      const mask = tensor && byTensor.get(tensor);
      if (!value || !tensor || !mask || mask.zeros === 0) continue;
      const result = zeroed(tensor, (element) => mask.zero[element] === 1);
      if (value.tensor) value.tensor = result;
      else replaceConstantInput(node, slot, result);
    }
}

/**
 * Sets to zero, in place, what cutting units would take away: the weights that read them and those that make them. Such a model
 * computes what the cut one has to compute, unless statistics are taken over an axis that is cut.
 */
export function zeroUnits(dependencies: Dependencies, removed: Iterable<PruneUnit>): void {
  const keys = new Set([...removed].map(unitKey));
  for (const group of dependencies.groups) {
    const gone = group.units.filter((unit) => keys.has(unitKey(unit)));
    if (gone.length > 0) zeroGroup(dependencies, group, gone);
  }
}

/** The same for the same unit of a copy of a model. */
function unitKey({ parts: [first] }: PruneUnit): string {
  return `${first?.axis} ${first?.indices[0]}`;
}

function zeroGroup(dependencies: Dependencies, group: DependencyGroup, gone: readonly PruneUnit[]): void {
  for (const { value, at, axis, role } of weightAxesOf(dependencies, group)) {
    const current = constantTensor(value);
    if (!current || role === 'scales') continue;
    const indices = new Set(
      gone.flatMap(({ parts }) => parts.flatMap((part) => (part.axis === axis ? part.indices : []))),
    );
    const size = current.dims[at] as number;
    const inner = elementCount(current.dims.slice(at + 1));
    const result = zeroed(current, (element) => indices.has(Math.floor(element / inner) % size));
    if (value.tensor) value.tensor = result;
    else for (const use of [...value.uses]) replaceConstantInput(use.node, use.slot, result);
  }
}
