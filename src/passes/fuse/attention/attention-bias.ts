/** What attention adds to its scores, as the one tensor of shape [batch or 1, heads or 1, queries, keys] that fused operators take. */
import { attribute } from '../../../ir/attribute.js';
import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { minDims, subtractDims } from '../../../ops/dim.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { toFloat16 } from '../../../tensor/float16.js';
import { bytesOf, Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, rankOf, sameDim, shapeOf } from '../../types.js';
import type { AttentionCore, ScoreStep } from './attention-core.js';

/** Sizes of the scores. */
export interface ScoreDims {
  readonly batch: Dim;
  readonly heads: number;
  readonly queries: Dim;
  readonly keys: Dim;
}

export interface BiasPlan {
  /** [batch or 1, heads or 1, queries, keys] */
  readonly shape: readonly Dim[];
  /** Nodes that `build` adds. */
  readonly cost: number;
  /** Adds them before a node, and gives the bias. */
  build(before: Node): Value;
}

/** What a fill must be at most, so that no score could matter beside it. */
const LARGEST_FILL: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT, -1e30],
  [DataType.FLOAT16, -65504],
]);

/** What a bias must not hold. */
export interface BiasLimits {
  /** Finite fills below it are replaced by it. */
  readonly fill?: number;
  /** Numbers below it are raised to it. */
  readonly floor?: number;
}

/**
 * How to make the bias of `core`; undefined where it has none, a reason where that cannot be. `querySource` has axis
 * `queryAxis` as long as there are queries.
 */
export function planBias(
  core: AttentionCore,
  dims: ScoreDims,
  dataType: DataTypeCode,
  querySource: Value,
  queryAxis: number,
  limits: BiasLimits,
  context: RewriteContext,
): BiasPlan | string | undefined {
  if (core.steps.length === 0) return undefined;
  let shape: readonly Dim[] = [];
  for (const step of core.steps) {
    const reason = whyNotBias(step, core, dims, dataType);
    if (reason !== undefined) return reason;
    shape = broadcast(shape, shapeOf(step.kind === 'add' ? step.value : step.condition) ?? []);
  }
  const full = [dims.batch, dims.heads, dims.queries, dims.keys];
  const lifted: Dim[] = [1, 1, 1, 1];
  for (const [axis, dim] of shape.entries()) lifted[axis + 4 - shape.length] = dim;
  const grown = lifted.map((dim, axis): Dim => (axis >= 2 && dim === 1 ? (full[axis] as Dim) : dim));
  const isLifted = shape.length === 4;
  const isGrown = grown.every((dim, axis) => dim === lifted[axis]);
  const target = grown.map((dim, axis): Dim => (dim === lifted[axis] ? 1 : dim));
  const sizes = target.map((dim, axis) => sizeSource(dim, axis, core, querySource, queryAxis));
  if (sizes.includes(undefined)) return 'the number of queries that its mask is for is unknown';
  const symbolic = sizes.filter((size) => typeof size === 'object').length;
  const shapeNodes = symbolic > 0 ? 1 + symbolic * (context.opset(core.root) >= 15 ? 1 : 2) : 0;
  const { floor } = limits;
  const ownConstant =
    core.steps.length === 1 && isGrown && floor === undefined ? context.constant(onlyAdded(core.steps)) : undefined;
  const expands = (isLifted && isGrown) || ownConstant ? 0 : 1;
  return {
    shape: grown,
    cost: combineCost(core.steps) + (floor === undefined ? 0 : 1) + expands * (1 + shapeNodes),
    build(before) {
      const { graph } = before;
      if (ownConstant) {
        if (isLifted) return onlyAdded(core.steps) as Value;
        const dims4 = lifted.map(Number);
        return addConstant(graph, 'attention_bias', ownConstant.reshaped(dims4), before);
      }
      const combined = raised(combine(core.steps, dataType, limits.fill, before), floor, before);
      if (expands === 0) return combined;
      const expanded = graph.addNode(
        {
          opType: 'Expand',
          inputs: [combined, expandTarget(graph, sizes as Size[], before, context)],
          outputs: [{ name: 'attention_bias', type: tensorType(dataType, grown) }],
        },
        before,
      );
      return expanded.output();
    },
  };
}

