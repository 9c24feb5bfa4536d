import type { Node } from '../ir/node.js';

/** Operators that read a constant element by element, or as a state to start from; from which input on. */
const APART: ReadonlyMap<string, number> = new Map([
  ...'Add And Concat Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow PRelu Sub Sum Where Xor'
    .split(' ')
    .map((name) => [name, 0] as const),
  ...'LSTM GRU RNN'.split(' ').map((name) => [name, 3] as const),
]);

/**
 * Whether a constant is cut for each reader apart from the others: rows, columns and channel vectors, masks and states.
 * Exporters share those of equal values between layers that have nothing to do with each other. Weights that layers share stay
 * shared.
 */
export function isReadApart(node: Node, slot: number, dims: readonly number[]): boolean {
  if (dims.filter((size) => size > 1).length <= 1) return true;
  const from = node.domain === '' ? APART.get(node.opType) : undefined;
  return from !== undefined && slot >= from;
}
