import { argMax, type EvaluatedTensor } from './host-numbers.js';

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

/**
 * The class that means "nothing": the first one, or, as some training tools have it, the last; that which the model gives more
 * often, unless the labels hold it where they are not filled up. @param values scores of one run, classes along the last axis
 */
export function blankOf(values: Float32Array | Float64Array, classes: number, labels: EvaluatedTensor): number {
  const last = classes - 1;
  if (last < 1 || holdsInside(labels, last)) return 0;
  if (holdsInside(labels, 0)) return last;
  let [first, final] = [0, 0];
  for (let start = 0; start + classes <= values.length; start += classes) {
    const best = argMax(values, start, classes);
    if (best === 0) first++;
    else if (best === last) final++;
  }
  return final > first ? last : 0;
}

/** Whether a class stands among labels before the end of a row that is filled up with it. */
function holdsInside({ data, dims }: EvaluatedTensor, wanted: number): boolean {
  const rows = dims[0] ?? 1;
  const width = data.length / Math.max(1, rows);
  for (let row = 0; row < rows; row++) {
    let end = (row + 1) * width;
    while (end > row * width && (Number(data[end - 1]) < 0 || Number(data[end - 1]) === wanted)) end--;
    for (let i = row * width; i < end; i++) if (Number(data[i]) === wanted) return true;
  }
  return false;
}
