import type { Model } from '../../src/ir/model.js';
import type { AttributeOrigin } from '../../src/ir/proto/read-node.js';
import { allGraphs } from '../../src/ir/walk.js';

/**
 * Makes the writer encode every message of a model anew, as if passes had touched all of it. What the IR keeps only as
 * bytes (sparse tensors, attributes of unknown kinds, documentation of attributes) stays as it was read.
 */
export function markEverythingChanged(model: Model): void {
  model.changed = true;
  for (const graph of allGraphs(model)) {
    graph.changed = true;
    for (const value of graph.values.values()) value.changed = true;
    for (const node of graph.nodes) {
      node.changed = true;
      for (const { name, value, origin } of [...node.attributes.values()]) {
        const extras = (origin as AttributeOrigin | undefined)?.extras ?? [];
        if (value.kind !== 'opaque' && extras.length === 0) node.setAttribute({ name, value });
      }
    }
  }
}
