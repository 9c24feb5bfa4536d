import type { Model } from './model.js';
import type { Node } from './node.js';
import { allGraphs } from './walk.js';

/**
 * Gives nodes that passes added other names where a name is taken: ONNX Runtime refuses two nodes of one name in a graph.
 * Names that came with the file stay, and so do empty ones. Deterministic and linear.
 */
export function uniquifyNodeNames(model: Model): void {
  for (const graph of allGraphs(model)) {
    const taken = new Set<string>();
    const added: Node[] = [];
    for (const node of graph.nodes) {
      if (node.name === '') continue;
      if (node.origin === undefined) added.push(node);
      else taken.add(node.name);
    }
    for (const node of added) {
      const base = node.name;
      let name = base;
      for (let suffix = 1; taken.has(name); suffix++) name = `${base}_${suffix}`;
      if (name !== base) node.name = name;
      taken.add(name);
    }
  }
}
