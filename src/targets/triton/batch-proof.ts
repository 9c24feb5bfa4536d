import type { Model } from '../../ir/model.js';
import { type Dim, tensorType } from '../../ir/type.js';
import { inferTypes } from '../../ops/infer-types.js';
import { openNames } from './output-shapes.js';

/** What inference tells of the outputs of a model. */
export interface OutputShapes {
  /** Shapes where inference knows the rank: sizes, expressions, or undefined. */
  readonly shapes: ReadonlyMap<string, readonly Dim[]>;
  /** Outputs whose first dimension is the first one of the inputs. */
  readonly batched: ReadonlySet<string>;
  /** Names of the open dimensions of the inputs, as they stand in the shapes. */
  readonly open: ReadonlySet<string>;
}

/** No model has dimensions of these names: they would be strange ones. */
const BATCH = 'serve_opt_rows';
const UNNAMED = 'serve_opt_open';

/**
 * Infers the shapes of the outputs, without what the file declares of them: exporters give the batch of outputs names of their
 * own, or none. The first dimension of every input counts as the same, where it is open. The model stays as it is.
 */
export function inferOutputs(model: Model): OutputShapes {
  const copy = model.clone();
  for (const [index, input] of copy.graph.inputs.entries()) {
    const { type } = input;
    if (input.tensor !== undefined || type?.kind !== 'tensor' || !type.shape || type.shape.length === 0) continue;
    const named = type.shape.map((dim, axis) => {
      if (typeof dim === 'number' && dim >= 0) return dim;
      if (axis === 0) return BATCH;
      return typeof dim === 'string' ? dim : `${UNNAMED}_${index}_${axis}`;
    });
    input.type = tensorType(type.dataType, named);
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
  return { shapes, batched, open: openNames(copy.graph.inputs) };
}
