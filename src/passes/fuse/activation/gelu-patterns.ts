/** The two forms of the Gaussian error linear unit as exporters write them. */
import { either, type Operand, op, type Pattern } from '../../engine/pattern.js';

const ERF = op('Erf', [either(op('Div', ['x', Math.SQRT2]), op('Mul', ['x', Math.SQRT1_2]))]);

/** x · (1 + erf(x / √2)) / 2. */
export const ERF_GELU: readonly Pattern[] = halfOfProduct(ERF);

const CUBE = either(op('Pow', ['x', 3]), op('Mul', ['x', 'x', 'x']), op('Mul', ['x', square()]));
const A = 0.044715;
const ROOT = Math.sqrt(2 / Math.PI);

/** √(2/π) · (x + 0.044715 · x³), with the common factors taken out or not. */
const TANH = op('Tanh', [
  either(
    op('Mul', [ROOT, op('Add', ['x', either(op('Mul', [A, CUBE]), op('Mul', [A, 'x', 'x', 'x']))])]),
    op('Mul', ['x', ROOT, op('Add', [1, squareTimes(A)])]),
    op('Mul', ['x', op('Add', [ROOT, squareTimes(A * ROOT)])]),
  ),
]);

/** x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2. */
export const TANH_GELU: readonly Pattern[] = halfOfProduct(TANH);

function square(): Pattern {
  return either(op('Pow', ['x', 2]), op('Mul', ['x', 'x']));
}

function squareTimes(factor: number): Pattern {
  return either(op('Mul', [factor, square()]), op('Mul', [factor, 'x', 'x']));
}

/** x · (1 + f) / 2, halved wherever that can be. */
function halfOfProduct(f: Operand): Pattern[] {
  const sum = op('Add', [f, 1]);
  const half = op('Add', [op('Mul', [f, 0.5]), 0.5]);
  return [
    op('Mul', ['x', 0.5, sum]),
    op('Div', [op('Mul', ['x', sum]), 2]),
    op('Mul', [either(op('Div', ['x', 2]), op('Mul', ['x', 0.5])), sum]),
    op('Mul', ['x', either(op('Div', [sum, 2]), half)]),
  ];
}
