import type { Model } from '../../ir/model.js';
import { type Dim, tensorType, type ValueType } from '../../ir/type.js';
import { InferenceEngine, Scope } from '../infer/engine.js';
import { declaredType } from '../infer-types.js';
import { type Footprint, NO_FOOTPRINT } from './footprint.js';
import { GraphMeter } from './graph-footprint.js';

export interface FootprintOptions {
  /** Shapes of inputs by name; the others have what their types state. */
  readonly inputDims?: ReadonlyMap<string, readonly number[]>;
}

/**
 * Memory that a run of the model takes at least, from its types alone: nothing is run, and no tensor is read but lists of
 * sizes. Looks into subgraphs and local functions, and goes through loops whose number of iterations is constant.
 * Sizes that only a run tells, and symbols that no input binds, count as nothing. Never throws for an ill-formed graph.
 */
export function modelFootprint(model: Model, { inputDims = new Map() }: FootprintOptions = {}): Footprint {
  const symbols = new Map<string, number>();
  const inputs = model.graph.inputs.map((value): ValueType | undefined => {
    const declared = declaredType(value);
    const dims = inputDims.get(value.name);
    if (!dims || declared?.kind !== 'tensor') return declared;
    declared.shape?.forEach((dim: Dim, axis) => {
      const size = dims[axis];
      if (typeof dim === 'string' && size !== undefined && !symbols.has(dim)) symbols.set(dim, size);
    });
    return tensorType(declared.dataType, dims);
  });
  const meter = new GraphMeter(model.graph, symbols);
  const engine = new InferenceEngine(model, { declaredType, measure: meter.measure });
  return engine.inferGraph(new Scope(model.opsets, new Map(), 0), model.graph, inputs).footprint ?? NO_FOOTPRINT;
}