function onlyAdded(steps: readonly ScoreStep[]): Value | undefined {
  const [step] = steps;
  return step?.kind === 'add' ? step.value : undefined;
}

function whyNotBias(step: ScoreStep, core: AttentionCore, dims: ScoreDims, dataType: DataTypeCode): string | undefined {
  if (step.kind === 'fill') {
    const largest = LARGEST_FILL.get(dataType);
    if (largest === undefined || !(step.number <= largest))
      return `a score may be less than the value that its mask fills in (${step.number})`;
  }
  const value = step.kind === 'add' ? step.value : step.condition;
  const shape = shapeOf(value);
  if (!shape) return `the shape of its mask "${value.name}" is unknown`;
  const merged = core.scoreShape.length === 3;
  if (merged && dims.heads !== 1 && shape.length === 3 && shape[0] !== 1)
    return `its mask "${value.name}" has batch and heads merged into one axis`;
  const full = [dims.batch, ...(merged ? [] : [dims.heads]), dims.queries, dims.keys];
  if (core.scoreShape.length > 4) return 'its mask is added to scores of more than four axes';
  if (shape.length > full.length) return `its mask "${value.name}" has more axes than its scores`;
  const isCut = isLimited(shape.at(-1), dims.keys);
  for (const [axis, dim] of shape.entries()) {
    const expected = full[axis + full.length - shape.length];
    if (
      dim !== 1 &&
      !isEqual(dim, expected) &&
      !isLimited(dim, expected) &&
      !(isCut && isEqual(unlimited(dim), expected))
    )
      return `axis ${axis} of its mask "${value.name}" may be neither 1 nor that of the scores`;
  }
  return undefined;
}

function isEqual(a: Dim, b: Dim): boolean {
  return sameDim(a, b) || subtractDims(a, b) === 0;
}

/**
 * True for `min(1024,size)`, which is what is cut from a constant of 1024 elements: where it is not the size, the scores and
 * the mask do not fit each other at all.
 */
function isLimited(dim: Dim, size: Dim): boolean {
  const most = typeof dim === 'string' ? Number(/^min\((\d+),/.exec(dim)?.[1]) : 0;
  return most > 1 && minDims(most, size) === dim;
}

/** A size with every `min(1024,x)` read as x: so it is where the last axis, which is the longest, is not cut short. */
function unlimited(dim: Dim): Dim {
  return typeof dim === 'string' ? dim.replaceAll(/min\(\d+,([^()]*)\)/g, '($1)') : dim;
}

function broadcast(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    return left === 1 ? (b[axis - rank + b.length] ?? 1) : left;
  });
}

/** A size to expand to: a number, or where it can be read. */
type Size = number | { readonly value: Value; readonly axis: number };

function sizeSource(
  dim: Dim,
  axis: number,
  core: AttentionCore,
  querySource: Value,
  queryAxis: number,
): Size | undefined {
  if (typeof dim === 'number') return dim;
  for (const step of core.steps) {
    const found = axisOfSize(step.kind === 'add' ? step.value : step.condition, dim);
    if (found) return found;
  }
  // What every layer can read alike is best: then one bias does for all of them.
  for (let graph: Graph | undefined = core.root.graph; graph; graph = graph.parent?.graph)
    for (const input of graph.inputs) {
      const found = axisOfSize(input, dim);
      if (found) return found;
    }
  return axis === 2 ? { value: querySource, axis: queryAxis } : undefined;
}

function axisOfSize(value: Value, dim: Dim): Size | undefined {
  const axis = shapeOf(value)?.findIndex((one) => sameDim(one, dim)) ?? -1;
  return axis < 0 ? undefined : { value, axis };
}

