import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { allGraphs } from '../../../ir/walk.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { SweepContext } from '../../engine/rewrite.js';
import { rankOf } from '../../types.js';
import { invertPerm, isIdentityPerm, type Perm, permOf } from './perms.js';
import { TransposeEdits } from './transpose-edits.js';
import { TransposeRegion } from './transpose-region.js';

/**
 * Moves Transposes past operators that compute in any order of axes, where that leaves fewer of them:
 * Transpose(Relu(Transpose(x))) = Relu(x) when the two undo each other. Such operators are elementwise ones, Concat,
 * Split, Slice, Pad, Tile, reductions, ArgMax, Softmax, Squeeze, Unsqueeze, Gather, quantization, MatMul over its last
 * axes and LayerNormalization; constants are transposed with them.
 *
 * Looks at all values that are connected by such operators with one Transpose, and determines which of them to store in
 * its order by a minimum cut, so that as few Transposes as possible are left. Fires when these are fewer than before.
 * Does nothing where ranks or axes are unknown, and keeps constants with other readers when the model may not grow.
 * Numerics: reassociates, where sums go over the axes in another order.
 */
export const sinkTransposes = defineRewrite<object>({
  name: 'sink-transposes',
  summary: 'Moves Transposes past other operators so that they cancel out.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [],
  rules: () => ({ sweep: sinkAll }),
});

function sinkAll(context: SweepContext): void {
  for (const graph of allGraphs(context.model)) {
    const seen = new Map<Value, Set<string>>();
    while (sinkOne(graph, seen, context)) seen.clear();
  }
}

/** Makes the first improvement of a graph; false when there is none. */
function sinkOne(graph: Graph, seen: Map<Value, Set<string>>, context: SweepContext): boolean {
  // Each improvement starts the search anew.
  if (!context.maySearch(graph.nodes.size)) return false;
  for (const node of graph.nodes) {
    const perm = permOf(node, rankOf(node.input(0)) ?? rankOf(node.outputs[0]));
    if (!perm || isIdentityPerm(perm)) continue;
    const [input, output] = [node.input(0), node.outputs[0]];
    if (output && improve(graph, node, output, perm, seen, context)) return true;
    if (input && !context.constant(input) && improve(graph, node, input, invertPerm(perm), seen, context)) return true;
  }
  return false;
}

function improve(
  graph: Graph,
  transpose: Node,
  start: Value,
  perm: Perm,
  seen: Map<Value, Set<string>>,
  context: SweepContext,
): boolean {
  const key = perm.join();
  if (seen.get(start)?.has(key)) return false;
  const region = new TransposeRegion(graph, start, perm, context);
  for (const [value, own] of region.perms) {
    const keys = seen.get(value);
    if (keys) keys.add(own.join());
    else seen.set(value, new Set([own.join()]));
  }
  if (!context.maySearch(region.perms.size + region.moved.size)) return false;
  const { nodes, gain } = region.best();
  if (gain <= 0 || nodes.size === 0) return false;
  const transposes = new Set([transpose, ...transposesAround(region)]);
  return context.perform({
    nodes: [...transposes],
    detail: `past ${nodes.size} ${nodes.size === 1 ? 'node' : 'nodes'}`,
    apply() {
      new TransposeEdits(region, nodes, context).apply();
      return undefined;
    },
  });
}

function* transposesAround(region: TransposeRegion): Generator<Node> {
  for (const value of region.perms.keys()) {
    const maker = region.transposedBy(value);
    if (maker) yield maker;
    for (const { node } of value.uses) if (node.is('Transpose') && node.graph === region.graph) yield node;
  }
}
