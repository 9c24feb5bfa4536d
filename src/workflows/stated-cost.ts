import type { Model } from '../ir/model.js';
import type { Dim } from '../ir/type.js';
import { allGraphs } from '../ir/walk.js';
import { type ModelCost, modelCost } from '../ops/cost.js';
import { inferTypes } from '../ops/infer-types.js';
import { firstShapes } from '../samples/seeded-reader.js';
import { SIZE_PLAN_COUNT } from '../samples/seeded-shapes.js';
import type { Sizes } from '../samples/sized-inputs.js';
import type { ValueSpec } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { withSizes } from './preflight/input-sizes.js';

/** What a model costs at sizes that are named. */
export interface StatedCost {
  readonly cost: ModelCost;
  /** As a sum over the open sizes; undefined where it is too long to be read, or a size is unknown. */
  readonly expression: Dim;
  /** Sizes of the open dimensions of the inputs, by name or by `input:axis`. */
  readonly sizes: readonly { readonly name: string; readonly size: number }[];
}

const NO_SIZES: Sizes = new Map();

/**
 * Multiply-adds of a model at stated sizes: those given, and for what they leave open those that synthetic inputs take. Of these
 * the first row is taken at which no layer comes out empty, as with windows larger than a signal. Infers the types of the model.
 * @throws SO1006 for a name that no dimension has, SO4002 for a size that the model does not allow
 */
export function statedCost(model: Model, given: Sizes = NO_SIZES): StatedCost {
  const { cost, expression, sizes } = costAtBestSizes(model, given);
  return { cost, expression, sizes };
}

/**
 * Multiply-adds of one run at a batch of 1; undefined where another size is open, so that data decide what a run costs, or where a node
 * cannot be counted.
 */
export function fixedMacs(model: Model): number | undefined {
  const { cost, sizes } = statedCost(model.clone());
  return cost.unknown.length > 0 || sizes.some(({ size }) => size !== 1) ? undefined : cost.macs;
}

/** A copy of the model at the sizes that its cost is stated at: types are inferred for it, and shapes are numbers where they can be. */
export function modelAtStatedSizes(model: Model, given: Sizes = NO_SIZES): Model {
  const copy = model.clone();
  const { shapes } = costAtBestSizes(copy, given);
  return atShapes(copy, inputSpecs(copy), shapes);
}

/** A cost with the shapes of the inputs that it is of. */
type CostAtShapes = StatedCost & { readonly shapes: readonly (readonly number[])[] };

function costAtBestSizes(model: Model, given: Sizes): CostAtShapes {
  const inputs = inputSpecs(model);
  const sized = withSizes(inputs, given);
  inferTypes(model);
  const { expression, unknown } = modelCost(model);
  let best: (CostAtShapes & { readonly missing: number }) | undefined;
  for (let row = 0; row < SIZE_PLAN_COUNT; row++) {
    const shapes = firstShapes(sized, row);
    const sizes = statedSizes(inputs, shapes);
    const cost = costAt(model, inputs, shapes, sizes);
    // What is unknown whatever the sizes are is no fault of theirs.
    const missing = cost.empty.length + Math.max(0, cost.unknown.length - unknown.length);
    if (best === undefined || missing < best.missing) best = { cost, expression, sizes, shapes, missing };
    if (missing === 0 || sizes.every(({ name }) => given.has(name))) break;
  }
  return best as CostAtShapes;
}

/** What a real symbol begins with: some exporters write `?` for every size they do not know. */
const SYMBOL = /^[A-Za-z_]/;

/** Each open dimension once. */
function statedSizes(inputs: readonly ValueSpec[], shapes: readonly (readonly number[])[]): StatedCost['sizes'] {
  const sizes = new Map<string, number>();
  for (const [index, { name, shape = [] }] of inputs.entries()) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'number') continue;
      const size = shapes[index]?.[axis];
      const place = dim !== undefined && SYMBOL.test(dim) ? dim : `${name}:${axis}`;
      if (size !== undefined && !sizes.has(place)) sizes.set(place, size);
    }
  }
  return [...sizes].map(([name, size]) => ({ name, size }));
}

function costAt(
  model: Model,
  inputs: readonly ValueSpec[],
  shapes: readonly (readonly number[])[],
  sizes: StatedCost['sizes'],
): ModelCost {
  const copy = atShapes(model, inputs, shapes);
  return modelCost(copy, { symbols: new Map(sizes.map(({ name, size }) => [name, size])) });
}

/** A copy whose inputs have these shapes, with types inferred for them. */
function atShapes(model: Model, inputs: readonly ValueSpec[], shapes: readonly (readonly number[])[]): Model {
  const copy = model.clone();
  const shapeOf = new Map(inputs.map(({ name }, index) => [name, shapes[index]]));
  for (const input of copy.graph.inputs) {
    const { type } = input;
    const shape = shapeOf.get(input.name);
    if (type?.kind === 'tensor' && shape && type.shape) input.type = { ...type, shape };
  }
  forgetSymbols(copy);
  inferTypes(copy);
  return copy;
}

/** Symbols that an exporter, or an inference without sizes, gave what nodes compute: the sizes of the inputs say more. */
function forgetSymbols(model: Model): void {
  for (const graph of allGraphs(model)) {
    for (const value of graph.values.values()) {
      const { type, producer } = value;
      if (!producer || type?.kind !== 'tensor' || !type.shape?.some((dim) => typeof dim === 'string')) continue;
      value.type = { ...type, shape: type.shape.map((dim) => (typeof dim === 'string' ? undefined : dim)) };
    }
  }
}
