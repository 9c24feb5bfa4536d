import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { type Dim, type Shape, tensorType, type ValueType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { allNodes, constantTensor, walkGraphs } from '../../ir/walk.js';
import { symbolsOf } from '../../ops/dim.js';
import { numericDims } from '../../ops/infer/elements.js';
import { declaredType, type InferenceProblem, inferTypes } from '../../ops/infer-types.js';
import { suggest } from '../../suggest.js';
import { Tensor } from '../../tensor/tensor.js';
import { replaceConstantInput } from '../constants.js';
import { definePass } from '../pass.js';
import { shapeOf } from '../types.js';

export interface MakeDynamicOptions {
  /** The name to give, and the dimensions as `input:axis`; without any, axis 0 of every input. */
  readonly dims: ReadonlyMap<string, readonly string[]>;
}

/**
 * Dimensions of fixed size become symbols: a model exported for one sample then accepts batches.
 *
 * Fires for every name given. Constant targets of Reshape and Expand that contain the old size are updated. All or
 * nothing: where the old size remains elsewhere (an initial state, a constant of that many rows), that is an error, and
 * the model stays unchanged. Numerics: exact for inputs of the old size.
 * @throws SO1006 for an input or axis that does not exist; SO1002 for dimensions of several sizes under one name;
 *   SO3101 where the graph does not allow it.
 */
export const makeDynamic = definePass<MakeDynamicOptions>({
  name: 'make-dynamic',
  summary: 'Replaces fixed dimensions with symbols whose size callers choose.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: {
    dims: { description: 'dimensions (`input:axis`) by their new name', default: new Map(), internal: true },
  },
  run(model, { dims }) {
    const plan = [...dims].map(([name, places]) => planDim(model, name, places));
    if (plan.length === 0) return { changed: 0 };
    const before = new Set(inferTypes(model).problems.map(({ reason }) => reason));
    const undo = new Map<Value, ValueType | undefined>();
    const oldShapes = new Map<Value, Shape>();
    for (const graph of walkGraphs(model.graph))
      for (const value of graph.values.values()) oldShapes.set(value, shapeOf(value));
    const outputs = new Map(model.graph.outputs.map((value) => [value, declaredType(value)]));
    for (const { name, places } of plan) for (const place of places) renameDim(place, name, undo);
    forgetInnerShapes(model, undo);
    let changed = undo.size;
    const targets: [Node, Tensor][] = [];
    for (const node of allNodes(model)) {
      const old = constantTensor(node.input(1));
      if (!old || !(node.is('Reshape') || node.is('Expand'))) continue;
      inferTypes(model);
      const target = node.is('Reshape')
        ? reshapeTarget(node, old, oldShapes, plan)
        : expandTarget(node, old, oldShapes);
      if (!target) continue;
      targets.push([node, old]);
      replaceConstantInput(node, 1, target);
      changed++;
    }
    const [problem] = problemsAtOtherSize(model, plan).filter(({ reason }) => !before.has(reason));
    if (problem) {
      for (const [node, old] of targets) replaceConstantInput(node, 1, old);
      for (const [value, type] of undo) value.type = type;
      inferTypes(model);
      throw new ServeOptError('SO3101', `The model cannot be made dynamic: ${problem.reason}`, {
        why: `the old size is hard-coded in ${problem.opType} "${problem.node}" or its inputs`,
        location: { node: problem.node },
      });
    }
    for (const [value, type] of outputs) value.type = outputType(value, type);
    return { changed };
  },
});

/** A size that no model has by chance: a multiple of the old one, so that what is flattened still comes out even. */
const TRIED_FACTOR = 7919;

/** What contradicts itself when the dimensions really have another size; a symbol alone could still be the old one. */
function problemsAtOtherSize(model: Model, plan: readonly PlannedDim[]): readonly InferenceProblem[] {
  const symbolic = new Map<Value, ValueType | undefined>();
  for (const { places, size } of plan)
    for (const place of places) renameDim(place, Math.max(size, 1) * TRIED_FACTOR, symbolic);
  const { problems } = inferTypes(model);
  for (const [value, type] of symbolic) value.type = type;
  return [...problems, ...inferTypes(model).problems];
}

interface Place {
  readonly value: Value;
  readonly axis: number;
}

interface PlannedDim {
  readonly name: string;
  readonly places: readonly Place[];
  /** The size it has now; 1 where that is open. */
  readonly size: number;
}

