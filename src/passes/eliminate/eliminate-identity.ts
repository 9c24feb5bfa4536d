import type { Node } from '../../ir/node.js';
import { allGraphs } from '../../ir/walk.js';
import { definePass } from '../pass.js';

/**
 * Identity(x) = x. Exporters share one weight between nodes this way, which hides it from every pass that looks for constants.
 *
 * Fires on every Identity whose output is not an output of its graph. Keeps the others: an output needs a node, or a name,
 * of its own. Numerics: exact.
 */
export const eliminateIdentity = definePass<object>({
  name: 'eliminate-identity',
  summary: 'Removes Identity nodes.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  run(model) {
    let changed = 0;
    for (const graph of allGraphs(model)) for (const node of graph.nodes) if (eliminate(node)) changed++;
    return { changed };
  },
});

function eliminate(node: Node): boolean {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!node.is('Identity') || !input || !output || output.isGraphOutput || output.pinned) return false;
  output.replaceUsesWith(input);
  node.graph.remove(node);
  return true;
}
