/** The cosines and sines of a rotary embedding, one number for each pair. */
import type { Node } from '../../../ir/node.js';
import { type Dim, type Shape, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { dataTypeRow } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { scalarOf } from '../../scalar.js';
import { dataTypeOf, frontAxis, rankOf, sameDim, shapeOf } from '../../types.js';
import { REPEAT, type Trace, tracesOf } from './strided-view.js';

/** How to make a value with half as many numbers along the last axis as there were. */
export interface Halved {
  /** Shape of what `build` gives. */
  readonly shape: readonly Dim[];
  /** The constant that it is, where it is one. */
  readonly constant: Tensor | undefined;
  /** The value from which it is made, where it is not constant. */
  readonly from: Value | undefined;
  /** Nodes that `build` adds. */
  readonly cost: number;
  build(before: Node): Value;
}

/** Numbers for each position: [sequence, pairs], [batch or 1, sequence, pairs] or [batch or 1, 1, sequence, pairs]. */
export interface Angles {
  readonly rows: Halved;
  /** True where they are the same for all of the batch. */
  readonly isShared: boolean;
  /** Where the numbers are rows of a constant table: the table, and which rows. */
  readonly lookup: { readonly table: Tensor; readonly ids: Value } | undefined;
}

/**
 * Cosines or sines that are multiplied to something of shape [batch, heads, sequence, size]; undefined where they are not
 * the same for all heads, or not the same for both halves.
 */
export function anglesOf(value: Value, isHalf: boolean, shape: Shape, context: RewriteContext): Angles | undefined {
  if (shape?.length !== 4) return undefined;
  const size = shape[3];
  if (typeof size !== 'number') return undefined;
  for (const trace of tracesOf(value, context)) {
    const batch = trace.factor === 1 ? batchOf(trace, shape, isHalf ? size / 2 : size) : undefined;
    const rows = batch && (isHalf ? asItIs(trace.source, context) : halved(trace.source, context, 0));
    if (!batch || !rows) continue;
    return { rows, isShared: batch === 'shared', lookup: lookupOf(trace.source, isHalf, context) };
  }
  return undefined;
}

/** Whether a source has numbers of its own for each of the batch; undefined where its axes are not those of positions. */
function batchOf(
  { source, view }: Trace,
  [batch, , sequence]: readonly Dim[],
  size: number,
): 'own' | 'shared' | undefined {
  const rank = rankOf(source) ?? 0;
  const axes = [...Array.from({ length: 4 - view.axes.length }, () => []), ...view.axes];
  const [first = [], heads = [], positions = [], features = []] = axes;
  if (rank < 2 || rank > 4 || axes.length !== 4 || view.offsets.size > 0 || heads.some(({ axis }) => axis !== REPEAT))
    return undefined;
  const whole = (stretches: typeof first, axis: number, dim: Dim) => {
    const [stretch, more] = stretches;
    if (!stretch) return dim === 1;
    return !more && stretch.axis === axis && stretch.stride === 1 && sameDim(stretch.extent, dim);
  };
  if (!whole(features, rank - 1, size) || !whole(positions, rank - 2, sequence)) return undefined;
  const shape = shapeOf(source);
  if (rank === 4 && shape?.[1] !== 1) return undefined;
  if (first.every(({ axis }) => axis === REPEAT))
    return rank === 2 || shape?.[0] === 1 ? (batch === 1 ? 'own' : 'shared') : undefined;
  return rank > 2 && whole(first, 0, batch) ? 'own' : undefined;
}

function lookupOf(value: Value, isHalf: boolean, context: RewriteContext): Angles['lookup'] {
  const node = value.producer;
  const table = node?.is('Gather') && node.int('axis', 0) === 0 ? context.constant(node.input(0)) : undefined;
  const ids = node?.input(1);
  if (table?.rank !== 2 || !ids || rankOf(ids) !== 2) return undefined;
  const half = isHalf ? table : halfOfTensor(table);
  return half && { table: half, ids };
}

function asItIs(value: Value, context: RewriteContext): Halved | undefined {
  const shape = shapeOf(value);
  return shape && { shape, constant: context.constant(value), from: value, cost: 0, build: () => value };
}

const MAX_DEPTH = 8;

/** Operators of one operand for which f(Concat(x, x)) = Concat(f(x), f(x)). */
const BY_ELEMENT: ReadonlySet<string> = new Set(['Cos', 'Sin', 'Cast', 'Identity', 'Neg']);

/** The first half of a value along its last axis, made without the second, which must be the same. */
function halved(value: Value, context: RewriteContext, depth: number): Halved | undefined {
  const shape = shapeOf(value);
  const size = shape?.at(-1);
  if (!shape || typeof size !== 'number' || depth > MAX_DEPTH) return undefined;
  const tensor = context.constant(value);
  if (tensor) return constantHalf(value, tensor);
  const node = value.producer;
  if (node?.domain !== '') return undefined;
  const inner = (slot: number) => {
    const input = node.input(slot);
    return input && halved(input, context, depth + 1);
  };
  if (node.is('Concat')) {
    const [first, second, more] = node.inputs;
    const isTwice =
      first && first === second && !more && frontAxis(node.int('axis', 0), shape.length) === shape.length - 1;
    return isTwice ? asItIs(first, context) : undefined;
  }
  if (BY_ELEMENT.has(node.opType)) return again(node, 0, inner(0), shape);
  if (node.is('Mul') || node.is('Div')) {
    const slot = scalarOf(context.constant(node.input(1))) === undefined ? 1 : 0;
    const isScaled = scalarOf(context.constant(node.input(1 - slot))) !== undefined && (slot === 0 || node.is('Mul'));
    return isScaled && rankOf(node.input(slot)) === shape.length ? again(node, slot, inner(slot), shape) : undefined;
  }
  if (node.is('Gather') && node.int('axis', 0) === 0 && rankOf(node.input(0)) === 2)
    return again(node, 0, inner(0), shape);
  return undefined;
}

/** The node once more, on half of its operand. */
function again(node: Node, slot: number, operand: Halved | undefined, shape: readonly Dim[]): Halved | undefined {
  if (!operand) return undefined;
  const size = shape.at(-1);
  if (typeof size !== 'number') return undefined;
  const half = [...shape.slice(0, -1), size / 2];
  return {
    shape: half,
    constant: undefined,
    from: operand.from,
    cost: operand.cost + 1,
    build(before) {
      const inputs = node.inputs.slice();
      inputs[slot] = operand.build(before);
      const outputs = [{ name: `${node.output().name}_half`, type: tensorType(dataTypeOf(node.output()) ?? 0, half) }];
      const attributes = [...node.attributes.values()];
      return before.graph.addNode({ opType: node.opType, inputs, outputs, attributes }, before).output();
    },
  };
}

function constantHalf(value: Value, tensor: Tensor): Halved | undefined {
  const half = halfOfTensor(tensor);
  if (!half) return undefined;
  const build = (before: Node) => addConstant(before.graph, `${value.name}_half`, half, before);
  return { shape: half.dims, constant: half, from: undefined, cost: 0, build };
}

/** The first half of each row, where it is the same as the second, bit for bit. */
function halfOfTensor(tensor: Tensor): Tensor | undefined {
  const size = tensor.dims.at(-1) ?? 1;
  const width = (dataTypeRow(tensor.dataType)?.bits ?? 0) / 8;
  if (size % 2 !== 0 || width < 1 || tensor.size === 0) return undefined;
  const bytes = tensor.bytes();
  const rowBytes = size * width;
  const half = new Uint8Array(bytes.byteLength / 2);
  for (let row = 0; row * rowBytes < bytes.byteLength; row++) {
    const middle = row * rowBytes + rowBytes / 2;
    const first = bytes.subarray(row * rowBytes, middle);
    if (Buffer.compare(first, bytes.subarray(middle, middle + rowBytes / 2)) !== 0) return undefined;
    half.set(first, (row * rowBytes) / 2);
  }
  return Tensor.of(tensor.dataType, [...tensor.dims.slice(0, -1), size / 2], half);
}