function planDim(model: Model, name: string, places: readonly string[]): PlannedDim {
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw new ServeOptError('SO1006', `"${name}" cannot be the name of a dimension`, {
      hint: 'use letters, digits and _',
    });
  const inputs = model.graph.inputs.filter((value) => !value.tensor);
  const found: Place[] =
    places.length > 0
      ? places.map((text) => placeOf(text, inputs))
      : inputs.filter((value) => (shapeOf(value)?.length ?? 0) > 0).map((value) => ({ value, axis: 0 }));
  const sizes = new Set<number>();
  for (const { value, axis } of found) {
    const dim = shapeOf(value)?.[axis];
    if (typeof dim === 'number' && dim >= 0) sizes.add(dim);
  }
  const taken = inputs.some((value) => shapeOf(value)?.some((dim) => symbolsOf(dim).includes(name)));
  if (taken && sizes.size > 0)
    throw new ServeOptError('SO1002', `The model already has a dimension "${name}"`, { hint: 'choose another name' });
  if (sizes.size > 1) {
    throw new ServeOptError('SO1002', `"${name}" would stand for the sizes ${[...sizes].join(' and ')}`, {
      hint: `name the dimensions: --dynamic ${name}=INPUT:AXIS,INPUT:AXIS`,
    });
  }
  return { name, places: found, size: [...sizes][0] ?? 1 };
}

function placeOf(text: string, inputs: readonly Value[]): Place {
  const colon = text.lastIndexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const axis = colon < 0 ? 0 : Number(text.slice(colon + 1));
  const value = inputs.find((input) => input.name === name);
  if (!value) {
    const near = suggest(
      name,
      inputs.map((input) => input.name),
    );
    throw new ServeOptError('SO1006', `Unknown input "${name}"`, {
      hint: near === undefined ? 'write INPUT:AXIS' : `did you mean "${near}"?`,
    });
  }
  const rank = shapeOf(value)?.length ?? 0;
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank)
    throw new ServeOptError('SO1006', `Input "${name}" has no axis ${text.slice(colon + 1)}: its rank is ${rank}`);
  return { value, axis };
}

function renameDim({ value, axis }: Place, name: Dim, undo: Map<Value, ValueType | undefined>): void {
  const type = declaredType(value);
  if (type?.kind !== 'tensor' || !type.shape) return;
  if (!undo.has(value)) undo.set(value, type);
  value.type = tensorType(
    type.dataType,
    type.shape.map((dim, at) => (at === axis ? name : dim)),
  );
}

/** What the file says of shapes between inputs and outputs holds for the old size only. */
function forgetInnerShapes(model: Model, undo: Map<Value, ValueType | undefined>): void {
  for (const graph of walkGraphs(model.graph)) {
    for (const value of graph.values.values()) {
      const type = declaredType(value);
      if (value.isGraphInput || value.tensor || type?.kind !== 'tensor' || !type.shape) continue;
      undo.set(value, type);
      value.type = tensorType(type.dataType);
    }
  }
}

/** The target of a Reshape that lets the grown dimension through; undefined where the old one does. */
function reshapeTarget(
  node: Node,
  old: Tensor,
  shapes: ReadonlyMap<Value, Shape>,
  plan: readonly PlannedDim[],
): Tensor | undefined {
  const input = node.input(0);
  const now = shapeOf(input);
  const before = input && numericDims(shapes.get(input));
  const result = numericDims(shapes.get(node.output()));
  const target = old.integers();
  if (!now || !before || !result || result.length !== target.length || node.int('allowzero', 0) !== 0) return undefined;
  const axis = now.findIndex((dim) => typeof dim === 'string');
  if (axis < 0) return undefined;
  const grown = symbolsOf(now[axis]);
  const size = plan.find(({ name }) => grown.includes(name))?.size ?? 1;
  const prefix = product(before.slice(0, axis));
  const at = result.findIndex((dim, index) => product(result.slice(0, index)) === prefix && dim % size === 0);
  if (at < 0 || target[at] === -1 || (target[at] === 0 && at === axis)) return undefined;
  // One dimension may be left open: the one that grows. All others are as they were.
  return Tensor.int64(result.map((dim, index) => (index === at ? -1 : target[index] === 0 ? 0 : dim)));
}

/** Where the input itself grows there is nothing to expand to. */
function expandTarget(node: Node, old: Tensor, shapes: ReadonlyMap<Value, Shape>): Tensor | undefined {
  const now = shapeOf(node.input(0));
  const input = node.input(0);
  const before = input && shapes.get(input);
  if (!now || !before) return undefined;
  const target = old.integers();
  const lead = target.length - now.length;
  let grown = false;
  const next = target.map((size, index) => {
    const axis = index - lead;
    if (axis < 0 || typeof now[axis] !== 'string' || before[axis] !== size) return size;
    grown = true;
    return 1;
  });
  return grown ? Tensor.int64(next) : undefined;
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}

/** The declared type with what inference now knows; a size that cannot be known is left open. */
function outputType(value: Value, declared: ValueType | undefined): ValueType | undefined {
  if (declared?.kind !== 'tensor' || !declared.shape) return declared;
  const found = shapeOf(value);
  if (!found || found.length !== declared.shape.length)
    return tensorType(
      declared.dataType,
      declared.shape.map(() => undefined),
    );
  const dims: Dim[] = found.map((dim) => (typeof dim === 'string' && /[.]dim\d+/.test(dim) ? undefined : dim));
  return tensorType(declared.dataType, dims);
}
