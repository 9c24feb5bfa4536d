import { bug } from '../../../errors.js';
import type { Node } from '../../../ir/node.js';
import { type Shape, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { ELEMENTWISE_BROADCAST, ELEMENTWISE_UNARY, MAC_OPERATORS } from '../../../ops/traits.js';
import { sameAttributes } from '../../attribute-key.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, releaseOutputs } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { isView } from '../views/view-shapes.js';

/**
 * One elementwise operator instead of several alike: f of all outputs of a Split is the Split of f, a Concat of f of
 * each is f of the Concat, and f of several views or Transposes of one value are these of f of the value.
 *
 * Fires for operators of one input, or with operands of one element, that have the same attributes and operands, when
 * nothing else reads the values between. Does not merge activations of convolutions, products and additions before a
 * Concat: runtimes compute it along with these. Numerics: reassociates; each element is computed as before, but kernels
 * may round the last elements of a tensor differently.
 */
export const fuseParallelElementwise = defineRewrite<object>({
  name: 'fuse-parallel-elementwise',
  summary: 'Computes an elementwise operator once instead of once for each slice or view of a value.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Split', 'Concat', 'Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'],
  rules: () => ({
    match: (node, context) =>
      node.is('Split') ? matchSplit(node) : node.is('Concat') ? matchConcat(node) : matchView(node, context),
  }),
});

/** The slot of a value at a node that computes each of its elements alone, without regard to where it stands. */
function elementwiseSlot(node: Node, value: Value): number | undefined {
  if (node.domain !== '' || hasReference(node) || node.outputs.length !== 1 || node.is('Identity')) return undefined;
  if (ELEMENTWISE_UNARY.has(node.opType)) return node.input(0) === value ? 0 : undefined;
  if (!ELEMENTWISE_BROADCAST.has(node.opType)) return undefined;
  const slots = node.inputs.flatMap((input, slot) => (input === value ? [slot] : []));
  const rank = shapeOf(value)?.length ?? 0;
  const isScalar = (input: Value | undefined) => {
    const shape = shapeOf(input);
    return shape !== undefined && shape.length <= Math.min(rank, 1) && shape.every((dim) => dim === 1);
  };
  return slots.length === 1 && node.inputs.every((input) => input === value || isScalar(input)) ? slots[0] : undefined;
}

/** The same computation of another value at this slot. */
function isAlike(a: Node, b: Node, slot: number): boolean {
  return (
    a.opType === b.opType &&
    a.domain === b.domain &&
    a.inputs.length === b.inputs.length &&
    a.inputs.every((input, at) => at === slot || input === b.input(at)) &&
    sameAttributes(a, b)
  );
}

/** The one reader of each value, where all of them compute the same. */
function alikeReaders(
  values: readonly (Value | undefined)[],
): { readonly nodes: Node[]; readonly slot: number } | undefined {
  const nodes: Node[] = [];
  let slot: number | undefined;
  for (const value of values) {
    const reader = value && onlyConsumer(value);
    const own = value && reader && elementwiseSlot(reader, value);
    const [first] = nodes;
    if (!reader || own === undefined || own !== (slot ?? own) || (first && !isAlike(first, reader, own)))
      return undefined;
    slot = own;
    nodes.push(reader);
  }
  return slot === undefined ? undefined : { nodes, slot };
}

/** A node that computes what `like` does of `value`, before `place`. */
function compute(like: Node, slot: number, value: Value, place: Node): Value {
  const inputs = like.inputs.map((input, at) => (at === slot ? value : input));
  const name = `${value.name}_${like.opType}`;
  const output = { name, type: typeLike(like, shapeOf(value)) };
  const attributes = [...like.attributes.values()];
  return place.graph.addNode({ opType: like.opType, name, inputs, outputs: [output], attributes }, place).output();
}

function typeLike(node: Node, shape: Shape): ReturnType<typeof tensorType> | undefined {
  const dataType = dataTypeOf(node.output());
  return dataType === undefined ? undefined : tensorType(dataType, shape);
}

/** Lets `producer` compute output `index` as what `reader` computed of it. */
function takeOutput(producer: Node, index: number, reader: Node): void {
  const before = producer.output(index);
  const [output] = releaseOutputs(reader);
  producer.setOutput(index, output);
  producer.graph.forget(before);
}

function matchSplit(node: Node): Match {
  const source = node.input(0);
  const found = source && node.outputs.length > 1 ? alikeReaders(node.outputs) : undefined;
  if (!found) return undefined;
  return {
    nodes: [...found.nodes, node],
    apply() {
      const [first] = found.nodes;
      if (first) node.setInput(0, compute(first, found.slot, source as Value, node));
      for (const [index, reader] of found.nodes.entries()) takeOutput(node, index, reader);
      return node;
    },
  };
}

