import type { Graph } from '../../ir/graph.js';
import type { Value } from '../../ir/value.js';
import { constantTensor, walkGraphs } from '../../ir/walk.js';
import type { Tensor } from '../../tensor/tensor.js';
import { dropIfUnused } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { SweepContext } from '../engine/rewrite.js';
import { sameTensor, tensorKey } from './tensor-equality.js';
import { VisibleTable, visitInScope } from './visible-table.js';

/**
 * Keeps one of several initializers with the same type, shape and bits.
 *
 * Fires in all graphs, and where a subgraph has a copy of an initializer of an enclosing graph. Type and shape are
 * compared first, then a few hundred bytes; only tensors that match so far are read in full. Refuses: inputs with
 * defaults, outputs of a graph, and values that quantization annotations, training information or sharding name.
 * Numerics: exact.
 */
export const eliminateDuplicateInitializers = defineRewrite<object>({
  name: 'eliminate-duplicate-initializers',
  summary: 'Keeps one of several equal initializers.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [],
  rules: () => {
    const keys = new Map<Tensor, string>();
    return { sweep: (context) => shareInitializers(context, keys) };
  },
});

/** @param keys what was read of tensors before */
function shareInitializers(context: SweepContext, keys: Map<Tensor, string>): void {
  const counts = countForms(context);
  const keyOf = (tensor: Tensor): string | undefined => {
    if ((counts.get(formOf(tensor)) ?? 0) < 2) return undefined;
    const key = keys.get(tensor) ?? tensorKey(tensor);
    keys.set(tensor, key);
    return key;
  };
  const enter = (graph: Graph, table: VisibleTable<Value>): void => {
    for (const value of [...graph.initializers]) {
      const tensor = constantTensor(value);
      if (!tensor || value.pinned || value.isGraphOutput || value.uses.size === 0) continue;
      const key = keyOf(tensor);
      if (key === undefined) continue;
      const first = table.get(key);
      if (!first) table.set(key, value);
      else if (first.tensor && sameTensor(first.tensor, tensor)) replace(value, first, context);
    }
  };
  visitInScope<Value>(context.model.graph, () => {}, new VisibleTable(), enter);
}

/** How many constants there are of each type and shape: what is alone of its form is not read. */
function countForms({ model }: SweepContext): Map<string, number> {
  const counts = new Map<string, number>();
  for (const graph of walkGraphs(model.graph))
    for (const { tensor } of graph.initializers)
      if (tensor) counts.set(formOf(tensor), (counts.get(formOf(tensor)) ?? 0) + 1);
  return counts;
}

function formOf(tensor: Tensor): string {
  return `${tensor.dataType}[${tensor.dims.join()}]`;
}

function replace(value: Value, first: Value, context: SweepContext): void {
  context.perform({
    // Only to know the change by: no node goes.
    nodes: [...value.consumers()].slice(0, 1),
    detail: `"${value.name}" is "${first.name}"`,
    apply() {
      value.replaceUsesWith(first);
      dropIfUnused(value);
      return undefined;
    },
  });
}
