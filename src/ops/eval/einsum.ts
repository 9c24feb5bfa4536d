import { type DataTypeCode, isFloat } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { rowStrides } from '../infer/elements.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { numbersOf, numberTensor } from './lane.js';
import { MOST_PRODUCTS } from './matmul.js';

interface Equation {
  readonly terms: readonly string[];
  readonly output: string;
}

/** Products of elements, summed over the letters that the output does not have. Small and of floats only. */
function einsum(context: KernelContext): Tensor {
  const inputs = context.allInputs();
  const type = inputs[0]?.dataType as DataTypeCode;
  if (!isFloat(type)) refuse('only floating-point numbers are supported');
  const { terms, output } = parseEquation(context.string('equation') ?? '', inputs);
  const sizes = letterSizes(terms, inputs);
  const summed = [...sizes.keys()].filter((letter) => !output.includes(letter));
  const letters = [...output, ...summed];
  const dims = letters.map((letter) => sizes.get(letter) ?? refuse(`letter ${letter} does not appear in any term`));
  const outputDims = dims.slice(0, output.length);
  context.allow(type, outputDims);
  if (elementCount(dims) * inputs.length > MOST_PRODUCTS) refuse('the product is too large');
  const strides = terms.map((term, at) => letterStrides(term, inputs[at] as Tensor, letters));
  const result = sumOfProducts(inputs.map(numbersOf), strides, dims, elementCount(outputDims));
  return numberTensor(type, outputDims, result);
}

/** Ellipses become capital letters, the last axis A. */
function parseEquation(text: string, inputs: readonly Tensor[]): Equation {
  const equation = text.replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const parts = left.split(',');
  if (!/^[a-z.,]*(->[a-z.]*)?$/.test(equation) || parts.length !== inputs.length)
    refuse(`equation "${text}" is not supported`);
  let widest = 0;
  const terms = parts.map((part, at) => {
    const rank = (inputs[at] as Tensor).rank;
    const named = part.replace('...', '').length;
    const open = part.includes('...') ? rank - named : 0;
    if (open < 0 || named + open !== rank || part.replace('...', '').includes('.'))
      refuse(`term "${part}" does not fit rank ${rank}`);
    widest = Math.max(widest, open);
    return part.replace('...', ellipsis(open));
  });
  const output = right === undefined ? implicitOutput(terms, widest) : right.replace('...', ellipsis(widest));
  if (output.includes('.') || new Set(output).size !== output.length) refuse(`output "${right}" is not supported`);
  return { terms, output };
}

function ellipsis(count: number): string {
  return Array.from({ length: count }, (_, at) => String.fromCharCode(65 + count - 1 - at)).join('');
}

function implicitOutput(terms: readonly string[], widest: number): string {
  const letters = terms.join('').replaceAll(/[A-Z]/g, '');
  const once = [...new Set(letters)].filter((letter) => letters.split(letter).length === 2).sort();
  return ellipsis(widest) + once.join('');
}

function letterSizes(terms: readonly string[], inputs: readonly Tensor[]): Map<string, number> {
  const sizes = new Map<string, number>();
  terms.forEach((term, at) => {
    [...term].forEach((letter, axis) => {
      const size = inputs[at]?.dims[axis] as number;
      const known = sizes.get(letter) ?? 1;
      if (size !== 1 && known !== 1 && size !== known) refuse(`letter ${letter} has sizes ${known} and ${size}`);
      sizes.set(letter, known === 1 ? size : known);
    });
  });
  return sizes;
}

/** How far each letter moves in a term; a letter that is there twice walks the diagonal. */
function letterStrides(term: string, tensor: Tensor, letters: readonly string[]): number[] {
  const strides = rowStrides(tensor.dims);
  return letters.map((letter) =>
    [...term].reduce((sum, own, axis) => {
      const moves = own === letter && tensor.dims[axis] !== 1;
      return sum + (moves ? (strides[axis] as number) : 0);
    }, 0),
  );
}

function sumOfProducts(
  lanes: readonly Float64Array[],
  strides: readonly (readonly number[])[],
  dims: readonly number[],
  count: number,
): Float64Array {
  const result = new Float64Array(count);
  const total = elementCount(dims);
  const inner = count === 0 ? 0 : total / count;
  const index = new Array<number>(dims.length).fill(0);
  const offsets = lanes.map(() => 0);
  for (let n = 0; n < total; n++) {
    let product = 1;
    for (let term = 0; term < lanes.length; term++)
      product *= (lanes[term] as Float64Array)[offsets[term] as number] as number;
    const at = Math.floor(n / inner);
    result[at] = (result[at] as number) + product;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const isOver = index[axis] === (dims[axis] as number) - 1;
      const step = isOver ? -(index[axis] as number) : 1;
      index[axis] = (index[axis] as number) + step;
      for (let term = 0; term < lanes.length; term++)
        offsets[term] = (offsets[term] as number) + step * (strides[term]?.[axis] as number);
      if (!isOver) break;
    }
  }
  return result;
}

export const einsumKernels: KernelTable = [['Einsum', einsum]];
