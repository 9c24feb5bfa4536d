import type { ByteSource } from '../../codec/byte-source.js';
import type { StoredTensor } from '../../codec/safetensors/read-safetensors.js';
import type { ScaleType } from '../../quantize/linear-weights.js';
import { bfloat16ToFloat32 } from '../../tensor/bfloat16.js';
import { float16ToFloat32 } from '../../tensor/float16.js';

/** Elements that are converted at once. */
const BLOCK_ELEMENTS = 1 << 22;

/** Some rows of a matrix. */
export interface RowBlock {
  readonly firstRow: number;
  readonly rows: number;
  /** [rows, columns] */
  readonly values: Float32Array;
}

/** Rows that a block of a matrix has. */
export function rowsOfBlock(columns: number): number {
  return Math.max(1, Math.floor(BLOCK_ELEMENTS / columns));
}

/** Rows of a matrix as float32, some at a time. The values are valid until the next block. */
export function* weightRows(source: ByteSource, tensor: StoredTensor, type: ScaleType): Generator<RowBlock> {
  const [total = 0, columns = 0] = tensor.shape;
  const step = Math.min(rowsOfBlock(columns), total);
  const values = new Float32Array(step * columns);
  for (let firstRow = 0; firstRow < total; firstRow += step) {
    const rows = Math.min(step, total - firstRow);
    const block = values.subarray(0, rows * columns);
    readRows(source, tensor, type, firstRow, block);
    yield { firstRow, rows, values: block };
  }
}

/** Reads rows from `firstRow` on, as many as `target` has room for. */
export function readRows(
  source: ByteSource,
  tensor: StoredTensor,
  type: ScaleType,
  firstRow: number,
  target: Float32Array,
): void {
  const [, columns = 0] = tensor.shape;
  const start = tensor.start + firstRow * columns * (type === 'F32' ? 4 : 2);
  if (type === 'F32') {
    source.readInto(new Uint8Array(target.buffer, target.byteOffset, target.byteLength), start);
    return;
  }
  const narrow = new Uint16Array(target.length);
  source.readInto(new Uint8Array(narrow.buffer), start);
  if (type === 'BF16') bfloat16ToFloat32(narrow, target);
  else float16ToFloat32(narrow, target);
}

/** The first element that is NaN or infinite; undefined when all are numbers. */
export function firstNonFinite(values: Float32Array): number | undefined {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if (((bits[i] as number) & 0x7f800000) === 0x7f800000) return i;
  return undefined;
}
