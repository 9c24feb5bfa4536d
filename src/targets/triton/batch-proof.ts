import type { Model } from '../../ir/model.js';
import { type Dim, tensorType } from '../../ir/type.js';
import { inferTypes } from '../../ops/infer-types.js';

/** What inference tells of the outputs of a model. */
export interface OutputShapes {
  /** Shapes where inference knows the rank: sizes, expressions, or undefined. */
  readonly shapes: ReadonlyMap<string, readonly Dim[]>;
  /** Outputs whose first dimension is the first one of the inputs. */
  readonly batched: ReadonlySet<string>;
}

/** No model has a dimension of this name: it would be a strange one. */
const BATCH = 'serve_opt_rows';

/**
 * Infers the shapes of the outputs, without what the file declares of them: exporters give the batch of outputs names of their
 * own, or none. The first dimension of every input counts as the same, where it is open. The model stays as it is.
 */
export function inferOutputs(model: Model): OutputShapes {
  const copy = model.clone();
  for (const input of copy.graph.inputs) {
    const { type } = input;
    if (input.tensor !== undefined || type?.kind !== 'tensor' || !type.shape || type.shape.length === 0) continue;
    const [first, ...rest] = type.shape;
    if (typeof first === 'number' && first >= 0) continue;
    input.type = tensorType(type.dataType, [BATCH, ...rest]);
  }
  const outputs = [...copy.graph.outputs];
  for (const output of outputs) {
    const { type } = output;
    if (type?.kind === 'tensor' && output.producer !== undefined) output.type = tensorType(type.dataType);
  }
  inferTypes(copy);
  const shapes = new Map<string, readonly Dim[]>();
  const batched = new Set<string>();
  for (const { name, type } of outputs) {
    if (type?.kind !== 'tensor' || !type.shape) continue;
    shapes.set(name, type.shape);
    if (type.shape[0] === BATCH) batched.add(name);
  }
  return { shapes, batched };
}
