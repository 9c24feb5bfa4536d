import { argMax } from './host-numbers.js';

/**
 * Greedy CTC decoding of one sequence: the likeliest class of each step, repeats merged, blanks dropped.
 * @param values scores [steps, classes] in C order from `start`.
 * Source: A. Graves and others, "Connectionist temporal classification", ICML 2006, best path decoding.
 */
export function decodeCtc(
  values: Float32Array | Float64Array,
  start: number,
  steps: number,
  classes: number,
  blank: number,
): number[] {
  const sequence: number[] = [];
  let last = -1;
  for (let step = 0; step < steps; step++) {
    const best = argMax(values, start + step * classes, classes);
    if (best !== last && best !== blank) sequence.push(best);
    last = best;
  }
  return sequence;
}
