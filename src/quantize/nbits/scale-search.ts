/**
 * The scale of least squared error, block by block: a few scales beside that of round-to-nearest are tried, each made best for its codes
 * by least squares, as the k-quants of llama.cpp are made (ggml-quants.c, `make_qx_quants` and `make_qkx2_quants`).
 */

import { rangeScale, signedScale } from './block-kernels.js';
import { middleCode, type NBitsFormat } from './nbits-format.js';
import type { BlockGrid, BlockQuantizer } from './quantize-blocks.js';

/** Steps on each side of the scale of round-to-nearest, and the codes by which each makes the range wider or narrower. */
const STEPS = 9;
const STEP = 0.1;
/** Adding and subtracting 1.5·2^52 rounds a float64 below 2^51 half to even. */
const ROUNDER = 6755399441055744;

/**
 * A quantizer of blocks.
 * @param importance of the errors of each input, one number an input; all alike where absent
 */
export function scaleSearch(format: NBitsFormat, importance?: Float64Array): BlockQuantizer {
  const alike = new Float64Array(format.block).fill(1);
  const search = format.symmetric ? symmetricGrid : rangeGrid;
  return (values, codes, firstInput) => {
    const weights = importance?.subarray(firstInput, firstInput + values.length) ?? alike;
    const grid = search(values, weights, format);
    encode(values, grid.scale, grid.zeroPoint, format, codes);
    return grid;
  };
}

function symmetricGrid(values: Float32Array, weights: Float64Array, format: NBitsFormat): BlockGrid {
  const middle = middleCode(format);
  const [min, max] = extremesOf(values);
  let scale = signedScale(min, max, middle);
  const extreme = scale * -middle;
  // 1 / scale overflows for the tiniest weights: nothing is to be gained there.
  if (scale === 0 || !Number.isFinite(1 / Math.fround(scale))) return { scale, zeroPoint: middle };
  const [least, most] = [-middle, middle - 1];
  // What codes explain of Σ w·x²; the rest is their error.
  let best = explained(values, weights, 1 / scale, least, most, scale).gain;
  for (let step = -STEPS; step <= STEPS; step++) {
    const { gain, fitted } = explained(values, weights, -(middle + STEP * step) / extreme, least, most);
    if (gain > best && fitted !== 0) [best, scale] = [gain, fitted];
  }
  return { scale, zeroPoint: middle };
}

/** The scale that fits codes best, and what of Σ w·x² they explain with it, or with the scale `given`. */
function explained(
  values: Float32Array,
  weights: Float64Array,
  inverse: number,
  least: number,
  most: number,
  given?: number,
): { readonly gain: number; readonly fitted: number } {
  let [cross, square] = [0, 0];
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    let code = value * inverse + ROUNDER - ROUNDER;
    if (code > most) code = most;
    else if (code < least) code = least;
    const weighted = (weights[k] as number) * code;
    cross += weighted * value;
    square += weighted * code;
  }
  const fitted = given ?? (square > 0 ? Math.fround(cross / square) : 0);
  return { gain: fitted * (2 * cross - fitted * square), fitted };
}

function rangeGrid(values: Float32Array, weights: Float64Array, format: NBitsFormat): BlockGrid {
  const top = 2 ** format.bits - 1;
  const [min, max] = extremesOf(values);
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const nearest = rangeScale(min, max, format.bits);
  if (nearest === 0 || !Number.isFinite(1 / nearest)) return { scale: nearest, zeroPoint: 0 };
  let grid: BlockGrid = { scale: nearest, zeroPoint: clipped(rounded(-low / nearest), format) };
  let best = errorOf(values, weights, grid, top);
  for (let step = -STEPS; step <= STEPS; step++) {
    const fitted = fittedGrid(values, weights, (top + STEP * step) / (high - low), low, format);
    if (!fitted) continue;
    const error = errorOf(values, weights, fitted, top);
    if (error < best) [best, grid] = [error, fitted];
  }
  return grid;
}

/** Scale and offset that fit the codes of a first scale best, with the offset as a zero point. */
function fittedGrid(
  values: Float32Array,
  weights: Float64Array,
  inverse: number,
  low: number,
  format: NBitsFormat,
): BlockGrid | undefined {
  const top = 2 ** format.bits - 1;
  let [sumW, sumX, sumL, sumLL, sumXL] = [0, 0, 0, 0, 0];
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    const weight = weights[k] as number;
    const code = Math.min(top, (value - low) * inverse + ROUNDER - ROUNDER);
    sumW += weight;
    sumX += weight * value;
    sumL += weight * code;
    sumLL += weight * code * code;
    sumXL += weight * value * code;
  }
  const determinant = sumW * sumLL - sumL * sumL;
  if (!(determinant > 0)) return undefined;
  const scale = Math.fround((sumW * sumXL - sumX * sumL) / determinant);
  const offset = (sumLL * sumX - sumL * sumXL) / determinant;
  return scale > 0 ? { scale, zeroPoint: clipped(rounded(-offset / scale), format) } : undefined;
}

function errorOf(values: Float32Array, weights: Float64Array, { scale, zeroPoint }: BlockGrid, top: number): number {
  const inverse = 1 / scale;
  const [least, most] = [-zeroPoint, top - zeroPoint];
  let error = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    let code = value * inverse + ROUNDER - ROUNDER;
    if (code > most) code = most;
    else if (code < least) code = least;
    const difference = value - code * scale;
    error += (weights[k] as number) * difference * difference;
  }
  return error;
}

/** Codes of values on a grid. */
export function encode(
  values: ArrayLike<number>,
  scale: number,
  zeroPoint: number,
  { bits }: Pick<NBitsFormat, 'bits'>,
  codes: Uint8Array,
): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  const top = 2 ** bits - 1;
  for (let k = 0; k < values.length; k++) {
    const code = (values[k] as number) * inverse + ROUNDER - ROUNDER + zeroPoint;
    codes[k] = code > top ? top : Math.max(code, 0);
  }
}

/** Half to even, for magnitudes below 2^51. */
export function rounded(value: number): number {
  return value + ROUNDER - ROUNDER;
}

/** The nearest code that there is. */
export function clipped(code: number, { bits }: Pick<NBitsFormat, 'bits'>): number {
  return Math.min(2 ** bits - 1, Math.max(0, code));
}

function extremesOf(values: Float32Array): [number, number] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}
