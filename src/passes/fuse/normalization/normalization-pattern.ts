/** Patterns and parts that LayerNormalization, RMSNormalization and InstanceNormalization share. */
import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { numericDims } from '../../../ops/infer/elements.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { either, type Operand, op, type Pattern, type PatternMatch, scalar } from '../../engine/pattern.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { readReduction } from '../../reduce-axes.js';
import { filledTensor, repeatedTensor } from '../../scalar.js';
import { dataTypeOf, rankOf, sameShape, shapeOf } from '../../types.js';

/** How many of the last axes, at least one, a ReduceMean works on, where it keeps them as 1; why not for any other. */
function reducedTail(node: Node, context: RewriteContext): number | string {
  const reduction = readReduction(context, node);
  const rank = rankOf(node.input(0));
  if (!reduction || rank === undefined) return 'the axes of its mean are unknown';
  if (!reduction.keepsAxes) return 'its mean drops axes';
  const { axes } = reduction;
  return axes.length > 0 && axes[0] === rank - axes.length ? axes.length : 'its mean is not over the last axes';
}

/** The mean over some axes: `commonTail` says which. */
export function mean(of: Operand, name?: string): Pattern {
  return op('ReduceMean', [of], { moreInputs: true, ...(name === undefined ? {} : { name }) });
}

/** of², however it is written. */
export function square(of: Operand): Pattern {
  return either(op('Pow', [of, 2]), op('Mul', [of, of]));
}

/** √(moment + epsilon), or √moment. */
function root(moment: Pattern): Pattern {
  return either(op('Sqrt', [plusEpsilon(moment)]), op('Pow', [plusEpsilon(moment), 0.5]));
}

function plusEpsilon(moment: Pattern): Pattern {
  return either(op('Add', [moment, scalar(undefined, 'epsilon', (epsilon) => epsilon >= 0)]), moment);
}

/** 1 / √(moment + epsilon). */
export function inverseRoot(moment: Pattern): Pattern {
  return either(op('Reciprocal', [root(moment)]), op('Div', [1, root(moment)]), op('Pow', [plusEpsilon(moment), -0.5]));
}

/** `value` / √(moment + epsilon), as a quotient or a product. */
export function overRoot(value: Operand, moment: Pattern): Pattern[] {
  return [op('Div', [value, root(moment)]), op('Mul', [value, inverseRoot(moment)])];
}

/** The epsilon of a match; 0 where it has none. */
export function epsilonOf(found: PatternMatch): number {
  return found.has('epsilon') ? found.number('epsilon') : 0;
}

/** The number of axes that all means of a match are over; a reason where they differ. */
export function commonTail(found: PatternMatch): number | string {
  const tails = new Set<number | string>();
  for (const node of found.nodes) if (node.is('ReduceMean')) tails.add(reducedTail(node, found.context));
  const [tail] = tails;
  return tail === undefined || tails.size > 1 ? 'its means are over different axes' : tail;
}

/** The sizes of the last `count` axes of a value, where its rank is known. */
export function tailOf(value: Value, count: number): readonly Dim[] | undefined {
  const shape = shapeOf(value);
  return shape && shape.length >= count ? shape.slice(shape.length - count) : undefined;
}

/** A scale or bias of exactly the shape wanted: a value that is there, or a constant to be made of another. */
export type Parameter = { readonly value: Value } | { readonly tensor: Tensor; readonly name: string };

/**
 * `value` as a parameter of shape `tail`, if it is broadcast to that shape when it meets a tensor of rank `rank` whose last
 * axes have these sizes; undefined if it is not. Constants may have leading axes of 1, or one element.
 */
export function tailParameter(
  value: Value,
  tail: readonly Dim[],
  rank: number | undefined,
  context: RewriteContext,
): Parameter | undefined {
  const shape = shapeOf(value);
  if (sameShape(shape, tail)) return { value };
  const dims = numericDims(tail);
  const tensor = context.constant(value);
  if (!tensor || !dims || tensor.rank > Math.max(rank ?? 0, dims.length)) return undefined;
  if (tensor.size === 1) return { tensor: repeatedTensor(tensor, dims), name: `${value.name}_flat` };
  const lead = tensor.rank - dims.length;
  const same = lead > 0 && tensor.dims.every((dim, axis) => dim === (axis < lead ? 1 : dims[axis - lead]));
  return same ? { tensor: tensor.reshaped(dims), name: `${value.name}_flat` } : undefined;
}

