/** Views with operators between them that would give the same elements without the first view. */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { broadcastShapes } from '../../../ops/infer/broadcast.js';
import { ELEMENTWISE_BROADCAST, ELEMENTWISE_UNARY } from '../../../ops/traits.js';
import { hasReference } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { dataTypeOf, frontAxis, sameDim, sameShape, shapeOf } from '../../types.js';
import { failingSizes, followable, isView, shapeAfter } from './view-shapes.js';

/** An operator between the views. */
export interface SandwichStep {
  readonly node: Node;
  /** Its input that comes from the first view. */
  readonly slot: number;
  /** Shape of its output without the first view. */
  readonly shape: readonly Dim[];
  /** Its `axis`, counted from the end, where it has one. */
  readonly axis?: number;
}

export interface Sandwich {
  readonly first: Node;
  readonly source: Value;
  /** First to last. */
  readonly steps: readonly SandwichStep[];
  /** Shape that the last view makes. */
  readonly to: readonly Dim[];
  /** Sizes that must not be 0 for one of the views. */
  readonly failing: readonly Dim[];
}

const LONGEST = 16;

/**
 * The view before `last` with only operators between that compute the same elements in either shape: elementwise ones with
 * operands that reach no further than the axes which the view leaves alone, Softmax and normalization over such axes, and
 * MatMul with one matrix. Nothing else reads the values between.
 */
export function findSandwich(last: Node, context: RewriteContext): Sandwich | undefined {
  const path: { node: Node; slot: number }[] = [];
  let cursor = last;
  let slot = 0;
  for (;;) {
    const value: Value | undefined = cursor.input(slot);
    const producer = value?.producer;
    if (!value || !producer || producer.domain !== '' || onlyConsumer(value) !== cursor) return undefined;
    if (isView(producer)) {
      const source = producer.input(0);
      return source && path.length > 0 ? measure(producer, source, path, last, context) : undefined;
    }
    const next = dataSlot(producer, context);
    if (next === undefined || path.length >= LONGEST) return undefined;
    path.unshift({ node: producer, slot: next });
    cursor = producer;
    slot = next;
  }
}

/** The one input whose shape counts. */
function dataSlot(node: Node, context: RewriteContext): number | undefined {
  if (!STEPS.has(node.opType) || hasReference(node)) return undefined;
  if (!ELEMENTWISE_BROADCAST.has(node.opType)) return 0;
  const computed = node.inputs.flatMap((value, slot) => (value && !context.constant(value) ? [slot] : []));
  return computed.length === 1 ? computed[0] : undefined;
}

function measure(
  first: Node,
  source: Value,
  path: readonly { readonly node: Node; readonly slot: number }[],
  last: Node,
  context: RewriteContext,
): Sandwich | undefined {
  let without: readonly Dim[] | undefined = followable(shapeOf(source));
  let viewed = without && shapeAfter(context, first, without);
  const failing = viewed ? [...failingSizes(context, first, viewed)] : [];
  const steps: SandwichStep[] = [];
  for (const { node, slot } of path) {
    const step: Shapes | undefined =
      without && viewed && STEPS.get(node.opType)?.(node, slot, { without, viewed }, context);
    if (!step) return undefined;
    ({ without, viewed } = step);
    steps.push({ node, slot, shape: without, ...(step.axis === undefined ? {} : { axis: step.axis }) });
  }
  const to = viewed && shapeAfter(context, last, viewed);
  if (!to) return undefined;
  return { first, source, steps, to, failing: [...failing, ...failingSizes(context, last, to)] };
}

interface Shapes {
  readonly without: readonly Dim[];
  readonly viewed: readonly Dim[];
  readonly axis?: number;
}

type Step = (node: Node, slot: number, shapes: Shapes, context: RewriteContext) => Shapes | undefined;

/** How many last axes are the same in both shapes. */
function commonAxes({ without, viewed }: Shapes): number {
  let count = 0;
  while (count < without.length && count < viewed.length && sameDim(without.at(-1 - count), viewed.at(-1 - count)))
    count++;
  return count;
}

