import { logSumExp } from './host-numbers.js';

/**
 * What CTC takes as the loss of a label: minus the logarithm of the probability of all paths that decode to it, in nats. Infinity
 * where there are too few steps for it. Source: A. Graves and others, "Connectionist temporal classification", ICML 2006.
 * @param values scores [steps, classes] in row-major order from `start`: logits, or probabilities where `probabilities` is true
 */
export function ctcLoss(
  values: ArrayLike<number>,
  start: number,
  shape: { readonly steps: number; readonly classes: number; readonly blank: number; readonly probabilities: boolean },
  label: readonly number[],
): number {
  const { steps, classes, blank, probabilities } = shape;
  // Blanks before, between and behind the symbols.
  const symbols = [blank, ...label.flatMap((symbol) => [symbol, blank])];
  const logs = new Float64Array(symbols.length);
  let paths = new Float64Array(symbols.length).fill(Number.NEGATIVE_INFINITY);
  let next = new Float64Array(symbols.length);
  for (let step = 0; step < steps; step++) {
    const from = start + step * classes;
    const total = probabilities ? logOfSum(values, from, classes) : logSumExp(values, from, classes);
    for (const [i, symbol] of symbols.entries()) {
      const value = values[from + symbol] as number;
      logs[i] = (probabilities ? Math.log(value) : value) - total;
    }
    for (let i = 0; i < symbols.length; i++) {
      if (step === 0) {
        next[i] = i < 2 ? (logs[i] as number) : Number.NEGATIVE_INFINITY;
        continue;
      }
      let sum = logAdd(paths[i] as number, i > 0 ? (paths[i - 1] as number) : Number.NEGATIVE_INFINITY);
      // A blank may be left out between symbols that differ.
      if (i > 1 && symbols[i] !== blank && symbols[i] !== symbols[i - 2]) sum = logAdd(sum, paths[i - 2] as number);
      next[i] = sum + (logs[i] as number);
    }
    [paths, next] = [next, paths];
  }
  const last = symbols.length - 1;
  return -logAdd(paths[last] as number, last > 0 ? (paths[last - 1] as number) : Number.NEGATIVE_INFINITY);
}

function logAdd(a: number, b: number): number {
  const larger = Math.max(a, b);
  return larger === Number.NEGATIVE_INFINITY ? larger : larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
}

function logOfSum(values: ArrayLike<number>, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += values[i] as number;
  return Math.log(sum);
}
