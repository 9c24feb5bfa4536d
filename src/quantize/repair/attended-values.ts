/** Values of attention: their channels stand apart by heads, and come together again in the order in which they were. */
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';

/** Exchanges heads and positions of [batch, positions, heads, width]. */
const HEADS_FIRST = '0,2,1,3';

/**
 * What comes of values [batch, positions, channels] behind Reshape to heads, Transpose, the product with the weights of attention, Transpose and
 * Reshape: a factor of a channel passes through. Undefined where `reshape` does not begin such a way, or something else reads a part of it.
 */
export function attendedValues(reshape: Node, channels: number): Value | undefined {
  const heads = reshape.is('Reshape') ? reshape.output() : undefined;
  if (!heads || !endsIn(heads, channels, 2)) return undefined;
  const turned = transposed(onlyReader(heads));
  const product = turned && onlyReader(turned);
  if (!turned || !product?.is('MatMul') || product.input(1) !== turned || constantTensor(product.input(0)))
    return undefined;
  const back = transposed(onlyReader(product.output()));
  const joined = back && onlyReader(back);
  if (!joined?.is('Reshape') || joined.input(0) !== back || !endsIn(joined.output(), channels, 1)) return undefined;
  return joined.output();
}

/** The values that `attended` comes of, where `attendedValues` of them is it. */
export function attendedFrom(attended: Value, channels: number): Value | undefined {
  let node = attended.producer;
  for (const [opType, slot] of WAY_BACK) {
    if (!node?.is(opType)) return undefined;
    node = node.input(slot)?.producer;
  }
  const values = node?.is('Reshape') ? node.input(0) : undefined;
  return node && values && attendedValues(node, channels) === attended ? values : undefined;
}

/** From the last Reshape to the first, and the inputs on the way. */
const WAY_BACK: readonly (readonly [opType: string, slot: number])[] = [
  ['Reshape', 0],
  ['Transpose', 0],
  ['MatMul', 1],
  ['Transpose', 0],
];

function onlyReader(value: Value): Node | undefined {
  const [use] = value.uses;
  return value.uses.size === 1 && !value.isGraphOutput && use?.node.graph === value.graph ? use.node : undefined;
}

function transposed(node: Node | undefined): Value | undefined {
  return node?.is('Transpose') && node.ints('perm')?.join() === HEADS_FIRST ? node.output() : undefined;
}

/** Whether the last `count` dimensions are the channels. */
function endsIn({ type }: Value, channels: number, count: number): boolean {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  if (!shape || shape.length !== count + 2) return false;
  return (
    shape.slice(-count).reduce((product: number, dim) => product * (typeof dim === 'number' ? dim : Number.NaN), 1) ===
    channels
  );
}
