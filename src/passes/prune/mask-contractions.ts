import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import type { Dependencies } from '../../prune/dependency-groups.js';
import type { KeptAxes } from '../../prune/kept-axes.js';
import { isFloat } from '../../tensor/dtype.js';
import { floatTensor } from '../../tensor/float-values.js';

/** An axis of a computed operand that is summed over. */
interface SummedAxis {
  readonly slot: number;
  readonly axis: number;
}

/**
 * Multiplies what is summed over a cut axis by zero there, in place, where the sum has no weights that could be zero instead: products of
 * two computed tensors, and sums of such products. Units whose own weights are zero need not give zero: exp(0) is 1.
 * @param dependencies of this model, or taken over by `copiedDependencies`
 */
export function maskContractions(model: Model, dependencies: Dependencies, kept: KeptAxes): void {
  const { table } = dependencies;
  for (const node of [...model.graph.nodes])
    for (const { slot, axis } of summedAxes(node, dependencies)) {
      const value = node.input(slot);
      const id = value && table.known(value, node, slot)?.[axis];
      const left = kept.of(id);
      const { type } = value ?? {};
      if (!value || id === undefined || !left || type?.kind !== 'tensor' || !isFloat(type.dataType)) continue;
      const numbers = new Float64Array(table.size(id));
      for (const index of left) numbers[index] = 1;
      const dims = Array.from({ length: type.shape?.length ?? 0 }, (_, at) => (at === axis ? numbers.length : 1));
      const mask = node.graph.addInitializer('mask', floatTensor(type.dataType, numbers, dims));
      const masked = node.graph.addNode({ opType: 'Mul', inputs: [value, mask], outputs: [{ type }] }, node);
      node.setInput(slot, masked.output());
    }
}

/** Of the first operand alone: the other does not matter where this one is zero. */
function summedAxes(node: Node, { elements }: Dependencies): SummedAxis[] {
  if (node.inputs.slice(0, 2).some((value) => constantTensor(value)) && !node.is('ReduceSum')) return [];
  const rank = rankOf(node);
  if (rank === undefined) return [];
  if (node.is('MatMul')) return [{ slot: 0, axis: rank - 1 }];
  if (node.opType === 'FusedMatMul') return [{ slot: 0, axis: rank - (node.int('transA', 0) === 1 ? 2 : 1) }];
  if (node.is('Einsum')) {
    const [left = '', right = ''] = node.string('equation', '').replaceAll(' ', '').split('->');
    const [first = ''] = left.split(',');
    return [...first].flatMap((label, axis) => (right.includes(label) ? [] : [{ slot: 0, axis }]));
  }
  if (node.is('ReduceSum')) {
    const axes = node.input(1);
    const given = node.ints('axes') ?? (axes && elements.get(axes)?.items) ?? [];
    return given.flatMap((axis) => (typeof axis === 'number' ? { slot: 0, axis: axis < 0 ? axis + rank : axis } : []));
  }
  return [];
}

function rankOf(node: Node): number | undefined {
  const type = node.input(0)?.type;
  return type?.kind === 'tensor' ? type.shape?.length : undefined;
}
