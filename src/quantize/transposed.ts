import { Tensor, type TensorBytes } from '../tensor/tensor.js';

/** Rows and columns of a tile: source and target of one tile stay in the cache. */
const TILE = 64;

/**
 * An 8-bit tensor with its last two axes exchanged. Nothing is computed until the bytes are read; then the whole source
 * is in memory once.
 */
export function transposedLastAxes(tensor: Tensor): Tensor {
  const rank = tensor.rank;
  const rows = tensor.dims[rank - 2] ?? 1;
  const columns = tensor.dims[rank - 1] ?? 1;
  const read = (): Uint8Array => {
    const source = tensor.bytes();
    const target = new Uint8Array(source.length);
    const size = rows * columns;
    for (let base = 0; base < source.length; base += size) transposeMatrix(source, target, base, rows, columns);
    return target;
  };
  const data: TensorBytes = {
    byteLength: tensor.byteLength,
    read,
    *chunks() {
      yield read();
    },
  };
  return Tensor.of(tensor.dataType, [...tensor.dims.slice(0, Math.max(0, rank - 2)), columns, rows], data);
}

function transposeMatrix(source: Uint8Array, target: Uint8Array, base: number, rows: number, columns: number): void {
  for (let row0 = 0; row0 < rows; row0 += TILE) {
    const rowEnd = Math.min(rows, row0 + TILE);
    for (let column0 = 0; column0 < columns; column0 += TILE) {
      const columnEnd = Math.min(columns, column0 + TILE);
      for (let row = row0; row < rowEnd; row++) {
        const from = base + row * columns;
        for (let column = column0; column < columnEnd; column++) {
          target[base + column * rows + row] = source[from + column] as number;
        }
      }
    }
  }
}
