/** Weights and biases of the projections of query, key and value side by side. */
import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import type { HeadsView } from './attention-heads.js';
import { type Columns, columnsBeside, type LinearProjection } from './linear-projection.js';

/** An operand of attention with the projection that it is cut out of. */
export interface Projected {
  readonly view: HeadsView;
  readonly projection: LinearProjection;
}

/** Query, key and value. */
export type ProjectedOperands = readonly [Projected, Projected, Projected];

export interface PackedPlan {
  /** Bytes of the constants that `build` adds. */
  readonly bytes: number;
  /** The weight, [input features, features of all three], and the bias. */
  build(before: Node): [Value, Value];
}

/** What was packed before, for layers that share their weights. */
export type PackedCache = {
  readonly key: readonly (Value | string | undefined)[];
  readonly graph: Graph;
  readonly packed: [Value, Value];
}[];

/**
 * How to pack the constants of three projections: as they are, where one projection has all three in order; as they were
 * packed before; or new ones. There is always a bias, of zeros where there was none: ONNX Runtime 1.30 does not survive an
 * omitted one.
 */
export function planPacked(operands: ProjectedOperands, label: string, made: PackedCache): PackedPlan {
  const key = operands.flatMap(({ view, projection }) => [
    projection.weightValue,
    projection.biasValue,
    [projection.isTransposed, view.heads, view.size, view.offset, view.headStride, view.stride].join(),
  ]);
  const known = made.find((one) => one.key.every((part, index) => part === key[index]) && one.packed.every(isAlive));
  const rows = operands[0].projection.weight.dims[0] ?? 0;
  const parts = operands.map(({ view, projection }) => ({ columns: columnsOf(view), projection }));
  const width = parts.reduce((sum, { columns }) => sum + columns.length, 0);
  const own = inOrder(parts);
  const weightBytes = own ? 0 : 4 * rows * width;
  const biasBytes = own?.bias?.rank === 1 ? 0 : 4 * width;
  return {
    bytes: known ? 0 : weightBytes + biasBytes,
    build(before) {
      const { graph } = before;
      if (known?.graph === graph) return known.packed;
      const add = (name: string, dims: number[], columns: Columns[]) => {
        const bytes = columnsBeside(dims.length > 1 ? rows : 1, columns);
        return addConstant(graph, `${label}_${name}`, Tensor.of(DataType.FLOAT, dims, bytes), before);
      };
      const weights = parts.map(({ columns, projection }): Columns => ({ tensor: projection.weight, columns }));
      const biases = parts.map(({ columns, projection }): Columns => ({ tensor: projection.bias, columns }));
      const bias = own?.bias?.rank === 1 ? own.biasValue : undefined;
      const packed: [Value, Value] = [
        own?.weightValue ?? add('qkv_weight', [rows, width], weights),
        bias ?? add('qkv_bias', [width], biases),
      ];
      made.push({ key, graph, packed });
      return packed;
    },
  };
}

function isAlive(value: Value): boolean {
  return value.tensor !== undefined && value.uses.size > 0;
}

function columnsOf({ heads, size, offset, headStride, stride }: HeadsView): number[] {
  return Array.from(
    { length: heads * size },
    (_, index) => offset + Math.floor(index / size) * headStride + (index % size) * stride,
  );
}

/** The projection that has query, key and value in this order, and nothing else. */
function inOrder(
  parts: readonly { readonly columns: readonly number[]; readonly projection: LinearProjection }[],
): LinearProjection | undefined {
  const [first] = parts;
  if (!first || first.projection.isTransposed) return undefined;
  if (
    parts.some(
      ({ projection }) =>
        projection.weightValue !== first.projection.weightValue || projection.biasValue !== first.projection.biasValue,
    )
  )
    return undefined;
  const columns = parts.flatMap((part) => part.columns);
  const isAll =
    columns.length === first.projection.weight.dims[1] && columns.every((column, index) => column === index);
  return isAll ? first.projection : undefined;
}
