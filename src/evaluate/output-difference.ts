import { dataTypeName } from '../tensor/dtype.js';
import { ChannelNoise } from './channel-noise.js';
import type { OutputDifference } from './comparison.js';
import { argMax, type EvaluatedTensor, floatElements, isFloatTensor } from './host-numbers.js';
import type { OutputMeaning } from './output-meaning.js';
import { proportion } from './proportion.js';

/** Adds up the difference of one output over many runs. Sums are kept in double precision. */
export interface OutputDifferenceAccumulator {
  /** Adds one run: the output of model A and of model B for the same feeds. */
  add(a: EvaluatedTensor, b: EvaluatedTensor): void;
  result(): OutputDifference;
}

interface Sums {
  elements: number;
  equal: number;
  finite: number;
  nonFiniteA: number;
  nonFiniteB: number;
  lost: number;
  maxAbs: number;
  abs: number;
  squaredError: number;
  squaredA: number;
  squaredB: number;
  product: number;
  rows: number;
  agreeing: number;
}

/** An accumulator for the output `name`. @param meaning what is known of it: of scores of classes the agreement is counted */
export function accumulateDifference(name: string, meaning?: OutputMeaning): OutputDifferenceAccumulator {
  const sums: Sums = {
    elements: 0,
    equal: 0,
    finite: 0,
    nonFiniteA: 0,
    nonFiniteB: 0,
    lost: 0,
    maxAbs: 0,
    abs: 0,
    squaredError: 0,
    squaredA: 0,
    squaredB: 0,
    product: 0,
    rows: 0,
    agreeing: 0,
  };
  let types: readonly [number, number] | undefined;
  let float = false;
  let shapeMismatches = 0;
  let incomparable: string | undefined;
  const channels = new ChannelNoise();
  return {
    add(a, b) {
      if (!types) {
        types = [a.dataType, b.dataType];
        float = isFloatTensor(a);
        incomparable = whyIncomparable(a, b);
      }
      if (incomparable !== undefined) return;
      if (a.dims.join() !== b.dims.join()) {
        shapeMismatches++;
        return;
      }
      if (!float) {
        addExact(sums, a, b);
        return;
      }
      const x = floatElements(a);
      const y = floatElements(b);
      addFloats(sums, x, y);
      channels.add(x, y, a.dims);
      if (meaning?.kind === 'scores') addTop1(sums, x, y, a.dims, meaning.axis ?? -1);
    },
    result() {
      const { elements, finite } = sums;
      const difference: OutputDifference = {
        name,
        dataTypeA: dataTypeName(types?.[0] ?? 0),
        dataTypeB: dataTypeName(types?.[1] ?? 0),
        elements,
        exactEqual: sums.equal / elements,
        shapeMismatches,
        nonFinite: { a: sums.nonFiniteA, b: sums.nonFiniteB, lost: sums.lost },
      };
      if (incomparable !== undefined) return { ...difference, incomparable };
      if (elements === 0 && shapeMismatches > 0)
        return { ...difference, incomparable: 'the shapes differ in every run' };
      if (!float || elements === 0) return difference;
      if (finite === 0) return { ...difference, incomparable: whyNothingFinite(sums) };
      const worstChannel = channels.worst();
      return {
        ...difference,
        maxAbs: sums.maxAbs,
        meanAbs: sums.abs / finite,
        rmse: Math.sqrt(sums.squaredError / finite),
        sqnrDb: sqnrDb(sums.squaredA, sums.squaredError),
        cosine: cosine(sums),
        ...(worstChannel && { worstChannel }),
        ...(sums.rows > 0 &&
          meaning && {
            top1Agreement: proportion(sums.agreeing, sums.rows),
            classScores: { because: meaning.because, exclusive: meaning.exclusive },
          }),
      };
    },
  };
}

function whyNothingFinite({ nonFiniteA, nonFiniteB, elements }: Sums): string {
  if (nonFiniteA < elements && nonFiniteB === elements) return 'every value of B is NaN or infinite';
  if (nonFiniteB < elements && nonFiniteA === elements) return 'every value of A is NaN or infinite';
  return nonFiniteA === elements && nonFiniteB === elements
    ? 'every value of A and of B is NaN or infinite'
    : 'no value is finite in both';
}

/** Signal to quantization noise ratio in dB from sums of squares: Infinity without noise, -Infinity without signal. */
export function sqnrDb(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

function cosine({ squaredA, squaredB, product }: Sums): number {
  if (squaredA === 0 && squaredB === 0) return 1;
  if (squaredA === 0 || squaredB === 0) return 0;
  return Math.min(1, Math.max(-1, product / (Math.sqrt(squaredA) * Math.sqrt(squaredB))));
}

function kindOf(tensor: EvaluatedTensor): string {
  if (isFloatTensor(tensor)) return 'float';
  return typeof tensor.data[0] === 'string' ? 'string' : 'integer';
}

function whyIncomparable(a: EvaluatedTensor, b: EvaluatedTensor): string | undefined {
  if (a.dataType === b.dataType || kindOf(a) === kindOf(b)) return undefined;
  return `${dataTypeName(a.dataType)} against ${dataTypeName(b.dataType)}`;
}

function addFloats(sums: Sums, a: Float32Array | Float64Array, b: Float32Array | Float64Array): void {
  let { equal, finite, maxAbs, abs, squaredError, squaredA, squaredB, product } = sums;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    const error = x - y;
    // Not finite in either, or two doubles so far apart that their difference is not.
    if (error - error !== 0) {
      const finiteX = x - x === 0;
      const finiteY = y - y === 0;
      if (!finiteX) sums.nonFiniteA++;
      if (!finiteY) sums.nonFiniteB++;
      if (finiteX && !finiteY) sums.lost++;
      if (Object.is(x, y)) equal++;
      continue;
    }
    if (error === 0) equal++;
    const size = Math.abs(error);
    if (size > maxAbs) maxAbs = size;
    finite++;
    abs += size;
    squaredError += error * error;
    squaredA += x * x;
    squaredB += y * y;
    product += x * y;
  }
  sums.elements += a.length;
  Object.assign(sums, { equal, finite, maxAbs, abs, squaredError, squaredA, squaredB, product });
}

function addExact(sums: Sums, a: EvaluatedTensor, b: EvaluatedTensor): void {
  const { length } = a.data;
  // int32 against int64 is number against bigint.
  const mixed = typeof a.data[0] !== typeof b.data[0];
  for (let i = 0; i < length; i++) {
    const x = a.data[i];
    const y = b.data[i];
    if (mixed ? Number(x) === Number(y) : x === y) sums.equal++;
  }
  sums.elements += length;
}

/** Rows along `axis`, which counts from the end where negative. The first axis is that of samples: it has no classes. */
function addTop1(
  sums: Sums,
  a: Float32Array | Float64Array,
  b: Float32Array | Float64Array,
  dims: readonly number[],
  axis: number,
): void {
  const at = axis < 0 ? axis + dims.length : axis;
  const classes = dims[at] ?? 1;
  if (at < 1 || classes < 2) return;
  const stride = dims.slice(at + 1).reduce((product, size) => product * size, 1);
  for (let start = 0; start < a.length; start += classes * stride) {
    for (let i = start; i < start + stride; i++) {
      const best = argMax(a, i, classes, stride);
      sums.rows++;
      if (best >= 0 && best === argMax(b, i, classes, stride)) sums.agreeing++;
    }
  }
}
