/** Products of two activations, such as the two of attention, and which of them belong together. */
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { constantTensor, walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { isObservable } from './expose-ranges.js';

/** Products that a runtime fuses into one kernel: all of them are quantized, or none. */
export interface ProductUnit {
  /** In graph order. */
  readonly nodes: readonly Node[];
}

/** Operators between the two products of attention: scaling, mask, Softmax and moves. */
const BETWEEN = new Set([
  ...['Softmax', 'Add', 'Mul', 'Div', 'Sub', 'Where', 'Cast', 'Clip', 'Max', 'Min', 'Dropout', 'Identity'],
  ...['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Expand', 'Slice'],
]);

/** Nodes that are looked at on the way from one product back to another. */
const MOST_BETWEEN = 24;

/** A MatMul of two FLOAT values that are computed. */
export function isActivationProduct(node: Node): boolean {
  if (!node.is('MatMul') || node.domain !== '') return false;
  return [0, 1].every((slot) => {
    const value = node.input(slot);
    if (!value || constantTensor(value)) return false;
    return value.type === undefined || (value.type.kind === 'tensor' && value.type.dataType === DataType.FLOAT);
  });
}

/** The products of a model whose operands can be observed; those of one attention, joined by its Softmax, are one unit. */
export function productUnits(model: Model): readonly ProductUnit[] {
  const units: Node[][] = [];
  const unitOf = new Map<Node, Node[]>();
  for (const graph of walkGraphs(model.graph)) {
    if (!isObservable(graph)) continue;
    for (const node of graph.nodes) {
      if (!isActivationProduct(node)) continue;
      const first = scoresOf(node);
      const unit = (first && unitOf.get(first)) ?? [];
      if (unit.length === 0) units.push(unit);
      unit.push(node);
      unitOf.set(node, unit);
    }
  }
  return units.map((nodes) => ({ nodes }));
}

/** The product that gives the scores which weigh the values of `product`; undefined where no Softmax lies between two. */
function scoresOf(product: Node): Node | undefined {
  const seen = new Set<Node>();
  const pending = [{ node: product.input(0)?.producer, softmax: false }];
  for (let next = pending.shift(); next && seen.size < MOST_BETWEEN; next = pending.shift()) {
    const { node } = next;
    if (!node || seen.has(node)) continue;
    if (isActivationProduct(node)) return next.softmax ? node : undefined;
    if (node.domain !== '' || !BETWEEN.has(node.opType)) continue;
    seen.add(node);
    const softmax = next.softmax || node.is('Softmax');
    for (const input of node.inputs) pending.push({ node: input?.producer, softmax });
  }
  return undefined;
}
