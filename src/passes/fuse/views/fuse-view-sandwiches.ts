import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import { ELEMENTWISE_BROADCAST } from '../../../ops/traits.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { forward, onlyConsumer, takeOver, whyNotForwardable } from '../../nodes.js';
import { dataTypeOf, sameShape, shapeOf } from '../../types.js';
import { oneView } from './one-view.js';
import { dropFirstView, findSandwich } from './view-sandwich.js';
import { followable, isView, shapeAfter } from './view-shapes.js';

/**
 * View(f(View(x))) = View(f(x)), or f(x) where the second view restores the shape of x, for what computes the same
 * elements in either shape. And f(View(x), View(y)) = View(f(x, y)), where x and y have one shape, and their views
 * another.
 *
 * Fires for elementwise operators, Softmax and normalization over axes that the first view leaves alone, in a row of
 * which each is the only reader of the one before. Refuses operands with more axes than these. Numerics: exact.
 */
export const fuseViewSandwiches = defineRewrite<object>({
  name: 'fuse-view-sandwiches',
  summary: 'Merges views with elementwise operators between them.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [5, null],
  options: {},
  roots: ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', ...ELEMENTWISE_BROADCAST],
  rules: () => ({ match: (node, context) => (isView(node) ? matchLast(node, context) : matchOperands(node, context)) }),
});

/** Products are rounded as their kernels add up, so these are left to `fuse-matmul-views`. */
const INEXACT: ReadonlySet<string> = new Set(['MatMul', 'Gemm']);

function matchLast(node: Node, context: RewriteContext): Match {
  const found = findSandwich(node, context);
  const last = found?.steps.at(-1);
  if (!found || !last || found.steps.some((step) => INEXACT.has(step.node.opType))) return undefined;
  const inner = last.node.output();
  const isBack = sameShape(last.shape, found.to) && whyNotForwardable(node.output(), inner) === undefined;
  const view = oneView(context, node, inner, last.shape, found.to, found.failing);
  if (!isBack && !view) return undefined;
  return {
    nodes: [node, found.first],
    detail: `past ${found.steps.map((step) => step.node.opType).join(', ')}`,
    apply() {
      dropFirstView(found);
      const value = last.node.output();
      if (isBack) {
        forward(node.output(), value);
        return last.node;
      }
      const spec = oneView(context, node, value, last.shape, found.to, found.failing);
      return spec && takeOver(node, spec());
    },
  };
}

/** Operands that all come from views of one shape to another. */
function matchOperands(node: Node, context: RewriteContext): Match {
  if (context.opset(node) < 8 || node.is('PRelu') || hasReference(node)) return undefined;
  const views = new Set<Node>();
  for (const value of node.inputs) {
    const producer = value?.producer;
    const shape = shapeOf(value);
    if (!value || !shape) return undefined;
    if (shape.length === 0) continue;
    if (!producer || !isView(producer) || !producer.input(0) || onlyConsumer(value) !== node) return undefined;
    views.add(producer);
  }
  const [first, ...others] = views;
  const from = followable(shapeOf(first?.input(0)));
  const to = first && from && shapeAfter(context, first, from);
  if (!first || !to || others.length === 0) return undefined;
  for (const view of others) {
    const own = followable(shapeOf(view.input(0)));
    // Sizes that are not known have a name within one value only.
    if (!own || from.some((dim) => typeof dim === 'string' && dim.includes('?')) || !sameShape(own, from))
      return undefined;
    if (!sameShape(shapeAfter(context, view, own), to)) return undefined;
  }
  return {
    nodes: [node, ...views],
    apply() {
      const inputs = node.inputs.map((value) => {
        const producer = value?.producer;
        return producer && views.has(producer) ? producer.input(0) : value;
      });
      const dataType = dataTypeOf(node.output());
      const inner = node.graph.addNode(
        {
          opType: node.opType,
          name: node.name,
          inputs,
          outputs: [
            {
              name: `${node.output().name}_flat`,
              type: dataType === undefined ? undefined : tensorType(dataType, shapeOf(first.input(0))),
            },
          ],
          attributes: [...node.attributes.values()],
        },
        node,
      );
      const rest = first.inputs.slice(1);
      const attributes = [...first.attributes.values()];
      const spec = { opType: first.opType, name: first.name, inputs: [inner.output(), ...rest], attributes };
      takeOver(node, spec);
      return inner;
    },
  };
}
