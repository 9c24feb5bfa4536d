import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import type { Dim } from '../ir/type.js';
import { formatType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { nodeCost } from '../ops/cost.js';
import { inferTypes } from '../ops/infer-types.js';
import { elementCount } from '../tensor/tensor.js';

/** A part of a network that a sum leads around: y = x + f(x). Without it, y is x. */
export interface ResidualBlock {
  /** The last of its layers, in the order of the network. */
  readonly name: string;
  /** The sum. */
  readonly sum: Node;
  /** Which input of the sum hands the input of the block on. */
  readonly slot: number;
  /** All nodes that nothing needs without the block, in the order of the network. */
  readonly nodes: readonly Node[];
  /** Those of them that have weights. */
  readonly layers: readonly Node[];
}

/** A layer with weights that is in no block that can be dropped, and why. */
export interface LayerOutside {
  readonly node: Node;
  readonly reason: string;
}

export interface ResidualBlocks {
  /** In the order of the network; none is part of another. */
  readonly blocks: readonly ResidualBlock[];
  readonly outside: readonly LayerOutside[];
}

/** Operators that hand on what they read, in another type or none. */
const CARRIERS: ReadonlySet<string> = new Set(['Identity', 'Dropout', 'Cast', 'QuantizeLinear', 'DequantizeLinear']);

/** Operators with a sum inside that cannot be taken out. */
const FUSED_SUMS: ReadonlySet<string> = new Set([
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
  'SkipGroupNorm',
  'FusedConv',
]);

/**
 * Blocks of the main graph that can be dropped: a sum of two tensors, one of which the other is computed from, where the first
 * has the type and the shape of the sum. Nothing is known of architectures: residual blocks of convolutions, attention and
 * feed-forward layers are found alike. Infers the types of the model.
 */
export function residualBlocks(model: Model): ResidualBlocks {
  inferTypes(model);
  const places = new Map([...model.graph.nodes].map((node, at) => [node, at]));
  const found: ResidualBlock[] = [];
  const reasons = new Map<Node, string>();
  const refuse = (nodes: readonly Node[], reason: string): void => {
    for (const node of nodes) if (!reasons.has(node)) reasons.set(node, reason);
  };
  for (const node of model.graph.nodes) {
    if (FUSED_SUMS.has(node.opType) && node.domain !== '') {
      const inner = [0, 1].flatMap((slot) => layersOf(neededOnlyFor(node, slot, places)));
      refuse(inner, `the sum around it is a part of ${node.opType} ${nodeLabel(node)}`);
      continue;
    }
    if ((!node.is('Add') && !node.is('Sum')) || node.inputs.length !== 2) continue;
    if (node.inputs.some((value) => !value || constantTensor(value))) continue;
    const slot = [0, 1].find((at) => leadsAround(node, at, places));
    if (slot === undefined) {
      const [a, b] = [0, 1].map((at) => layersOf(neededOnlyFor(node, at, places)));
      if (a?.length && b?.length)
        refuse(
          [...a, ...b],
          `both sides of the sum ${nodeLabel(node)} compute: neither hands the input of the block on as it is`,
        );
      continue;
    }
    const nodes = neededOnlyFor(node, 1 - slot, places);
    const layers = layersOf(nodes);
    const name = layers.at(-1);
    if (name === undefined) continue;
    const shape = whyOtherShape(node.input(slot), node.output());
    if (shape !== undefined) refuse(layers, `${shape} (${node.opType} ${nodeLabel(node)})`);
    else found.push({ name: nodeLabel(name), sum: node, slot, nodes, layers });
  }
  const blocks = found.filter((block) => {
    const own = new Set(block.nodes);
    const inner = found.filter(({ sum }) => own.has(sum)).length;
    if (inner > 0) refuse(block.layers, `the block around it has ${inner} blocks inside that can be dropped`);
    return inner === 0;
  });
  const inBlocks = new Set(blocks.flatMap(({ layers }) => layers));
  const outside = [...model.graph.nodes].flatMap((node) =>
    !inBlocks.has(node) && hasWeights(node) ? [{ node, reason: reasons.get(node) ?? 'no sum leads around it' }] : [],
  );
  return { blocks, outside };
}

type Places = ReadonlyMap<Node, number>;

/** Whether the other input is computed from this one, which carriers may have brought here. */
function leadsAround(sum: Node, slot: number, places: Places): boolean {
  const roots = new Set<Value>();
  for (let value = sum.input(slot); value && !constantTensor(value); ) {
    roots.add(value);
    const { producer } = value;
    value = producer && CARRIERS.has(producer.opType) ? producer.input(0) : undefined;
  }
  // What stands before all roots cannot depend on any of them.
  const first = Math.min(...[...roots].map(({ producer }) => (producer ? (places.get(producer) ?? 0) : -1)));
  const seen = new Set<Node>();
  const waiting = [sum.input(1 - slot)];
  for (let value = waiting.pop(); waiting.length > 0 || value; value = waiting.pop()) {
    if (!value) continue;
    if (roots.has(value)) return true;
    const { producer } = value;
    if (!producer || seen.has(producer) || (places.get(producer) ?? -1) < first) continue;
    seen.add(producer);
    waiting.push(...producer.inputs);
  }
  return false;
}

/** Nodes of whose results nothing is used once an input of a node is gone, in the order of the network. */
function neededOnlyFor(node: Node, slot: number, places: Places): Node[] {
  const gone = new Set<Node>([node]);
  const waiting = new Set<Node>();
  const take = (value: Value | undefined): void => {
    if (value?.producer && places.has(value.producer)) waiting.add(value.producer);
  };
  take(node.input(slot));
  while (waiting.size > 0) {
    // The last one first: all that reads it has been decided by then.
    const next = [...waiting].reduce((a, b) => ((places.get(a) ?? 0) > (places.get(b) ?? 0) ? a : b));
    waiting.delete(next);
    if (!next.outputs.every((value) => !value || isNeededOnlyBy(value, gone, node, slot))) continue;
    gone.add(next);
    for (const input of next.inputs) take(input);
  }
  gone.delete(node);
  return [...gone].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}

function isNeededOnlyBy(value: Value, gone: ReadonlySet<Node>, sum: Node, slot: number): boolean {
  if (value.isGraphOutput) return false;
  for (const use of value.uses) if (!gone.has(use.node) || (use.node === sum && use.slot !== slot)) return false;
  return true;
}

function layersOf(nodes: readonly Node[]): Node[] {
  return nodes.filter(hasWeights);
}

/** Whether a node multiplies by constants: also by those that views or conversions bring. */
export function hasWeights(node: Node): boolean {
  if (nodeCost(node).macs === 0) return false;
  return node.inputs.some((value) => isWeight(value));
}

const VIEWS: ReadonlySet<string> = new Set(['Transpose', 'Reshape', ...CARRIERS]);

function isWeight(value: Value | undefined): boolean {
  let at = value;
  while (at && !constantTensor(at))
    at = at.producer && VIEWS.has(at.producer.opType) ? at.producer.input(0) : undefined;
  const dims = constantTensor(at)?.dims;
  return dims !== undefined && dims.length >= 2 && elementCount(dims) > 1;
}

/** Sizes that are not known are taken as equal: the result is run, at several sizes where they are open. */
function whyOtherShape(x: Value | undefined, y: Value): string | undefined {
  const [a, b] = [x?.type, y.type];
  if (a?.kind !== 'tensor' || b?.kind !== 'tensor' || !a.shape || !b.shape)
    return 'the shape of its input is not known';
  const isEqual =
    a.dataType === b.dataType &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, at) => mayEqual(dim, b.shape?.[at]));
  return isEqual ? undefined : `its input is ${formatType(a)} and its result ${formatType(b)}`;
}

function mayEqual(a: Dim, b: Dim): boolean {
  return a === b || (a !== 1 && (typeof a !== 'number' || typeof b !== 'number'));
}
