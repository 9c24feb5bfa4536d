import type { Node } from '../../../ir/node.js';
import { type Dim, type Shape, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { inferNodeTypes } from '../../../ops/infer/infer-node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { forward, onlyConsumer, takeOver, whyNotForwardable } from '../../nodes.js';
import { dataTypeOf, sameShape, shapeOf } from '../../types.js';
import { type MakeView, oneView } from '../views/one-view.js';
import { dropFirstView, findSandwich, renewOutput, type Sandwich } from '../views/view-sandwich.js';
import { failingSizes, followable, isView, shapeAfter } from '../views/view-shapes.js';
import { sameProducts } from './matmul-rows.js';

/**
 * MatMul takes batches of any rank, so views that only flatten them before it and bring them back after it are not
 * needed: View(MatMul(View(A), View(B))) = MatMul(A, B). The same with operators between that `fuse-view-sandwiches`
 * knows, and for a Gemm between views, which becomes MatMul and Add.
 *
 * Fires when each row of the product is made of the same row of A and the same matrix of B, at the same place, with and
 * without the views; of a view before the product, of one after it, or of both. A Gemm must have no factors or
 * transpositions, and a bias over its columns only. Refuses where the shapes are unknown. Numerics: reassociates.
 */
export const fuseMatmulViews = defineRewrite<object>({
  name: 'fuse-matmul-views',
  summary: 'Removes views around MatMul that only flatten its batch.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [8, null],
  options: {},
  roots: ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'MatMul'],
  rules: () => ({
    match(node, context) {
      if (node.is('MatMul')) return matchProduct(node, undefined, context);
      const value = node.input(0);
      const product = value?.producer;
      const inner = value && product?.is('MatMul') && onlyConsumer(value) === node ? product : undefined;
      return (inner && matchProduct(inner, node, context)) ?? matchChain(node, context);
    },
  }),
});

/** A product with views before it, and one after it where `last` is that. */
function matchProduct(product: Node, last: Node | undefined, context: RewriteContext): Match {
  const values = [product.input(0), product.input(1)] as const;
  const views = values.map((value) => viewBefore(value, product));
  const choices = [[0, 1], [0], [1]].filter((slots) => slots.every((slot) => views[slot]));
  for (const slots of choices) {
    const sources = values.map((value, slot) => (slots.includes(slot) ? views[slot]?.input(0) : value));
    const match = replaceProduct(product, last, sources, context);
    if (match) return match;
  }
  return undefined;
}

function viewBefore(value: Value | undefined, product: Node): Node | undefined {
  const node = value?.producer;
  return value && node && isView(node) && node.input(0) && onlyConsumer(value) === product ? node : undefined;
}

function replaceProduct(
  product: Node,
  last: Node | undefined,
  sources: readonly (Value | undefined)[],
  context: RewriteContext,
): Match {
  const shapes = sources.map((value) => shapeOf(value));
  const viewed = product.inputs.map((value) => shapeOf(value));
  if (!sameProducts(shapes[0], shapes[1], viewed[0], viewed[1])) return undefined;
  const now = productShape(product, shapes, context);
  const before = followable(productShape(product, viewed, context));
  const to = before && (last ? shapeAfter(context, last, before) : before);
  if (!now || !to) return undefined;
  const views = product.inputs.flatMap((value, slot) =>
    value !== sources[slot] && value?.producer ? [value.producer] : [],
  );
  const output = (last ?? product).output();
  if (!last && !sameShape(now, to)) return undefined;
  const isBack = last !== undefined && sameShape(now, to) && whyNotForwardable(output, product.output()) === undefined;
  const failing = last && before ? failingSizes(context, last, to) : [];
  const view = last && !isBack ? oneView(context, last, product.output(), now, to, failing) : undefined;
  if (last && !isBack && !view) return undefined;
  return {
    nodes: [product, ...views, ...(last ? [last] : [])],
    apply() {
      for (const [slot, source] of sources.entries())
        if (product.input(slot) !== source) product.setInput(slot, source);
      if (!last) return product;
      const inner = renewOutput(product, now);
      if (isBack) forward(output, inner);
      else takeOver(last, (oneView(context, last, inner, now, to, failing) as MakeView)());
      return product;
    },
  };
}

/** The shape of a MatMul of inputs of these shapes. */
function productShape(product: Node, shapes: readonly Shape[], context: RewriteContext): readonly Dim[] | undefined {
  const dataType = dataTypeOf(product.input(0));
  const [a, b] = product.inputs;
  if (dataType === undefined || a === b) return undefined;
  const [type] = inferNodeTypes(product, context.opset(product), {
    typeOf: (value) => (value === a || value === b ? tensorType(dataType, shapes[value === a ? 0 : 1]) : undefined),
    elementsOf: () => undefined,
  });
  return type?.kind === 'tensor' && !type.shape?.includes(undefined) ? type.shape : undefined;
}

/** Operators with a product among them between two views. */
function matchChain(last: Node, context: RewriteContext): Match {
  const found = findSandwich(last, context);
  const step = found?.steps.at(-1);
  if (!found || !step || !found.steps.some(({ node }) => node.is('MatMul') || node.is('Gemm'))) return undefined;
  const isBack = sameShape(step.shape, found.to) && whyNotForwardable(last.output(), step.node.output()) === undefined;
  const view = oneView(context, last, step.node.output(), step.shape, found.to, found.failing);
  const more = found.steps.filter(({ node }) => node.is('Gemm') && node.input(2)).length;
  if ((!isBack && !view) || more >= (isBack ? 2 : 1)) return undefined;
  return {
    nodes: [last, found.first, ...found.steps.filter(({ node }) => node.is('Gemm')).map(({ node }) => node)],
    detail: `past ${found.steps.map(({ node }) => node.opType).join(', ')}`,
    apply: () => withoutViews(last, found, isBack, context),
  };
}

function withoutViews(last: Node, found: Sandwich, isBack: boolean, context: RewriteContext): Node | undefined {
  dropFirstView(found);
  const step = found.steps.at(-1);
  let value = step?.node.output();
  for (const { node, shape } of found.steps) {
    if (!node.is('Gemm')) continue;
    const written = writeGemm(node, shape);
    if (node === step?.node) value = written.output();
  }
  if (!step || !value) return undefined;
  if (isBack) {
    forward(last.output(), value);
    return undefined;
  }
  return takeOver(last, (oneView(context, last, value, step.shape, found.to, found.failing) as MakeView)());
}

/** MatMul and Add in the place of a Gemm. */
function writeGemm(node: Node, shape: readonly Dim[]): Node {
  const [a, b, bias] = node.inputs;
  if (!bias) return takeOver(node, { opType: 'MatMul', inputs: [a, b] });
  const dataType = dataTypeOf(node.output());
  const type = dataType === undefined ? undefined : tensorType(dataType, shape);
  const name = `${node.output().name}_product`;
  const product = node.graph.addNode({ opType: 'MatMul', name, inputs: [a, b], outputs: [{ name, type }] }, node);
  return takeOver(node, { opType: 'Add', inputs: [product.output(), bias] });
}