/** A list of sizes, made of constants and of sizes read at run time. */
function expandTarget(graph: Graph, sizes: readonly Size[], before: Node, context: RewriteContext): Value {
  if (sizes.every((size) => typeof size === 'number'))
    return addConstant(graph, 'attention_bias_shape', Tensor.int64(sizes), before);
  const parts: Value[] = [];
  let numbers: number[] = [];
  const flush = () => {
    if (numbers.length > 0) parts.push(addConstant(graph, 'ones', Tensor.int64(numbers), before));
    numbers = [];
  };
  for (const size of sizes) {
    if (typeof size === 'number') numbers.push(size);
    else {
      flush();
      parts.push(readSize(graph, size.value, size.axis, before, context));
    }
  }
  flush();
  const type = tensorType(DataType.INT64, [sizes.length]);
  const outputs = [{ name: 'attention_bias_shape', type }];
  return graph
    .addNode({ opType: 'Concat', inputs: parts, outputs, attributes: [attribute('axis', 0)] }, before)
    .output();
}

/** One size of a value, as a list of one. */
function readSize(graph: Graph, value: Value, axis: number, before: Node, context: RewriteContext): Value {
  const one = tensorType(DataType.INT64, [1]);
  if (context.opset(graph) >= 15) {
    const attributes = [attribute('start', axis), attribute('end', axis + 1)];
    return graph
      .addNode({ opType: 'Shape', inputs: [value], outputs: [{ name: 'size', type: one }], attributes }, before)
      .output();
  }
  const all = tensorType(DataType.INT64, [shapeOf(value)?.length]);
  const shape = graph.addNode({ opType: 'Shape', inputs: [value], outputs: [{ name: 'sizes', type: all }] }, before);
  const index = addConstant(graph, 'axis', Tensor.int64([axis]), before);
  return graph
    .addNode({ opType: 'Gather', inputs: [shape.output(), index], outputs: [{ name: 'size', type: one }] }, before)
    .output();
}

function combineCost(steps: readonly ScoreStep[]): number {
  return steps.length - (steps[0]?.kind === 'add' ? 1 : 0);
}

/** What all steps together add. */
function combine(steps: readonly ScoreStep[], dataType: DataTypeCode, lowest: number | undefined, before: Node): Value {
  const { graph } = before;
  let sum: Value | undefined;
  let shape: readonly Dim[] = [];
  for (const step of steps) {
    shape = broadcast(shape, shapeOf(step.kind === 'add' ? step.value : step.condition) ?? []);
    const outputs = [{ name: 'attention_mask', type: tensorType(dataType, shape) }];
    if (step.kind === 'add')
      sum = sum ? graph.addNode({ opType: 'Add', inputs: [sum, step.value], outputs }, before).output() : step.value;
    else {
      const kept: Value = sum ?? addConstant(graph, 'zero', scalarTensor(dataType, 0), before);
      const fill = fillOf(step, dataType, lowest, before);
      const inputs = step.fills ? [step.condition, fill, kept] : [step.condition, kept, fill];
      sum = graph.addNode({ opType: 'Where', inputs, outputs }, before).output();
    }
  }
  return sum as Value;
}

/** The fill of a step: as it is where it has no axes and is not below `lowest`. */
function fillOf(
  step: Extract<ScoreStep, { kind: 'fill' }>,
  dataType: DataTypeCode,
  lowest: number | undefined,
  before: Node,
): Value {
  const isTooLow = lowest !== undefined && Number.isFinite(step.number) && step.number < lowest;
  if (!isTooLow && rankOf(step.fill) === 0) return step.fill;
  return addConstant(before.graph, 'fill', scalarTensor(dataType, isTooLow ? lowest : step.number), before);
}

/** Max(value, floor), where there is a floor. */
function raised(value: Value, floor: number | undefined, before: Node): Value {
  const dataType = dataTypeOf(value);
  if (floor === undefined || dataType === undefined) return value;
  const lowest = addConstant(before.graph, 'lowest', scalarTensor(dataType, floor), before);
  const outputs = [{ name: `${value.name}_raised`, type: value.type }];
  return before.graph.addNode({ opType: 'Max', inputs: [value, lowest], outputs }, before).output();
}

/** A tensor of rank 0 of FLOAT or FLOAT16. */
export function scalarTensor(dataType: DataTypeCode, number: number): Tensor {
  if (dataType === DataType.FLOAT16) return Tensor.of(dataType, [], bytesOf(Uint16Array.of(toFloat16(number))));
  return Tensor.float32([number], []);
}
