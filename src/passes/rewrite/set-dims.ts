import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Dim, ValueType } from '../../ir/type.js';
import { sameType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { allGraphs } from '../../ir/walk.js';
import { evaluateDim, substituteDim, symbolsOf } from '../../ops/dim.js';
import { declaredType, inferTypes, openDimName } from '../../ops/infer-types.js';
import { unknownDim } from '../../ops/unknown-dim.js';
import { definePass } from '../pass.js';

export interface SetDimsOptions {
  /** Size by name: a symbol of the graph inputs (`batch`), or `x:0` for dimension 0 of input `x`. */
  readonly dims: ReadonlyMap<string, number>;
}

/**
 * A named dimension becomes a number everywhere: in graph inputs, outputs and the types between.
 *
 * Fires for every name given. All or nothing: a size that the graph contradicts is an error, and the model stays
 * unchanged. Numerics: exact, for inputs of these sizes.
 * @throws SO1006 for a name that no graph input has, or a size below 1; SO1002 for sizes that contradict each other,
 *   the file or the graph.
 */
export const setDims = definePass<SetDimsOptions>({
  name: 'set-dims',
  summary: 'Fixes named dimensions of the graph inputs to sizes.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: { dims: { description: 'size by name, or by `input:axis`', default: new Map(), internal: true } },
  run(model, { dims }) {
    if (dims.size === 0) return { changed: 0 };
    const sizes = symbolSizes(model, dims);
    const before = new Set(inferTypes(model).problems.map(({ reason }) => reason));
    const changes = changedTypes(model, sizes);
    for (const [value, { to }] of changes) value.type = to;
    const [problem] = inferTypes(model).problems.filter(({ reason }) => !before.has(reason));
    if (problem) {
      for (const [value, { from }] of changes) value.type = from;
      inferTypes(model);
      throw contradiction(`the graph does not allow it: ${problem.reason}, at ${problem.opType} "${problem.node}"`);
    }
    return { changed: changes.size };
  },
});

/** Sizes by symbol, and by `openDimName` for dimensions without one. */
function symbolSizes(model: Model, dims: ReadonlyMap<string, number>): Map<string, number> {
  const places = inputDims(model);
  const sizes = new Map<string, number>();
  for (const [name, size] of dims) {
    if (!Number.isSafeInteger(size) || size < 1)
      throw new ServeOptError(
        'SO1006',
        `The size ${size} of dimension "${name}" is ${Number.isSafeInteger(size) ? 'not allowed: it must be at least 1' : 'not a whole number'}`,
      );
    const found = places.get(name);
    if (found === undefined) throw unknownDim(name, places, `No graph input has a dimension "${name}"`);
    if (typeof found === 'number') {
      if (found !== size) throw contradiction(`"${name}" is ${found} in the model, not ${size}`);
      continue;
    }
    const before = sizes.get(found);
    if (before !== undefined && before !== size) throw contradiction(`"${name}" would be both ${before} and ${size}`);
    if (!/^[^+*/()\s]+$/.test(found)) throw contradiction(`"${name}" is "${found}", an expression of other dimensions`);
    sizes.set(found, size);
  }
  return sizes;
}

/** What a name on the command line can mean: symbols, and every dimension as `input:axis`. */
function inputDims(model: Model): Map<string, string | number> {
  const places = new Map<string, string | number>();
  for (const value of model.graph.inputs) {
    if (value.tensor || value.type?.kind !== 'tensor') continue;
    for (const [axis, dim] of (value.type.shape ?? []).entries()) {
      const open = dim === undefined || (typeof dim === 'number' && dim < 0);
      places.set(`${value.name}:${axis}`, open ? openDimName(value.name, axis) : dim);
      for (const symbol of symbolsOf(dim)) places.set(symbol, symbol);
    }
  }
  return places;
}

interface TypeChange {
  readonly from: ValueType | undefined;
  readonly to: ValueType;
}

function changedTypes(model: Model, sizes: ReadonlyMap<string, number>): Map<Value, TypeChange> {
  const changes = new Map<Value, TypeChange>();
  const inputs = new Set(model.graph.inputs);
  for (const graph of allGraphs(model)) {
    for (const value of graph.values.values()) {
      const stated = declaredType(value);
      if (!stated || value.tensor) continue;
      const to = withSizes(stated, sizes, inputs.has(value) ? value.name : undefined);
      if (!sameType(stated, to)) changes.set(value, { from: stated, to });
    }
  }
  return changes;
}

function withSizes(type: ValueType, sizes: ReadonlyMap<string, number>, input: string | undefined): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse_tensor':
      return { ...type, shape: type.shape?.map((dim, axis) => sized(dim, sizes, input, axis)) };
    case 'sequence':
    case 'optional':
      return { ...type, element: type.element && withSizes(type.element, sizes, undefined) };
    case 'map':
      return { ...type, valueType: type.valueType && withSizes(type.valueType, sizes, undefined) };
    default:
      return type;
  }
}

function sized(dim: Dim, sizes: ReadonlyMap<string, number>, input: string | undefined, axis: number): Dim {
  if (typeof dim === 'string') return evaluateDim(dim, sizes) ?? substituteDim(dim, sizes);
  const open = dim === undefined || dim < 0;
  return open && input !== undefined ? (sizes.get(openDimName(input, axis)) ?? dim) : dim;
}

function contradiction(why: string): ServeOptError {
  return new ServeOptError('SO1002', 'The sizes given contradict each other or the model', { why });
}
