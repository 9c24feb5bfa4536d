import { dataTypeName } from '../tensor/dtype.js';
import { type EvaluatedTensor, floatElements, isFloatTensor } from './host-numbers.js';

/** How far an output may be from what the reference gave for the same inputs. */
export interface Tolerance {
  /** Bit for bit, but that any NaN is as good as any other. The other fields do not count then. */
  readonly exact: boolean;
  /** Of the reference's element. */
  readonly relative: number;
  /** Of the largest finite magnitude in the reference's output. */
  readonly ofLargest: number;
  /** Share of the elements of an integer, bool or string output that may differ: ties that rounding decides. */
  readonly ties: number;
}

/** The largest error of one element so far. */
export interface WorstError {
  readonly abs: number;
  /** Of the largest finite magnitude in the reference's output. */
  readonly ofLargest: number;
}

/** How near an output came, over all runs. */
export interface OutputAgreement {
  readonly name: string;
  readonly elements: number;
  /** Elements equal bit for bit, but for the kind of NaN. */
  readonly equal: number;
  readonly worst: WorstError;
}

export interface OutputCheck {
  readonly elements: number;
  /** Elements that are equal bit for bit, but for the kind of NaN. */
  readonly equal: number;
  readonly worst: WorstError;
  /** Why the output counts as wrong, for example `element 3 is 0.5 instead of 0.25 (12 of 100 elements differ)`. */
  readonly wrong?: string;
}

export interface CheckOptions {
  readonly tolerance: Tolerance;
  /**
   * The inputs were NaN, infinite or extreme: where the reference is not finite itself, a result within rounding of it may
   * be anything.
   */
  readonly edge: boolean;
  /**
   * Floats inside may overflow: then rounding decides which index, comparison or class comes of it, and integers, booleans
   * and strings say nothing within rounding.
   */
  readonly extreme: boolean;
  /**
   * What the reference gave when it was optimized by ONNX Runtime: what it differs by from itself is noise that the
   * result may have as well.
   */
  readonly noisy?: EvaluatedTensor | undefined;
}

/** How much of the reference's own noise a result may add: it is rounded in other places, not in more. */
const NOISE_FACTOR = 4;

/** Compares one output of the model under test with the reference's. */
export function checkOutput(reference: EvaluatedTensor, tested: EvaluatedTensor, options: CheckOptions): OutputCheck {
  const nothing = { elements: 0, equal: 0, worst: { abs: 0, ofLargest: 0 } };
  // A shape that depends on the numbers, and differs by rounding alone, says nothing.
  const noisy = options.tolerance.exact ? undefined : options.noisy;
  if (noisy && !sameDims(reference, noisy)) return nothing;
  const wrong = whyTypesDiffer(reference, tested);
  if (wrong !== undefined) return { ...nothing, wrong };
  return isFloatTensor(reference)
    ? checkFloats(reference, tested, options, noisy)
    : checkExactly(reference, tested, options, noisy);
}

/** Why two tensors are not of one type and shape; undefined when they are. */
export function whyTypesDiffer(reference: EvaluatedTensor, tested: EvaluatedTensor): string | undefined {
  if (reference.dataType !== tested.dataType)
    return `it is ${dataTypeName(tested.dataType)} instead of ${dataTypeName(reference.dataType)}`;
  return sameDims(reference, tested) ? undefined : `its shape is [${tested.dims}] instead of [${reference.dims}]`;
}

function checkFloats(
  reference: EvaluatedTensor,
  tested: EvaluatedTensor,
  { tolerance, edge }: CheckOptions,
  noisyTensor: EvaluatedTensor | undefined,
): OutputCheck {
  const a = floatElements(reference);
  const b = floatElements(tested);
  const noisy = noisyTensor && floatElements(noisyTensor);
  const largest = largestFinite(a);
  const floor = tolerance.ofLargest * largest + NOISE_FACTOR * (noisy ? largestDifference(a, noisy) : 0);
  let equal = 0;
  let wrong = 0;
  let firstWrong = -1;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (Object.is(x, y)) {
      equal++;
      continue;
    }
    const error = Math.abs(x - y);
    if (error > worst && error < Number.POSITIVE_INFINITY) worst = error;
    if (!tolerance.exact && isWithin(x, error, edge, tolerance.relative * Math.abs(x) + floor, noisy?.[i])) continue;
    wrong++;
    if (firstWrong < 0) firstWrong = i;
  }
  const check = {
    elements: a.length,
    equal,
    worst: { abs: worst, ofLargest: largest === 0 ? 0 : worst / largest },
  };
  if (wrong === 0) return check;
  return { ...check, wrong: describe(firstWrong, a[firstWrong], b[firstWrong], wrong, a.length) };
}

/** Whether an element that is off by `error` stands for the reference's `x` within rounding. */
function isWithin(x: number, error: number, edge: boolean, allowed: number, noisy: number | undefined): boolean {
  const finite = x - x === 0;
  // Where the tested element is not finite, neither is the error. True for zeros of different signs.
  if (finite && error <= allowed) return true;
  // Where rounding decides whether the reference overflows, nothing is to be held against the result.
  if (noisy !== undefined && finite !== (noisy - noisy === 0)) return true;
  return !finite && edge;
}

function checkExactly(
  reference: EvaluatedTensor,
  tested: EvaluatedTensor,
  { tolerance: { exact, ties }, extreme }: CheckOptions,
  noisy: EvaluatedTensor | undefined,
): OutputCheck {
  const { length } = reference.data;
  let equal = 0;
  let wrong = 0;
  let firstWrong = -1;
  for (let i = 0; i < length; i++) {
    if (reference.data[i] === tested.data[i]) {
      equal++;
      continue;
    }
    if (noisy && noisy.data[i] !== reference.data[i]) continue;
    wrong++;
    if (firstWrong < 0) firstWrong = i;
  }
  const check = { elements: length, equal, worst: { abs: 0, ofLargest: 0 } };
  if (wrong <= (exact ? 0 : extreme ? length : ties * length)) return check;
  return { ...check, wrong: describe(firstWrong, reference.data[firstWrong], tested.data[firstWrong], wrong, length) };
}

function describe(index: number, wanted: unknown, given: unknown, wrong: number, length: number): string {
  const count = length === 1 ? '' : ` (${wrong} of ${length} elements differ)`;
  return `element ${index} is ${text(given)} instead of ${text(wanted)}${count}`;
}

function text(element: unknown): string {
  if (typeof element === 'string') return JSON.stringify(element.slice(0, 40));
  return Object.is(element, -0) ? '-0' : String(element);
}

function sameDims(a: EvaluatedTensor, b: EvaluatedTensor): boolean {
  return a.dims.length === b.dims.length && a.dims.every((dim, axis) => dim === b.dims[axis]);
}

function largestFinite(values: Float32Array | Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}

function largestDifference(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs((a[i] as number) - (b[i] as number));
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}
