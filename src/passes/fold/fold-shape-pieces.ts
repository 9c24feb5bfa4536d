import { type Attribute, attribute } from '../../ir/attribute.js';
import type { NodeSpec } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { releaseInputs } from '../eliminate/release-inputs.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { takeOver } from '../nodes.js';
import { dataTypeOf } from '../types.js';
import { findRun, type ShapeRun } from './shape-runs.js';

/**
 * Consecutive sizes of a shape are read with one operator: `Unsqueeze(Gather(Shape(x), 1))` and `Slice(Shape(x), 1, 2)`
 * are `Shape<start=1, end=2>(x)`, two such in a row in a Concat are one, and a single size that was computed in more
 * steps is `Gather(Shape(x), 1)`.
 *
 * Fires when shape inference knows the sizes, symbolic ones included, they are in the shape of a tensor that the node
 * reads, and some node in between has no other use. Refuses nothing. Numerics: exact.
 */
export const foldShapePieces = defineRewrite<object>({
  name: 'fold-shape-pieces',
  summary: 'Reads consecutive sizes of a shape with one Shape.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  // Shape has `start` and `end` from opset 15 on.
  opset: [15, null],
  options: {},
  roots: ['Gather', 'Slice', 'Concat', 'Unsqueeze', 'Squeeze', 'Reshape', 'Cast', 'Mul', 'Div', 'Add', 'Sub', 'Where'],
  rules: () => ({ match: matchPieces }),
});

function matchPieces(node: Node, context: RewriteContext): Match {
  const output = node.outputs[0];
  if (!output || dataTypeOf(output) !== DataType.INT64 || hasReference(node)) return undefined;
  const elements = context.elements(output);
  if (!elements || elements.items.length === 0 || elements.items.every((item) => typeof item === 'number'))
    return undefined;
  if (elements.dims.length > 1) return undefined;
  const run = leavesSomething(node) ? findRun(node, elements.items) : undefined;
  if (run && elements.dims.length === 1) return { nodes: [node], apply: () => replace(node, shapeSpec(run)) };
  if (run?.whole && !readsShape(node)) return { nodes: [node], apply: () => replace(node, gatherSpec(node, run)) };
  return node.is('Concat') ? matchNeighbours(node, context) : undefined;
}

/** Whether something that feeds the node is computed for it alone. */
function leavesSomething(node: Node): boolean {
  return node.inputs.some((input) => input?.producer !== undefined && isFor(input, node));
}

function isFor(value: Value, node: Node): boolean {
  if (value.isGraphOutput || value.pinned) return false;
  for (const use of value.uses) if (use.node !== node) return false;
  return true;
}

function readsShape(node: Node): boolean {
  return node.is('Gather') && (node.input(0)?.producer?.is('Shape') ?? false);
}

function replace(node: Node, spec: Omit<NodeSpec, 'outputs'>): Node {
  return releaseInputs(node, () => takeOver(node, spec));
}

function shapeSpec(run: ShapeRun): Omit<NodeSpec, 'outputs'> {
  const attributes: Attribute[] = [];
  if (run.start > 0) attributes.push(attribute('start', run.start));
  if (run.end < run.rank) attributes.push(attribute('end', run.end));
  return { opType: 'Shape', inputs: [run.source], attributes };
}

function gatherSpec(node: Node, run: ShapeRun): Omit<NodeSpec, 'outputs'> {
  const place = addConstant(node.graph, `${node.output().name}_axis`, Tensor.int64([run.start], []), node);
  return { opType: 'Gather', inputs: [run.whole, place], attributes: [attribute('axis', 0)] };
}

/** Two inputs of a Concat, next to each other and computed for it alone, that are a run of sizes together. */
function matchNeighbours(node: Node, context: RewriteContext): Match {
  for (let slot = 0; slot + 1 < node.inputs.length; slot++) {
    const [left, right] = [node.input(slot), node.input(slot + 1)];
    if (!left?.producer || !right?.producer || !isFor(left, node) || !isFor(right, node)) continue;
    const items = [
      ...(context.elements(left)?.items ?? [undefined]),
      ...(context.elements(right)?.items ?? [undefined]),
    ];
    const run = items.includes(undefined) ? undefined : findRun(node, items);
    if (run) return { nodes: [node, left.producer, right.producer], apply: () => joinInputs(node, slot, run) };
  }
  return undefined;
}

function joinInputs(node: Node, slot: number, run: ShapeRun): Node {
  const spec = {
    ...shapeSpec(run),
    outputs: [{ name: `${node.output().name}_sizes`, type: tensorType(DataType.INT64, [run.end - run.start]) }],
  };
  const joined = node.graph.addNode(spec, node).output();
  const inputs = node.inputs.slice();
  inputs.splice(slot, 2, joined);
  releaseInputs(node, () => node.setInputs(inputs));
  return node;
}
