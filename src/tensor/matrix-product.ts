/**
 * Products of float64 matrices, tile by tile in SIMD (matrix.wat). Tiles are copied into a scratch memory of 400 kB, so that matrices
 * stay ordinary arrays. Without SIMD, plain loops give the same up to rounding.
 */
import { MATRIX_BASE64 } from './matrix.generated.js';
import { instantiate } from './web-assembly.js';

/** A rectangle within a row-major array. */
export interface Block {
  readonly data: Float64Array;
  /** Place of its first element. */
  readonly at: number;
  /** Elements from one row to the next. */
  readonly stride: number;
  /** Whether rows and columns are swapped: element (i, j) is at `at + j·stride + i`. */
  readonly turned?: boolean;
}

/** C := C − A·B for A of rows × inner and B of inner × columns; C must not be turned, and must not overlap A or B. */
export type SubtractProduct = (c: Block, a: Block, b: Block, rows: number, inner: number, columns: number) => void;

/** Rows and columns of a tile. */
const TILE = 128;
/** Elements from one row of a tile to the next. */
const STRIDE = TILE + 2;
const TILE_BYTES = TILE * STRIDE * 8;
/** Products with fewer multiply-adds take longer to copy than to compute. */
const WORTHWHILE = 4096;

/** What matrix.wat exports; places are byte offsets. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  subtractProduct(c: number, a: number, b: number, rows: number, depth: number, columns: number): void;
}

/** The one state of this module: compiled code and scratch memory, made at the first use. No result depends on it. */
let made: SubtractProduct | undefined;

/** The product in SIMD, or in plain loops where the machine has none. */
export function matrixProduct(): SubtractProduct {
  made ??= simdProduct() ?? plainProduct;
  return made;
}

function simdProduct(): SubtractProduct | undefined {
  const wasm = instantiate(MATRIX_BASE64) as Exports | undefined;
  if (!wasm) return undefined;
  const [tileA, tileB, tileC] = [0, 1, 2].map(
    (at) => new Float64Array(wasm.memory.buffer, at * TILE_BYTES, TILE * STRIDE),
  ) as [Float64Array, Float64Array, Float64Array];
  const toFour = (count: number): number => (count + 3) & ~3;
  return (c, a, b, rows, inner, columns) => {
    if (rows * inner * columns < WORTHWHILE) return plainProduct(c, a, b, rows, inner, columns);
    for (let k = 0; k < inner; k += TILE) {
      const depth = Math.min(TILE, inner - k);
      for (let j = 0; j < columns; j += TILE) {
        const width = Math.min(TILE, columns - j);
        load(tileB, b, k, j, depth, width);
        for (let i = 0; i < rows; i += TILE) {
          const height = Math.min(TILE, rows - i);
          load(tileA, a, i, k, height, depth);
          load(tileC, c, i, j, height, width);
          wasm.subtractProduct(2 * TILE_BYTES, 0, TILE_BYTES, toFour(height), depth, toFour(width));
          store(tileC, c, i, j, height, width);
        }
      }
    }
  };
}

function load(tile: Float64Array, block: Block, i: number, j: number, rows: number, columns: number): void {
  const { data, at, stride, turned } = block;
  if (!turned) {
    for (let row = 0; row < rows; row++) {
      const from = at + (i + row) * stride + j;
      tile.set(data.subarray(from, from + columns), row * STRIDE);
    }
    return;
  }
  for (let column = 0; column < columns; column++) {
    const from = at + (j + column) * stride + i;
    for (let row = 0; row < rows; row++) tile[row * STRIDE + column] = data[from + row] as number;
  }
}

function store(tile: Float64Array, { data, at, stride }: Block, i: number, j: number, rows: number, columns: number) {
  for (let row = 0; row < rows; row++)
    data.set(tile.subarray(row * STRIDE, row * STRIDE + columns), at + (i + row) * stride + j);
}

/** The reference: one row of C at a time. */
export function plainProduct(c: Block, a: Block, b: Block, rows: number, inner: number, columns: number): void {
  const [stepI, stepK] = a.turned ? [1, a.stride] : [a.stride, 1];
  const [nextK, nextJ] = b.turned ? [1, b.stride] : [b.stride, 1];
  for (let i = 0; i < rows; i++) {
    const row = c.at + i * c.stride;
    for (let k = 0; k < inner; k++) {
      const factor = a.data[a.at + i * stepI + k * stepK] as number;
      let from = b.at + k * nextK;
      for (let j = 0; j < columns; j++, from += nextJ)
        c.data[row + j] = (c.data[row + j] as number) - factor * (b.data[from] as number);
    }
  }
}
