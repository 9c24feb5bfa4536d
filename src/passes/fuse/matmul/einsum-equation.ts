import type { Node } from '../../../ir/node.js';

/** An Einsum equation: the letters of each operand, and those of the output. */
export interface Equation {
  readonly operands: readonly string[];
  readonly output: string;
}

/**
 * The equation of an Einsum with its output spelt out. Undefined for an ellipsis, a letter that an operand has twice (a
 * diagonal), and what does not fit the node.
 */
export function readEquation(node: Node): Equation | undefined {
  if (!node.is('Einsum') || node.attributes.get('equation')?.value.kind !== 'string') return undefined;
  const text = node.string('equation', '').replace(/\s+/g, '');
  const [left = '', right, ...more] = text.split('->');
  const operands = left.split(',');
  const output = right ?? implicitOutput(left);
  const terms = [...operands, output];
  if (more.length > 0 || operands.length !== node.inputs.length || !terms.every(isPlain)) return undefined;
  return [...output].every((letter) => left.includes(letter)) ? { operands, output } : undefined;
}

/** Without an arrow the output has the letters that appear once, in alphabetical order. */
function implicitOutput(left: string): string {
  const letters = [...left.replaceAll(',', '')];
  return letters
    .filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
    .sort()
    .join('');
}

function isPlain(term: string): boolean {
  return /^[A-Za-z]*$/.test(term) && new Set(term).size === term.length;
}

export function equationText({ operands, output }: Equation): string {
  return `${operands.join()}->${output}`;
}

/** How MatMul or another operator computes an equation of two operands. */
export interface PairProduct {
  readonly opType: 'MatMul' | 'Mul';
  /** True when the second operand comes first. */
  readonly swapped: boolean;
  /** Letters that are summed over: their sizes must be the same in both operands. */
  readonly summed: string;
}

/** The one operator that computes an equation of two operands without moving axes; undefined where there is none. */
export function pairProduct({ operands, output }: Equation): PairProduct | undefined {
  const [a = '', b = ''] = operands;
  if (operands.length !== 2) return undefined;
  for (const [left, right, swapped] of [
    [a, b, false],
    [b, a, true],
  ] as const) {
    if (left === output && output.endsWith(right)) return { opType: 'Mul', swapped, summed: '' };
    const summed = [...left].filter((letter) => right.includes(letter) && !output.includes(letter)).join('');
    if (summed.length === 1 && isMatrixProduct(left, right, output, summed))
      return { opType: 'MatMul', swapped, summed };
  }
  return undefined;
}

/** True for `…mk,…kn->…mn`, with the batch of the second operand at the end of that of the first, and the forms with vectors. */
function isMatrixProduct(left: string, right: string, output: string, summed: string): boolean {
  if (!left.endsWith(summed)) return false;
  const rows = left.slice(0, -1);
  if (right === summed) return output === rows;
  const [inner, column] = right.slice(-2);
  if (inner !== summed || column === undefined || left.includes(column)) return false;
  const batch = right.slice(0, -2);
  // A vector on the left takes no part in a batch.
  if (rows === '') return batch === '' && output === column;
  return output === rows + column && rows.slice(0, -1).endsWith(batch) && !batch.includes(rows.slice(-1));
}
