/** Gather with constant indices. */
import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { hasReference } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { frontAxis, rankOf } from '../../types.js';

/** More indices than this are data, and left alone. */
const MOST_INDICES = 4096;

export interface GatherParts {
  readonly axis: number;
  /** Indices below 0 count from the end of the axis. */
  readonly indices: readonly number[];
  /** Shape of the indices, which stands in the output in place of the axis. */
  readonly dims: readonly number[];
  readonly dataType: typeof DataType.INT32 | typeof DataType.INT64;
}

/** Axis and indices of a Gather; undefined where the indices are computed or many, or the axis counts from the end of an unknown rank. */
export function readGather(context: RewriteContext, node: Node): GatherParts | undefined {
  if (!node.is('Gather') || hasReference(node)) return undefined;
  const axis = axisOf(node, 0);
  const tensor = context.constant(node.input(1));
  if (axis === undefined || !tensor || tensor.size > MOST_INDICES) return undefined;
  const { dataType } = tensor;
  if (dataType !== DataType.INT32 && dataType !== DataType.INT64) return undefined;
  return { axis, indices: tensor.integers(), dims: tensor.dims, dataType };
}

/** Attribute `axis` counted from the front of the first input; undefined where that needs a rank that is not known. */
export function axisOf(node: Node, fallback: number): number | undefined {
  const axis = node.int('axis', fallback);
  const rank = rankOf(node.input(0));
  if (rank !== undefined) return frontAxis(axis, rank);
  return axis >= 0 ? axis : undefined;
}

/** A Gather of `source` for a node in the place of `at`. Only for `apply`: it makes a constant. */
export function gatherSpec(
  at: Node,
  source: Value,
  { axis, indices, dims, dataType }: GatherParts,
): Omit<NodeSpec, 'outputs'> {
  const tensor = dataType === DataType.INT64 ? Tensor.int64(indices, dims) : Tensor.int32([...indices], dims);
  const attributes: Attribute[] = axis === 0 ? [] : [attribute('axis', axis)];
  return {
    opType: 'Gather',
    inputs: [source, addConstant(at.graph, `${nodeLabel(at)}_indices`, tensor, at)],
    attributes,
  };
}