const unary: Step = (_node, slot, shapes) =>
  slot === 0 ? { without: shapes.without, viewed: shapes.viewed } : undefined;

const broadcast: Step = (node, slot, { without, viewed }, context) => {
  if (context.opset(node) < 8) return undefined;
  const common = commonAxes({ without, viewed });
  for (const [at, value] of node.inputs.entries()) {
    const shape = at === slot ? [] : shapeOf(value);
    if (!value || !shape) return undefined;
    const reaches = shape.every((dim) => dim === 1) ? shape.length - without.length : shape.length - common;
    if (reaches > 0) return undefined;
    for (const base of [without, viewed])
      if (
        !sameShape(
          broadcastShapes([base, shape], () => undefined),
          base,
        )
      )
        return undefined;
  }
  return { without, viewed };
};

/** Operators over one axis, or all from one on, among those that are the same. */
const overAxes =
  (since: number): Step =>
  (node, slot, shapes, context) => {
    const axis = frontAxis(node.int('axis', -1), shapes.viewed.length);
    if (slot !== 0 || axis === undefined || context.opset(node) < since || node.outputs.length > 1) return undefined;
    const back = shapes.viewed.length - axis;
    return back <= commonAxes(shapes) ? { without: shapes.without, viewed: shapes.viewed, axis: -back } : undefined;
  };

function productShapes(node: Node, slot: number, { without, viewed }: Shapes): Shapes | undefined {
  const width = shapeOf(node.input(1));
  if (slot !== 0 || width?.length !== 2 || Math.min(without.length, viewed.length) < 2) return undefined;
  if (commonAxes({ without, viewed }) < 1) return undefined;
  const last = width[1] ?? '?width';
  return { without: [...without.slice(0, -1), last], viewed: [...viewed.slice(0, -1), last] };
}

const matrixProduct: Step = (node, slot, shapes) => productShapes(node, slot, shapes);

/** A product of matrices, to be written as MatMul and Add: the bias must reach over the last axis only. */
const gemm: Step = (node, slot, shapes) => {
  const plain = node.float('alpha', 1) === 1 && node.float('beta', 1) === 1;
  if (!plain || node.int('transA', 0) !== 0 || node.int('transB', 0) !== 0 || shapes.without.length < 2)
    return undefined;
  const bias = node.input(2);
  const shape = bias ? shapeOf(bias) : [];
  if (!shape || shape.slice(0, -1).some((dim) => dim !== 1)) return undefined;
  return productShapes(node, slot, shapes);
};

const STEPS: ReadonlyMap<string, Step> = new Map<string, Step>([
  ...[...ELEMENTWISE_UNARY].map((name) => [name, unary] as const),
  ...[...ELEMENTWISE_BROADCAST].map((name) => [name, broadcast] as const),
  // Before version 13 Softmax goes over all axes from one on.
  ['Softmax', overAxes(13)],
  ['LogSoftmax', overAxes(13)],
  ['LayerNormalization', overAxes(17)],
  ['RMSNormalization', overAxes(23)],
  ['MatMul', matrixProduct],
  ['Gemm', gemm],
]);

/** Lets the operators read what the first view reads. Only for `apply`. */
export function dropFirstView({ source, steps }: Sandwich): void {
  for (const [at, { node, slot, shape, axis }] of steps.entries()) {
    if (at === 0) node.setInput(slot, source);
    if (axis !== undefined) node.setAttribute(attribute('axis', axis));
    renewOutput(node, shape);
  }
}

/** Gives a node a new output value of this shape under the same name: nothing that was found out of the old one holds. */
export function renewOutput(node: Node, shape: readonly Dim[]): Value {
  const old = node.output();
  const dataType = dataTypeOf(old);
  const dims = shape.map((dim) => (typeof dim === 'string' && dim.includes('?') ? undefined : dim));
  const value = node.graph.newValue(
    node.graph.model.freshName(old.name),
    dataType === undefined ? undefined : tensorType(dataType, dims),
  );
  node.setOutput(0, value);
  old.replaceUsesWith(value);
  node.graph.forget(old);
  value.name = old.name;
  return value;
}
