import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { DataTypeCode } from '../../../tensor/dtype.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { type Numbers, numbersTensor } from '../../constant-arithmetic.js';
import { addConstant } from '../../constants.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { type Link, linkOf, product, scaledShift, sum } from './affine-chain.js';

/**
 * (x · a) · b = x · (a·b), (x + a) + b = x + (a + b), and of three that take turns two remain: (x · a + b) · c = x ·
 * (a·c) + b·c, (x + a) · b + c = x · b + (a·b + c); Mul, Div, Add, Sub and Neg with constants of any shape.
 *
 * Fires on FLOAT, DOUBLE, FLOAT16 and BFLOAT16, and on INT32 and INT64 where every result is exact. Refuses numbers
 * that cancel each other by more than rounding (x + 2²³ − 2²³ rounds x), factors of which one compensates an overflow
 * of the other, and constants that are larger when merged. Numerics: reassociates. Reference: Higham 2002, Accuracy and
 * Stability, chapter 1.
 */
export const fuseConsecutiveAffine = defineRewrite<object>({
  name: 'fuse-consecutive-affine',
  summary: 'Merges consecutive multiplications and additions of constants.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Mul', 'Div', 'Add', 'Sub', 'Neg'],
  rules: () => ({ match: matchChain }),
});

/** x · factor + shift, either of which may be missing, or sign · x + shift. */
interface Merged {
  readonly factor?: Numbers;
  readonly sign?: number;
  readonly shift?: Numbers;
}

/** Bytes that the merged constants may take without being asked for. */
const FREE_BYTES = 1024;

function matchChain(node: Node, context: RewriteContext): Match {
  const last = linkOf(node);
  const middle = last && linkBefore(last);
  if (!last || !middle) return undefined;
  const dataType = last.dataType ?? middle.dataType;
  if (dataType === undefined) return undefined;
  const two = mergeTwo(middle, last, dataType);
  if (two === 'none') return 'its constant and the one before cancel out, or exceed the range of their type';
  if (two) return rewrite([middle, last], two, dataType, context);
  const first = linkBefore(middle);
  const three = first && mergeThree(first, middle, last, dataType);
  return three && rewrite([first, middle, last], three, dataType, context);
}

function linkBefore({ node, input }: Link): Link | undefined {
  return onlyConsumer(input) === node ? linkOf(input.producer) : undefined;
}

/** Undefined for steps of different kinds. */
function mergeTwo({ step: first }: Link, { step: last }: Link, dataType: DataTypeCode): Merged | 'none' | undefined {
  if (first.kind === 'times' && last.kind === 'times') {
    const factor = product(first.factor, last.factor, dataType);
    return factor ? { factor } : 'none';
  }
  if (first.kind !== 'plus' || last.kind !== 'plus') return undefined;
  const inner = { ...first.shift, values: first.shift.values.map((v) => v * last.sign) };
  const shift = sum(inner, last.shift, dataType);
  return shift ? { sign: first.sign * last.sign, shift } : 'none';
}

function mergeThree(first: Link, middle: Link, last: Link, dataType: DataTypeCode): Merged | undefined {
  const [a, b, c] = [first.step, middle.step, last.step];
  if (a.kind === 'times' && b.kind === 'plus' && c.kind === 'times') {
    const factor = product(a.factor, c.factor, dataType);
    const shift = product(b.shift, c.factor, dataType);
    return factor && shift && { factor: times(factor, b.sign), shift };
  }
  if (a.kind === 'plus' && b.kind === 'times' && c.kind === 'plus') {
    const inner = scaledShift(a.shift, times(b.factor, c.sign), dataType);
    const shift = inner && sum(inner, c.shift, dataType);
    return shift && { factor: times(b.factor, a.sign * c.sign), shift };
  }
  return undefined;
}

function times(numbers: Numbers, sign: number): Numbers {
  return sign === 1 ? numbers : { ...numbers, values: numbers.values.map((v) => v * sign) };
}

function rewrite(links: readonly Link[], merged: Merged, dataType: DataTypeCode, context: RewriteContext): Match {
  const factor = merged.factor && numbersTensor(dataType, merged.factor);
  const shift = merged.shift && numbersTensor(dataType, merged.shift);
  if ((merged.factor && !factor) || (merged.shift && !shift)) return 'its constants exceed the range of their type';
  const [first] = links;
  const last = links.at(-1);
  if (!first || !last) return undefined;
  const bytes = (factor?.byteLength ?? 0) + (shift?.byteLength ?? 0) - freedBytes(links);
  if (bytes > FREE_BYTES && !context.mayGrow(bytes))
    return 'the merged constants would be larger than the separate ones';
  return {
    nodes: links.map(({ node }) => node).reverse(),
    apply: () => write(first, last.node, factor, shift, merged.sign === -1),
  } satisfies Rewrite;
}

/** Bytes of constants that nobody else reads. */
function freedBytes(links: readonly Link[]): number {
  let bytes = 0;
  for (const { node, input } of links)
    for (const value of node.inputs)
      if (value && value !== input && value.uses.size === 1) bytes += constantBytes(value);
  return bytes;
}

function constantBytes(value: Value): number {
  return (value.tensor ?? value.producer?.tensor('value'))?.byteLength ?? 0;
}

function write(
  first: Link,
  last: Node,
  factor: Tensor | undefined,
  shift: Tensor | undefined,
  negative: boolean,
): Node | undefined {
  const { graph } = last;
  const { name } = last.output();
  let value = first.input;
  if (factor) {
    const constant = addConstant(graph, `${name}_factor`, factor, last);
    if (!shift) return takeOver(last, { opType: 'Mul', inputs: [value, constant] });
    const scaled = { name: `${name}_scaled` };
    value = graph
      .addNode({ opType: 'Mul', name: first.node.name, inputs: [value, constant], outputs: [scaled] }, last)
      .output();
  }
  if (!shift) return undefined;
  const constant = addConstant(graph, `${name}_shift`, shift, last);
  return takeOver(
    last,
    negative ? { opType: 'Sub', inputs: [constant, value] } : { opType: 'Add', inputs: [value, constant] },
  );
}
