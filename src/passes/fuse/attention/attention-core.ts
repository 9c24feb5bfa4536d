/** The middle of attention, softmax(scale · Q·Kᵀ + bias)·V, as exporters write it out. */
import type { Node } from '../../../ir/node.js';
import type { Dim, Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { isFloat } from '../../../tensor/dtype.js';
import { mainConsumer } from '../../dying-nodes.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { scalarOf } from '../../scalar.js';
import { dataTypeOf, rankOf, sameDim, shapeOf } from '../../types.js';

/** What is added to the scores, or put in their place, in the order in which it is done. */
export type ScoreStep =
  | { readonly kind: 'add'; readonly value: Value; readonly node: Node }
  /** Where `condition` is `fills`, the score becomes `fill`. */
  | {
      readonly kind: 'fill';
      readonly condition: Value;
      readonly fills: boolean;
      readonly fill: Value;
      readonly number: number;
      readonly node: Node;
    };

export interface AttentionCore {
  /** The Softmax, or the Attention. */
  readonly root: Node;
  /** [batch, heads, queries, size], or heads and batch in one axis. */
  readonly query: Value;
  /** [batch, heads, size, keys], or [batch, heads, keys, size], whichever `keyAxes` says. */
  readonly key: Value;
  readonly keyAxes: 'transposedKey' | 'key';
  /** [batch, heads, keys, value size] */
  readonly value: Value;
  /** [batch, heads, queries, value size] */
  readonly output: Value;
  readonly scale: number;
  readonly steps: readonly ScoreStep[];
  /** Rows of scores that are all -Infinity become 0, not NaN. */
  readonly zeroesMaskedRows: boolean;
  /** Sizes of the scores in four axes where steps are applied to them so; else those of the product. */
  readonly scoreShape: readonly Dim[];
  /** Every node from Q·Kᵀ to the product with V. Nothing else reads what they compute, but Shape nodes. */
  readonly nodes: readonly Node[];
}

/** The attention around a Softmax, or that of an Attention node; undefined where there is none, a reason where there nearly is. */
export function attentionCore(node: Node, context: RewriteContext): AttentionCore | string | undefined {
  return node.is('Softmax') ? writtenOut(node, context) : operatorCore(node);
}

/** An Attention of heads that does nothing besides. */
function operatorCore(node: Node): AttentionCore | undefined {
  const [query, key, value, mask] = node.inputs;
  const dims = shapeOf(query);
  const keys = shapeOf(key)?.[2];
  if (!query || !key || !value || dims?.length !== 4 || rankOf(key) !== 4 || rankOf(value) !== 4) return undefined;
  const more = [...node.inputs.slice(4), ...node.outputs.slice(1)].some((one) => one !== undefined);
  const size = dims[3];
  if (more || typeof size !== 'number' || node.int('is_causal', 0) !== 0 || node.float('softcap', 0) !== 0)
    return undefined;
  if (mask && !isFloat(dataTypeOf(mask) ?? 0)) return undefined;
  return {
    root: node,
    query,
    key,
    keyAxes: 'key',
    value,
    output: node.output(),
    scale: node.attributes.has('scale') ? node.float('scale', 1) : 1 / Math.sqrt(size),
    steps: mask ? [{ kind: 'add', value: mask, node }] : [],
    zeroesMaskedRows: true,
    scoreShape: [...dims.slice(0, 3), keys],
    nodes: [node],
  };
}

function writtenOut(softmax: Node, context: RewriteContext): AttentionCore | string | undefined {
  const scores = softmax.input(0);
  const below = followDown(softmax, context);
  if (!scores || !below) return undefined;
  const above = followUp(scores, softmax, context, 0);
  if (!above) return undefined;
  const query = above.product.input(0);
  const transposedKey = above.product.input(1);
  const value = below.product.input(1);
  if (!query || !transposedKey || !value) return undefined;
  if (!isOverLastAxis(softmax, context)) return 'its Softmax is not over the keys';
  if (typeof below.problem === 'string') return below.problem;
  if (typeof above.problem === 'string') return above.problem;
  const productShape = shapeOf(above.product.output());
  if (!productShape) return 'the shape of its scores is unknown';
  const { stepShape } = above;
  const isReshaped = stepShape && stepShape.length !== productShape.length;
  const scoreShape = isReshaped ? [...stepShape.slice(0, -2), ...productShape.slice(-2)] : productShape;
  return {
    root: softmax,
    query,
    key: transposedKey,
    keyAxes: 'transposedKey',
    value,
    output: below.product.output(),
    scale: above.scale,
    steps: above.steps,
    zeroesMaskedRows: below.zeroes,
    scoreShape,
    nodes: [...above.nodes, softmax, ...below.nodes],
  };
}

interface Below {
  readonly product: Node;
  readonly nodes: readonly Node[];
  readonly zeroes: boolean;
  readonly problem?: string;
}

/** From a Softmax to the product with V: straight, by a Reshape, or by `Where(IsNaN(p), 0, p)`. */
function followDown(softmax: Node, context: RewriteContext): Below | undefined {
  let output = softmax.output();
  const nodes: Node[] = [];
  let zeroes = false;
  for (;;) {
    const guarded = nanGuard(output, context);
    if (guarded) {
      nodes.push(...guarded);
      zeroes = true;
      output = (guarded[1] as Node).output();
      continue;
    }
    for (const { node, slot } of output.uses) {
      if (node.is('MatMul') && slot === 0) {
        const shared = mainConsumer(output) !== node;
        const problem = shared ? { problem: 'its probabilities are also used elsewhere' } : {};
        return { product: node, nodes: [...nodes, node], zeroes, ...problem };
      }
    }
    const next = mainConsumer(output);
    if (!next?.is('Reshape') || !keepsLastTwo(output, next.output())) return undefined;
    nodes.push(next);
    output = next.output();
  }
}

/** IsNaN and Where that turn NaN probabilities to 0, where nothing else reads `value`. */
function nanGuard(value: Value, context: RewriteContext): [Node, Node] | undefined {
  if (value.uses.size !== 2 || value.isGraphOutput || value.pinned) return undefined;
  const test = [...value.consumers()].find((node) => node.is('IsNaN') && node.graph === value.graph);
  const where = test && onlyConsumer(test.output());
  if (!test || !where?.is('Where') || where.input(2) !== value || where.input(0) !== test.output()) return undefined;
  const tensor = context.constant(where.input(1));
  return scalarOf(tensor) === 0 && (tensor?.rank ?? 0) <= (rankOf(value) ?? 0) ? [test, where] : undefined;
}

function keepsLastTwo(before: Value, after: Value): boolean {
  const from = shapeOf(before);
  const to = shapeOf(after);
  if (!from || !to || from.length < 2 || to.length < 2) return false;
  return sameDim(from.at(-1), to.at(-1)) && sameDim(from.at(-2), to.at(-2));
}

interface Above {
  readonly product: Node;
  readonly scale: number;
  readonly steps: readonly ScoreStep[];
  /** Shape of the scores where steps are applied; undefined where there are none. */
  readonly stepShape: Shape;
  readonly nodes: readonly Node[];
  readonly problem?: string;
}

/** More nodes than this between the product and the Softmax are no attention. */
const MOST_STEPS = 8;

/** From the input of a Softmax up to Q·Kᵀ. `reader` is the node that reads `value`. */
function followUp(value: Value, reader: Node, context: RewriteContext, depth: number): Above | undefined {
  const node = value.producer;
  if (!node || node.graph !== reader.graph || node.domain !== '' || depth > MOST_STEPS) return undefined;
  const shared = mainConsumer(value) !== reader ? { problem: 'its scores are also used elsewhere' } : {};
  const [first, second, third] = node.inputs;
  const up = (input: Value | undefined) => input && followUp(input, node, context, depth + 1);
  const withNode = (above: Above, change: Partial<Above>): Above => ({
    ...above,
    ...change,
    nodes: [...above.nodes, node],
    ...shared,
  });
  switch (node.opType) {
    case 'MatMul': {
      const rank = rankOf(value);
      const isProduct = (rank === 3 || rank === 4) && !context.constant(first) && !context.constant(second);
      return isProduct
        ? { product: node, scale: 1, steps: [], stepShape: undefined, nodes: [node], ...shared }
        : undefined;
    }
    case 'Mul':
    case 'Div': {
      const scalar = node.is('Mul') && scalarOf(context.constant(first)) !== undefined ? first : second;
      const number = scalarOf(context.constant(scalar));
      const above = number === undefined ? undefined : up(scalar === first ? second : first);
      if (!above || number === undefined || rankOf(value) !== rankOf(scalar === first ? second : first))
        return undefined;
      if (above.steps.length > 0) return withNode(above, { problem: 'its mask is scaled with the scores' });
      return withNode(above, { scale: node.is('Mul') ? above.scale * number : above.scale / number });
    }
    case 'Add':
      for (const [scores, bias] of [
        [first, second],
        [second, first],
      ]) {
        const above = bias && up(scores);
        if (above) return withStep(above, { kind: 'add', value: bias, node }, value, withNode);
      }
      return undefined;
    case 'Where': {
      const fill = [third, second].find((one) => scalarOf(context.constant(one)) !== undefined);
      const above = fill && up(fill === third ? second : third);
      if (!above || !fill || !first) return undefined;
      const number = scalarOf(context.constant(fill)) ?? 0;
      const step: ScoreStep = { kind: 'fill', condition: first, fills: fill === second, fill, number, node };
      return withStep(above, step, value, withNode);
    }
    case 'Reshape': {
      const above = first && keepsLastTwo(first, value) ? up(first) : undefined;
      return above && withNode(above, {});
    }
    default:
      return undefined;
  }
}

function withStep(
  above: Above,
  step: ScoreStep,
  value: Value,
  withNode: (above: Above, change: Partial<Above>) => Above,
): Above {
  const shape = shapeOf(value);
  const before = above.stepShape ?? shape;
  const same = shape && before && shape.length === before.length;
  return withNode(above, {
    steps: [...above.steps, step],
    stepShape: shape,
    ...(same ? {} : { problem: 'its masks are added in different shapes' }),
  });
}

/** Before opset 13, Softmax took everything from its axis on as one. */
function isOverLastAxis(softmax: Node, context: RewriteContext): boolean {
  const rank = rankOf(softmax.input(0));
  if (rank === undefined) return false;
  const axis = softmax.int('axis', context.opset(softmax) < 13 ? 1 : -1);
  return axis === -1 || axis === rank - 1;
}
