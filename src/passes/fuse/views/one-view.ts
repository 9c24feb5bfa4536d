import { attribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { productOfDims } from '../../../ops/dim.js';
import { writeList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { sameDim } from '../../types.js';
import { type AxisChange, onesBetween, reshapeTarget } from './view-shapes.js';

/** Makes the node, constants included: only for `apply`. */
export type MakeView = () => Omit<NodeSpec, 'outputs'>;

/**
 * One view that makes a value of shape `to` of `source`, of shape `from`, in the place of `at`. `failing` lists the sizes
 * that must not be 0 in any case. Undefined where neither Reshape nor Squeeze, Unsqueeze or Flatten can be told the shape.
 */
export function oneView(
  context: RewriteContext,
  at: Node,
  source: Value,
  from: readonly Dim[],
  to: readonly Dim[],
  failing: readonly Dim[],
): MakeView | undefined {
  const target = reshapeTarget(from, to, failing);
  if (target) {
    return () => {
      const { inputs, attributes } = writeList(context, at, 'Reshape', 'shape', target);
      return { opType: 'Reshape', inputs: [source, ...inputs], attributes };
    };
  }
  const ones = onesBetween(from, to);
  if (ones) return viewByAxes(context, at, source, ones);
  const axis = context.opset(at) < 9 ? undefined : flattenAxis(from, to);
  if (axis === undefined) return undefined;
  return () => ({ opType: 'Flatten', inputs: [source], attributes: [attribute('axis', axis)] });
}

/** A Squeeze or an Unsqueeze; undefined where it takes both, or none. */
export function viewByAxes(
  context: RewriteContext,
  at: Node,
  source: Value,
  { removed, inserted }: AxisChange,
): MakeView | undefined {
  if (removed.length > 0 === inserted.length > 0) return undefined;
  const opType = removed.length > 0 ? 'Squeeze' : 'Unsqueeze';
  return () => {
    const { inputs, attributes } = writeList(context, at, opType, 'axes', removed.length > 0 ? removed : inserted);
    return { opType, inputs: [source, ...inputs], attributes };
  };
}

/** The axis at which Flatten of `from` gives `to`. */
function flattenAxis(from: readonly Dim[], to: readonly Dim[]): number | undefined {
  if (to.length !== 2) return undefined;
  for (let axis = 0; axis <= from.length; axis++)
    if (sameDim(productOfDims(from.slice(0, axis)), to[0]) && sameDim(productOfDims(from.slice(axis)), to[1]))
      return axis;
  return undefined;
}
