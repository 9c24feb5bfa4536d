import type { Node } from '../../ir/node.js';
import type { Dim, Shape } from '../../ir/type.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { releaseInputs } from '../eliminate/release-inputs.js';
import { hasReference } from '../engine/operands.js';
import { defineRewrite, type Match, type RewriteContext } from '../engine/rewrite.js';
import { sameDim, shapeOf } from '../types.js';

/**
 * A computed target of Reshape becomes a constant: a size that is a number is written as one, one that the input has on
 * the same axis as 0 (copy it), and at most one other as -1. With it goes what computed it: the chains of Shape, Gather
 * and Concat that exporters leave.
 *
 * Fires when the target is computed and at most one of its sizes is neither a number nor that of the input.
 * Refuses: two such sizes; a -1 beside a copied size where the original had none, since Reshape then fails for an empty
 * tensor, which the original may have reshaped. Numerics: exact.
 */
export const foldReshapeTarget = defineRewrite<object>({
  name: 'fold-reshape-target',
  summary: 'Makes the computed target of a Reshape a constant with 0 and -1.',
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
  const sizes = constantSizes(elements.items, shapeOf(node.input(0)), keepsZero);
  if (typeof sizes === 'string') return sizes;
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
    if (typeof item === 'number' && item !== -1) return item;
    if (item !== -1 && mayCopy && sameDim(item, input?.[axis])) {
      copies++;
      return 0;
    }
    open++;
    return -1;
  });
  if (open > 1) return `${open} sizes of its target are known at run time only`;
  if (open === 1 && !mayCopy) return 'its target has an empty axis beside a size that is known at run time only';
  if (open === 1 && copies > 0 && !wanted.includes(-1))
    return 'with -1 in its target it would fail for an empty tensor';
  return sizes;
}
