import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { SweepContext } from '../engine/rewrite.js';
import { forward, whyNotForwardable } from '../nodes.js';
import { dataTypeOf } from '../types.js';
import { type VisibleTable, visitInScope } from './visible-table.js';

/**
 * Two lists of sizes that are equal whatever the symbols are, computed in two ways, become one: the shapes of two tensors
 * of one shape, or the same target of Reshape put together once a layer.
 *
 * Fires when shape inference knows every element of both, symbolic sizes included; the one computed first stays, also
 * where the second stands in a subgraph of its graph. Refuses: where both are outputs of a graph. Numerics: exact.
 */
export const eliminateCommonSizes = defineRewrite<object>({
  name: 'eliminate-common-sizes',
  summary: 'Computes sizes that are known to be equal only once.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [],
  rules: () => ({ sweep: shareSizes }),
});

function shareSizes(context: SweepContext): void {
  visitInScope<Value>(context.model.graph, (node, table) => {
    for (const output of node.outputs) if (output) share(output, node, table, context);
  });
}

function share(output: Value, node: Node, table: VisibleTable<Value>, context: SweepContext): void {
  const key = sizesKey(output, context);
  if (key === undefined) return;
  const first = table.get(key);
  // What an earlier change left without readers is gone, though the table knows it.
  if (!first?.producer || first.producer.removed) {
    table.set(key, output);
    return;
  }
  if (output.uses.size === 0 && !output.isGraphOutput) return;
  const reason = whyNotForwardable(output, first);
  if (reason !== undefined) {
    context.refuse(node, reason);
    return;
  }
  context.perform({
    nodes: [node],
    apply() {
      forward(output, first);
      // An output of the graph stays itself: it has taken the place of the first.
      if (output.isGraphOutput) table.set(key, output);
      return undefined;
    },
  });
}

/** Type, shape and elements of a list of sizes as text; undefined where one is unknown, or all are numbers (a constant). */
function sizesKey(value: Value, context: SweepContext): string | undefined {
  const elements = context.elements(value);
  const dataType = dataTypeOf(value);
  if (!elements || dataType === undefined || elements.items.includes(undefined)) return undefined;
  if (elements.items.every((item) => typeof item === 'number')) return undefined;
  return `${dataType}[${elements.dims.join()}]\n${elements.items.join('\n')}`;
}
