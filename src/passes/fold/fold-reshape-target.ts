import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import type { Dim, Shape } from '../../ir/type.js';
import { productOfDims } from '../../ops/dim.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { releaseInputs } from '../eliminate/release-inputs.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { takeOver } from '../nodes.js';
import { sameDim, shapeOf } from '../types.js';

/**
 * A computed target of Reshape becomes a constant: a size that is a number is written as one, one that the input has on
 * the same axis as 0 (copy it), and at most one other as -1. The nodes that computed it are removed: the chains of
 * Shape, Gather and Concat that exporters leave.
 *
 * Fires when the target is computed and at most one of its sizes is neither a number nor that of the input. Refuses:
 * two such sizes; a -1 beside a copied size where the original had none, since Reshape then fails for an empty tensor,
 * which the original may have reshaped. A matrix is then written as Flatten, which has no such limit. Numerics: exact.
 */
export const foldReshapeTarget = defineRewrite<object>({
  name: 'fold-reshape-target',
  summary: 'Replaces the computed target of a Reshape with a constant of known sizes, 0 and -1.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [5, null],
  options: {},
  roots: ['Reshape'],
  rules: () => ({ match: matchReshape }),
});

function matchReshape(node: Node, context: RewriteContext): Match {
  const target = node.input(1);
  if (!target || context.constant(target) || hasReference(node)) return undefined;
  const elements = context.elements(target);
  if (elements?.dims.length !== 1) return undefined;
  const keepsZero = node.int('allowzero', 0) !== 0;
  const shape = shapeOf(node.input(0));
  const sizes = constantSizes(elements.items, shape, keepsZero);
  if (typeof sizes === 'string') {
    const axis = context.opset(node) >= 9 ? flattenAxis(elements.items, shape) : undefined;
    return axis === undefined ? sizes : { nodes: [node], apply: () => flatten(node, axis) };
  }
  return {
    nodes: [node],
    apply() {
      const tensor = Tensor.int64(sizes);
      releaseInputs(node, () => node.setInput(1, addConstant(node.graph, target.name, tensor, node)));
      // Zeros now mean "copy"; where one meant an empty axis, `constantSizes` gave no copies.
      if (keepsZero && !elements.items.includes(0)) node.removeAttribute('allowzero');
      return node;
    },
  };
}

/** The target as a constant, or why there is none. */
function constantSizes(wanted: readonly Dim[], input: Shape, keepsZero: boolean): number[] | string {
  const mayCopy = !keepsZero || !wanted.includes(0);
  let open = 0;
  let copies = 0;
  const sizes = wanted.map((item, axis) => {
    const own = input?.[axis];
    if (typeof item === 'number' && item > 0) return item;
    if (item === 0 && !keepsZero && typeof own === 'number' && own > 0) return own;
    if (item === 0 || (item !== -1 && mayCopy && sameDim(item, own))) {
      copies++;
      return 0;
    }
    open++;
    return -1;
  });
  if (open > 1) return `${open} sizes of its target are known at run time only`;
  if (open === 1 && !mayCopy) return 'its target has an empty axis beside a size that is known at run time only';
  if (open === 1 && copies > 0 && !wanted.includes(-1))
    return 'with -1 in its target, it would fail for an empty tensor';
  return sizes;
}

/** The axis at which Flatten gives the wanted matrix, if one does: for empty tensors too. */
function flattenAxis(wanted: readonly Dim[], input: Shape): number | undefined {
  if (!input || wanted.length !== 2) return undefined;
  for (let axis = 0; axis <= input.length; axis++) {
    if (!sameDim(wanted[0], productOfDims(input.slice(0, axis)))) continue;
    if (sameDim(wanted[1], productOfDims(input.slice(axis)))) return axis;
  }
  return undefined;
}

function flatten(node: Node, axis: number): Node {
  const spec = { opType: 'Flatten', inputs: [node.input(0)], attributes: [attribute('axis', axis)] };
  return releaseInputs(node, () => takeOver(node, spec));
}
