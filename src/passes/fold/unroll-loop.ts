import { attribute } from '../../ir/attribute.js';
import { copyInitializers, copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, insideFunction } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { giveOutput } from '../nodes.js';

export interface UnrollLoopOptions {
  /** Nodes, those of subgraphs included, that all iterations together may make. */
  readonly maxNodes: number;
}

/**
 * Loop(M, true, v₀; body) = body(M − 1, … body(1, body(0, v₀))): each iteration becomes nodes of the graph around,
 * where constants fold and unused nodes are removed. Scan outputs are joined by Concat.
 *
 * Fires when the trip count is constant, nothing can end the loop early, and the iterations have at most `maxNodes`
 * nodes. Refuses otherwise, and where a carried value or scan output is not a tensor. Numerics: exact. Reference: ONNX
 * operator Loop.
 */
export const unrollLoop = defineRewrite<UnrollLoopOptions>({
  name: 'unroll-loop',
  summary: 'Unrolls a Loop with a small constant trip count.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: { maxNodes: { description: 'limit on the nodes of all iterations together', default: 128 } },
  roots: ['Loop'],
  rules: ({ maxNodes }) => ({ match: (node, context) => matchLoop(node, context, maxNodes) }),
});

function matchLoop(node: Node, context: RewriteContext, maxNodes: number): Match {
  const value = node.attributes.get('body')?.value;
  if (value?.kind !== 'graph') return undefined;
  const body = value.value;
  const trips = node.input(0) ? context.elements(node.input(0))?.items[0] : undefined;
  if (typeof trips !== 'number' || trips < 0) return 'its trip count is not constant';
  const start = node.input(1) ? context.elements(node.input(1))?.items[0] : 1;
  if (start !== 1 && start !== 0) return 'its first condition is not constant';
  const count = start === 0 ? 0 : trips;
  const carried = node.inputs.length - 2;
  const condition = body.outputs[0];
  if (body.inputs.length !== carried + 2 || !condition) return 'its body has another interface';
  if (count > 1 && behindIdentities(condition) !== body.inputs[1] && context.elements(condition)?.items[0] !== 1)
    return 'its body may end it early';
  const size = nodesIn(body) * count;
  if (size > maxNodes) return `${count} iterations would add ${size} nodes`;
  const scans = body.outputs.slice(carried + 1);
  if (scans.length > 0 && count === 0) return 'it has scan outputs but no iterations';
  if (scans.some((scan) => scan.type?.kind !== 'tensor')) return 'a scan output may not be a tensor';
  if (node.inputs.slice(2).some((input) => !input)) return 'a carried value is omitted';
  if (body.initializers.size > 0 && insideFunction(node.graph)) return 'its body has initializers';
  if (context.opset(node) < 13 && scans.length > 0) return 'its scan outputs need opset 13 or later';
  return {
    nodes: [node],
    detail: `${count} iterations`,
    apply() {
      unroll(node, body, count);
      return undefined;
    },
  };
}

function behindIdentities(value: Value): Value {
  let current = value;
  for (let input = current.producer?.is('Identity') ? current.producer.input(0) : undefined; input; ) {
    current = input;
    input = current.producer?.is('Identity') ? current.producer.input(0) : undefined;
  }
  return current;
}

function nodesIn(body: Graph): number {
  let nodes = 0;
  for (const graph of walkGraphs(body)) nodes += graph.nodes.size;
  return nodes;
}

function unroll(node: Node, body: Graph, count: number): void {
  const { graph } = node;
  const label = node.name || node.opType;
  const carriedCount = node.inputs.length - 2;
  let carried: (Value | undefined)[] = node.inputs.slice(2);
  const scans: Value[][] = body.outputs.slice(carriedCount + 1).map(() => []);
  const shared: ValueMapping = new Map();
  copyInitializers(body, graph, shared);
  const truth = Tensor.of(DataType.BOOL, [], Uint8Array.of(1));
  for (let iteration = 0; iteration < count; iteration++) {
    const mapping: ValueMapping = new Map(shared);
    const [number, condition, ...inputs] = body.inputs;
    if (number && number.uses.size > 0)
      mapping.set(number, addConstant(graph, `${label}_iteration`, Tensor.int64([iteration], []), node));
    if (condition && (condition.uses.size > 0 || condition.isGraphOutput))
      mapping.set(condition, addConstant(graph, `${label}_condition`, truth, node));
    for (const [index, input] of inputs.entries()) mapping.set(input, carried[index]);
    copyNodes(body.nodes, graph, mapping, { before: node, namePrefix: `${label}/${iteration}/` });
    const results = body.outputs.map((output) => (mapping.has(output) ? mapping.get(output) : output));
    carried = results.slice(1, carriedCount + 1);
    for (const [index, list] of scans.entries()) {
      const result = results[carriedCount + 1 + index];
      if (result) list.push(unsqueezed(result, node));
    }
  }
  for (const [index, output] of node.outputs.slice().entries()) {
    if (!output) continue;
    const list = scans[index - carriedCount];
    const result = list ? joined(list, node) : carried[index];
    if (result) giveOutput(node, output, result);
  }
}

function unsqueezed(value: Value, before: Node): Value {
  const axes = addConstant(before.graph, 'scan_axes', Tensor.int64([0]), before);
  const spec = { opType: 'Unsqueeze', inputs: [value, axes], outputs: [{ name: `${value.name}_row` }] };
  return before.graph.addNode(spec, before).output();
}

function joined(parts: readonly Value[], before: Node): Value {
  const attributes = [attribute('axis', 0)];
  const spec = { opType: 'Concat', inputs: parts, outputs: [{ name: 'scan' }], attributes };
  return before.graph.addNode(spec, before).output();
}
