import { walkGraphs } from '../../ir/walk.js';
import { definePass } from '../pass.js';

export interface InitializersNotInputsOptions {
  /** Also those of IR version 4 and later, where being an input means that callers may override the initializer. */
  readonly overridable: boolean;
}

/**
 * Before IR version 4 every initializer had to be listed among the graph inputs, where it looks like an input that
 * callers must provide. This removes those entries and raises the IR version to 4, from which on initializers need no
 * input. With `overridable` it does so in later versions too: values that callers could replace are then constants, and
 * can be folded and quantized.
 *
 * Fires on models of IR version 1 to 3, with `overridable` on all. Refuses nothing. Numerics: exact. Reference:
 * onnx.proto, `IR_VERSION_2019_1_22`.
 */
export const initializersNotInputs = definePass<InitializersNotInputsOptions>({
  name: 'initializers-not-inputs',
  summary: 'Removes initializers from the graph inputs: in models older than IR version 4, or on request.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {
    overridable: { description: 'also initializers that callers may override', default: false },
  },
  run(model, { overridable }) {
    const old = model.irVersion < 4;
    if (!old && !overridable) return { changed: 0 };
    let removed = 0;
    for (const graph of walkGraphs(model.graph)) {
      for (const value of [...graph.inputs]) {
        if (!graph.initializers.has(value)) continue;
        graph.removeInput(value);
        removed++;
      }
    }
    const inputs = `${removed} ${removed === 1 ? 'initializer is no longer an input' : 'initializers are no longer inputs'}`;
    if (!old) return { changed: removed, notes: removed > 0 ? [inputs] : [] };
    model.irVersion = 4;
    model.changed = true;
    return { changed: removed + 1, notes: [`IR version raised to 4, ${inputs}`] };
  },
});