/** Operators whose runtime kernels take an activation along. */
const TAKES_ACTIVATION: ReadonlySet<string> = new Set([...MAC_OPERATORS, 'Add', 'BatchNormalization']);

function matchConcat(node: Node): Match {
  const producers = node.inputs.map((value) => (value && onlyConsumer(value) === node ? value.producer : undefined));
  const [first] = producers;
  const slot = first && dataSlot(first);
  if (!first || slot === undefined || producers.length < 2 || new Set(producers).size < producers.length)
    return undefined;
  for (const producer of producers) {
    const value = producer?.input(slot);
    if (!producer || !value || elementwiseSlot(producer, value) !== slot || !isAlike(first, producer, slot))
      return undefined;
    if (value.producer && TAKES_ACTIVATION.has(value.producer.opType)) return undefined;
  }
  return {
    nodes: [...producers.filter((producer) => producer !== undefined), node],
    apply() {
      const inputs = producers.map((producer) => producer?.input(slot));
      const name = `${node.output().name}_parts`;
      const dataType = dataTypeOf(inputs[0]);
      const type = dataType === undefined ? undefined : tensorType(dataType, shapeOf(node.output()));
      const attributes = [...node.attributes.values()];
      const spec = { opType: 'Concat', name: node.name, inputs, outputs: [{ name, type }], attributes };
      const whole = node.graph.addNode(spec, node).output();
      const computed = first.inputs.map((input, at) => (at === slot ? whole : input));
      const place = node.next;
      const [output] = releaseOutputs(node);
      return node.graph.addNode(
        {
          opType: first.opType,
          name: first.name,
          inputs: computed,
          outputs: output ? [output] : [],
          attributes: [...first.attributes.values()],
        },
        place,
      );
    },
  };
}

/** The slot of the one input that is not an operand of one element. */
function dataSlot(node: Node): number | undefined {
  if (ELEMENTWISE_UNARY.has(node.opType)) return 0;
  const slots = node.inputs.flatMap((input, slot) => {
    const shape = shapeOf(input);
    return shape?.every((dim) => dim === 1) && shape.length < 2 ? [] : [slot];
  });
  return slots.length === 1 ? slots[0] : undefined;
}

/** Views of one value of which each is read by the same computation; or one, and the computation of the value itself. */
function matchView(node: Node, context: RewriteContext): Match {
  const source = node.input(0);
  const [reader, slot] = viewReader(node) ?? [];
  if (!source || !reader || slot === undefined) return undefined;
  if (!context.maySearch(source.uses.size)) return undefined;
  const views: Node[] = [];
  const readers: Node[] = [];
  let direct: Node | undefined;
  for (const { node: other, slot: at } of source.uses) {
    if (other.graph !== node.graph) continue;
    if (elementwiseSlot(other, source) === slot && isAlike(reader, other, slot)) direct = other;
    const [own, ownSlot] = at === 0 ? (viewReader(other) ?? []) : [];
    if (!own || ownSlot !== slot || !isAlike(reader, own, slot)) continue;
    views.push(other);
    readers.push(own);
  }
  if (views.length < (direct ? 1 : 2) || !context.maySearch(node.graph.nodes.size)) return undefined;
  return {
    nodes: [...readers, ...views],
    apply() {
      const place = firstOf(direct ? [...views, direct] : views);
      const computed = direct ? moveBefore(direct, place) : compute(reader, slot, source, place);
      for (const [at, view] of views.entries()) {
        view.setInput(0, computed);
        takeOutput(view, 0, readers[at] as Node);
      }
      return computed.producer;
    },
  };
}

/** Puts a node before another one, and gives its output. */
function moveBefore(node: Node, place: Node): Value {
  if (node === place) return node.output();
  const { opType, name } = node;
  const inputs = [...node.inputs];
  const attributes = [...node.attributes.values()];
  const moved = place.graph.addNode({ opType, name, inputs, outputs: [], attributes }, place);
  for (const output of releaseOutputs(node)) moved.addOutput(output);
  return moved.output();
}

/** The node that computes each element of what a view gives, and nothing else reads. */
function viewReader(view: Node): readonly [reader: Node, slot: number] | undefined {
  const value = view.outputs[0];
  const reader = value && (isView(view) || view.is('Transpose')) ? onlyConsumer(value) : undefined;
  const slot = value && reader && elementwiseSlot(reader, value);
  return reader && slot !== undefined ? [reader, slot] : undefined;
}

/** The first of some nodes of a graph. */
function firstOf(nodes: readonly Node[]): Node {
  const [any] = nodes;
  const wanted = new Set(nodes);
  for (const node of any?.graph.nodes ?? []) if (wanted.has(node)) return node;
  throw bug('a node is not in its graph');
}