/** The value of a parameter, made before `before` where it is not there yet. */
export function parameterValue(parameter: Parameter, graph: Graph, before: Node): Value {
  return 'value' in parameter ? parameter.value : addConstant(graph, parameter.name, parameter.tensor, before);
}

/** What a normalization is made of besides its moments: where the data comes from, what it is multiplied with and moved by. */
export interface NormalizationParts {
  /** The data: FLOAT16 where only the moments are computed in FLOAT. */
  readonly x: Value;
  readonly scale: Parameter;
  readonly bias: Parameter | undefined;
  /** The last node of all, and all of them with `found.nodes` first. */
  readonly last: Node;
  readonly nodes: readonly Node[];
}

/** 16-bit floats that normalizations compute in FLOAT by themselves. */
export type NarrowTypes = ReadonlySet<DataTypeCode>;

/**
 * The parts of a normalization of `x` over its last `count` axes, whose pattern ends at `root` and may hold `scale` and `bias`;
 * what it does not hold is looked for in the nodes that follow. Gives a reason where they do not fit.
 */
export function normalizationParts(
  found: PatternMatch,
  root: Node,
  count: number,
  options: { readonly narrow: NarrowTypes; readonly bias: boolean },
): NormalizationParts | string {
  const computed = found.value('x');
  const sizes = tailOf(computed, count);
  if (!sizes) return `the rank of "${computed.name}" is unknown`;
  const nodes = [...found.nodes];
  let last = root;
  let x = computed;
  const advance = (node: Node): void => {
    nodes.push(node);
    last = node;
  };
  const parameter = (name: string, opType: string): Parameter | string | undefined => {
    const follower = found.has(name) ? undefined : followedBy(last.output(), opType);
    const value = found.has(name) ? found.value(name) : follower?.other;
    const fit = value && tailParameter(value, sizes, rankOf(computed), found.context);
    if (fit && follower) advance(follower.node);
    return fit ?? (found.has(name) ? `"${value?.name}" does not have the sizes of the last axes` : undefined);
  };
  const cast = found.has('scale') ? undefined : castBack(computed, last, options.narrow);
  if (cast) {
    advance(cast.node);
    x = cast.source;
  }
  const scale = parameter('scale', 'Mul') ?? ones(sizes, x, found.context);
  if (typeof scale === 'string') return scale;
  const bias = options.bias ? parameter('bias', 'Add') : undefined;
  return typeof bias === 'string' ? bias : { x, scale, bias, last, nodes };
}

/** A scale that changes nothing may take this much; more has to be within the budget for growth. */
const FREE_ONES_BYTES = 1024;

function ones(sizes: readonly Dim[], like: Value, context: RewriteContext): Parameter | string {
  const dims = numericDims(sizes);
  const tensor = dims && filledTensor(1, dataTypeOf(like) ?? DataType.FLOAT, dims);
  if (!tensor) return 'it has no scale, and the size of a scale of ones is unknown';
  if (tensor.byteLength > FREE_ONES_BYTES && !context.mayGrow(tensor.byteLength))
    return `it has no scale, and a scale of ${tensor.size} ones would make the model larger`;
  return { tensor, name: 'ones' };
}

/** The Cast with which data that was widened to FLOAT goes back to its own type. */
function castBack(x: Value, last: Node, narrow: NarrowTypes): { source: Value; node: Node } | undefined {
  const source = x.producer?.is('Cast') ? x.producer.input(0) : undefined;
  const dataType = dataTypeOf(source);
  if (!source || dataType === undefined || !narrow.has(dataType) || dataTypeOf(x) !== DataType.FLOAT) return undefined;
  const node = onlyConsumer(last.output());
  return node?.is('Cast') && node.int('to', 0) === dataType ? { source, node } : undefined;
}

/** The only consumer of a value, if it is this binary operator, with its other operand. */
export function followedBy(value: Value, opType: string): { node: Node; other: Value } | undefined {
  const node = onlyConsumer(value);
  if (!node?.is(opType) || node.inputs.length !== 2) return undefined;
  const other = node.input(0) === value ? node.input(1) : node.input(0);
  return other ? { node, other } : undefined;
}
