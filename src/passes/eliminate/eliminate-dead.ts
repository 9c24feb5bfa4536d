import { allGraphs } from '../../ir/walk.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { SweepContext } from '../engine/rewrite.js';
import { isUnused } from '../nodes.js';

/**
 * Removes nodes whose outputs are unused, and unused constants.
 *
 * Fires when: every output of a node is unused, or an initializer is; also in subgraphs, and then on the producers of
 * its inputs. Refuses: graph inputs and outputs (an initializer that is a graph input stays), values that quantization
 * annotations, training information or sharding name. Numerics: exact.
 */
export const eliminateDead = defineRewrite<object>({
  name: 'eliminate-dead',
  summary: 'Removes nodes and constants that nothing uses.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: [],
  rules: () => ({ sweep: removeDead }),
});

function removeDead(context: SweepContext): void {
  // Inner graphs last: removing an outer node takes its subgraphs with it. Backwards, so that a node is looked at after
  // all that read it.
  for (const graph of [...allGraphs(context.model)].reverse()) {
    for (const node of [...graph.nodes].reverse()) {
      if (node.removed || node.outputs.length === 0 || !node.outputs.every((output) => !output || isUnused(output)))
        continue;
      context.perform({ nodes: [node], apply: () => undefined });
    }
  }
  for (const graph of allGraphs(context.model)) {
    for (const value of [...graph.initializers]) {
      if (!isUnused(value) || value.isGraphInput) continue;
      context.perform({
        nodes: [],
        detail: `constant "${value.name}"`,
        apply() {
          graph.removeInitializer(value);
          return undefined;
        },
      });
    }
  }
}
