import { copyInitializers, copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { insideFunction } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { giveOutput } from '../nodes.js';

/**
 * If(true, A, B) = A and If(false, A, B) = B: the nodes of the branch replace the If.
 *
 * Fires when the condition is a constant with one element. Refuses a branch with initializers inside a local function,
 * which cannot have any. Numerics: exact. Reference: ONNX operator If.
 */
export const inlineIf = defineRewrite<object>({
  name: 'inline-if',
  summary: 'Replaces an If whose condition is constant with the branch that it takes.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['If'],
  rules: () => ({ match: matchIf }),
});

function matchIf(node: Node, context: RewriteContext): Match {
  const condition = context.constant(node.input(0)) ?? undefined;
  const known = condition?.size === 1 ? condition.bytes()[0] : context.elements(node.input(0))?.items[0];
  if (typeof known !== 'number') return 'its condition is not constant';
  const name = known !== 0 ? 'then_branch' : 'else_branch';
  const value = node.attributes.get(name)?.value;
  if (value?.kind !== 'graph') return `it has no ${name}`;
  const branch = value.value;
  if (branch.inputs.length > 0 || branch.outputs.length < node.outputs.length)
    return `its ${name} has another interface`;
  if (branch.initializers.size > 0 && insideFunction(node.graph)) return 'its branch has initializers';
  return {
    nodes: [node],
    detail: `${name}, ${branch.nodes.size} nodes`,
    apply() {
      inlineBody(branch, node, new Map());
      return undefined;
    },
  };
}

/** Copies the body of a subgraph before `node` and gives its outputs to the readers of the node's outputs. */
function inlineBody(body: Graph, node: Node, mapping: ValueMapping): void {
  copyInitializers(body, node.graph, mapping);
  copyNodes(body.nodes, node.graph, mapping, { before: node });
  for (const [index, output] of node.outputs.slice().entries()) {
    const result = body.outputs[index];
    if (output && result) giveOutput(node, output, mapping.get(result) ?? result);
  }
}
