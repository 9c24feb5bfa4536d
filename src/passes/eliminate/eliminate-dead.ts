import type { Graph } from '../../ir/graph.js';
import type { Value } from '../../ir/value.js';
import { allGraphs } from '../../ir/walk.js';
import { definePass } from '../pass.js';

/** A value nobody reads and that is no part of any interface. */
function isUnused(value: Value): boolean {
  return value.uses.size === 0 && !value.isGraphOutput && !value.pinned;
}

/**
 * Removes nodes whose outputs nobody reads, and constants nobody reads.
 *
 * Fires when: every output of a node is unused, or an initializer is; also in subgraphs, and in turn on what fed them.
 * Refuses: graph inputs and outputs (an initializer that is a graph input stays), values that quantization annotations,
 * training information or sharding name. Numerics: exact.
 */
export const eliminateDead = definePass<Record<never, never>>({
  name: 'eliminate-dead',
  summary: 'Removes nodes and constants that nothing uses.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  run(model) {
    let changed = 0;
    // Inner graphs last: removing an outer node takes its subgraphs with it.
    for (const graph of [...allGraphs(model)].reverse()) changed += removeNodes(graph);
    for (const graph of allGraphs(model)) changed += removeInitializers(graph);
    return { changed };
  },
});

/** Backwards, so that a node is looked at after all that read it. */
function removeNodes(graph: Graph): number {
  let removed = 0;
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.length > 0 && node.outputs.every((output) => !output || isUnused(output))) {
      graph.remove(node);
      removed++;
    }
  }
  return removed;
}

function removeInitializers(graph: Graph): number {
  let removed = 0;
  for (const value of [...graph.initializers]) {
    if (!isUnused(value) || value.isGraphInput) continue;
    graph.removeInitializer(value);
    removed++;
  }
  return removed;
}
