import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { computedBytes } from '../../../tensor/computed-bytes.js';
import { DataType } from '../../../tensor/dtype.js';
import { bytesOf, CHUNK_BYTES, Tensor, type TensorBytes } from '../../../tensor/tensor.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { rankOf, sameDim, shapeOf } from '../../types.js';

/** `input · weight + bias` with a constant weight. */
export interface LinearProjection {
  readonly input: Value;
  /** [input features, output features] */
  readonly weight: Tensor;
  /** What holds the weight, rows and columns as in `weight` or exchanged. */
  readonly weightValue: Value;
  readonly isTransposed: boolean;
  /** As many elements as output features; undefined where nothing is added. */
  readonly bias: Tensor | undefined;
  readonly biasValue: Value | undefined;
  /** The MatMul, and the Add where there is one. */
  readonly nodes: readonly Node[];
}

/** The projection that computes a value: a MatMul with a constant matrix, with or without an Add of a constant row. */
export function linearProjection(value: Value, context: RewriteContext): LinearProjection | undefined {
  const node = value.producer;
  if (node?.is('Reshape')) return flattenedProjection(value, node, context);
  if (node?.is('MatMul')) {
    const [input, weightValue] = node.inputs;
    const weight = context.constant(weightValue);
    if (!input || !weightValue || weight?.rank !== 2) return undefined;
    return { input, weight, weightValue, isTransposed: false, bias: undefined, biasValue: undefined, nodes: [node] };
  }
  if (!node?.is('Add')) return undefined;
  for (const [slot, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const bias = context.constant(node.input(other));
    const product = node.input(slot);
    if (!bias || !product?.producer?.is('MatMul') || onlyConsumer(product) !== node) continue;
    const inner = linearProjection(product, context);
    if (inner && isRow(bias, inner.weight.dims[1] ?? 0, rankOf(product)))
      return { ...inner, bias, biasValue: node.input(other), nodes: [...inner.nodes, node] };
  }
  return undefined;
}

/** A Gemm of [batch, sequence, features] made a matrix, and made what it was again. */
function flattenedProjection(value: Value, unflatten: Node, context: RewriteContext): LinearProjection | undefined {
  const gemm = unflatten.input(0)?.producer;
  const flatten = gemm?.is('Gemm') ? gemm.input(0)?.producer : undefined;
  const input = flatten?.is('Reshape') ? flatten.input(0) : undefined;
  const [, weightValue, biasValue] = gemm?.inputs ?? [];
  const stored = context.constant(weightValue);
  const isTransposed = gemm?.int('transB', 0) === 1;
  const weight = stored && isTransposed ? transposedMatrix(stored) : stored;
  const bias = context.constant(biasValue);
  const [batch, sequence, size] = shapeOf(input) ?? [];
  const shape = shapeOf(value);
  if (!gemm || !input || !weightValue || weight?.rank !== 2 || (biasValue && !bias)) return undefined;
  const isPlain = ['alpha', 'beta'].every((name) => gemm.float(name, 1) === 1) && gemm.int('transA', 0) === 0;
  if (!isPlain || weight.dims[0] !== size) return undefined;
  const [features = 0] = weight.dims.slice(1);
  const isSame =
    shape?.length === 3 && sameDim(shape[0], batch) && sameDim(shape[1], sequence) && shape[2] === features;
  if (!isSame || rankOf(input) !== 3 || (bias && !isRow(bias, features, 2))) return undefined;
  return { input, weight, weightValue, isTransposed, bias, biasValue, nodes: [gemm, unflatten] };
}

/** True for a constant that adds one number to each of `features`, and no axes. */
function isRow(bias: Tensor, features: number, rank: number | undefined): boolean {
  if (bias.size !== features || (bias.dims.at(-1) ?? 1) !== features) return false;
  return bias.rank <= 1 || (rank !== undefined && bias.rank <= rank);
}

/** Rows for columns, of a FLOAT matrix; computed when it is read. */
function transposedMatrix(matrix: Tensor): Tensor | undefined {
  const [rows = 0, columns = 0] = matrix.dims;
  if (matrix.dataType !== DataType.FLOAT || matrix.rank !== 2) return undefined;
  function* chunks(): Generator<Uint8Array> {
    const source = matrix.float32Array();
    const target = new Float32Array(source.length);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        target[column * rows + row] = source[row * columns + column] ?? 0;
    yield bytesOf(target);
  }
  return Tensor.of(DataType.FLOAT, [columns, rows], computedBytes(matrix.byteLength, chunks));
}

/** Columns of a FLOAT matrix in an order of their own. */
export interface Columns {
  /** Undefined for zeros. */
  readonly tensor: Tensor | undefined;
  readonly columns: readonly number[];
}

/** Columns of several matrices with `rows` rows side by side; computed when they are written. */
export function columnsBeside(rows: number, parts: readonly Columns[]): TensorBytes {
  const width = parts.reduce((sum, { columns }) => sum + columns.length, 0);
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK_BYTES / (4 * width)));
  function* chunks(): Generator<Uint8Array> {
    const sources = parts.map((part) => ({ ...part, data: part.tensor?.float32Array(), runs: runsOf(part.columns) }));
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      const target = new Float32Array(count * width);
      let at = 0;
      for (let row = first; row < first + count; row++)
        for (const { data, runs, columns, tensor } of sources) {
          const start = row * ((tensor?.size ?? 0) / rows);
          let place = at;
          for (const { column, length } of data ? runs : []) {
            target.set(data?.subarray(start + column, start + column + length) ?? [], place);
            place += length;
          }
          at += columns.length;
        }
      yield bytesOf(target);
    }
  }
  return computedBytes(4 * rows * width, chunks);
}

/** The same columns as runs of neighbours. */
function runsOf(columns: readonly number[]): { readonly column: number; readonly length: number }[] {
  const runs: { column: number; length: number }[] = [];
  for (const column of columns) {
    const last = runs.at(-1);
    if (last && last.column + last.length === column) last.length++;
    else runs.push({ column, length: 1 });
  }
  return runs;
}
