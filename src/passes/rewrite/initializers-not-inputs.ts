import { walkGraphs } from '../../ir/walk.js';
import { definePass } from '../pass.js';

/**
 * Before IR version 4 every initializer had to be listed among the graph inputs, where it looks like an input that callers
 * must give. This removes those listings and raises the IR version to 4, from which on an initializer stands alone.
 *
 * Fires on models of IR version 1 to 3. Refuses nothing. Numerics: exact. Reference: onnx.proto, `IR_VERSION_2019_1_22`.
 */
export const initializersNotInputs = definePass<object>({
  name: 'initializers-not-inputs',
  summary: 'Takes initializers off the list of graph inputs in models older than IR version 4.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  run(model) {
    if (model.irVersion >= 4) return { changed: 0 };
    let changed = 0;
    for (const graph of walkGraphs(model.graph)) {
      for (const value of graph.inputs) {
        if (!graph.initializers.has(value)) continue;
        graph.removeInput(value);
        changed++;
      }
    }
    model.irVersion = 4;
    model.changed = true;
    return { changed: changed + 1, notes: [`IR version raised to 4, ${changed} initializers are no longer inputs`] };
  },
});
