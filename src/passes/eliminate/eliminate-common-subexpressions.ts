import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { opSchema } from '../../ops/schema.js';
import { COMMUTATIVE, isDeterministic, MAC_OPERATORS } from '../../ops/traits.js';
import { attributesKey, sameTensorAttributes } from '../attribute-key.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { SweepContext } from '../engine/rewrite.js';
import { forward, whyNotForwardable } from '../nodes.js';
import { type VisibleTable, visitInScope } from './visible-table.js';

export interface EliminateCommonSubexpressionsOptions {
  /** Also Conv, MatMul and their like. Before what follows them is folded into their weights, sharing them is in the way of that. */
  readonly heavy: boolean;
}

/**
 * Of two nodes with the same operator, inputs and attributes the first stays, and the readers of the second read it
 * instead.
 *
 * Fires in all graphs, and where a subgraph repeats a node of an enclosing graph. Inputs of commutative operators may
 * be swapped; tensors in attributes are compared bit for bit; an attribute equal to its default is none. Refuses:
 * operators that are random or unknown, nodes with subgraphs, nodes with other outputs than the first, and two that
 * both produce graph outputs. Numerics: exact.
 */
export const eliminateCommonSubexpressions = defineRewrite<EliminateCommonSubexpressionsOptions>({
  name: 'eliminate-common-subexpressions',
  summary: 'Computes repeated subexpressions only once.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: { heavy: { description: 'also Conv, MatMul and other operators with weights', default: true } },
  roots: [],
  rules: ({ heavy }) => ({ sweep: (context) => shareResults(context, heavy) }),
});

function shareResults(context: SweepContext, heavy: boolean): void {
  const { model } = context;
  const ids = new Map<Value, number>();
  const idOf = (value: Value): number => {
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    return id;
  };
  const visit = (node: Node, table: VisibleTable<Node>): void => {
    if (!heavy && node.domain === '' && MAC_OPERATORS.has(node.opType)) return;
    const key = nodeKey(node, context, idOf);
    if (key === undefined) return;
    const first = table.get(key);
    // What an earlier change left without readers is gone, though the table knows it.
    if (!first || first.removed) table.set(key, node);
    else if (sameTensorAttributes(first, node)) merge(first, node, context);
  };
  visitInScope(model.graph, visit);
  for (const fn of model.functions.values()) visitInScope(fn.graph, visit);
}

function nodeKey(node: Node, context: SweepContext, idOf: (value: Value) => number): string | undefined {
  // Dropout that is still there may be in training mode.
  if (node.outputs.length === 0 || node.is('Dropout') || !isDeterministic(node)) return undefined;
  const schema = opSchema(node.domain, node.opType, context.opset(node, node.domain));
  const defaults = new Map([...(schema?.attributes ?? [])].map(([name, attribute]) => [name, attribute.default]));
  const attributes = attributesKey(node, defaults);
  if (attributes === undefined) return undefined;
  const inputs = node.inputs.map((input) => (input ? idOf(input) : -1));
  while (inputs.at(-1) === -1) inputs.pop();
  if (node.domain === '' && COMMUTATIVE.has(node.opType)) inputs.sort((a, b) => a - b);
  return `${node.domain}.${node.opType}.${node.overload}(${inputs.join()})${node.outputs.length}\n${attributes}`;
}

function merge(first: Node, node: Node, context: SweepContext): void {
  const pairs: [Value, Value][] = [];
  for (const [index, output] of node.outputs.entries()) {
    const replacement = first.outputs[index];
    if (!output) continue;
    if (!replacement) return;
    const reason = whyNotForwardable(output, replacement);
    if (reason !== undefined) {
      context.refuse(node, reason);
      return;
    }
    pairs.push([output, replacement]);
  }
  context.perform({
    nodes: [node],
    apply() {
      for (const [output, replacement] of pairs) forward(output, replacement);
      return first;
    },
  });
}
