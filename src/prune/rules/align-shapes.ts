import type { Dim } from '../../ir/type.js';

/** Axes of two shapes that hold the same elements: these of the left are those of the right. */
export interface AlignedAxes {
  readonly left: readonly number[];
  readonly right: readonly number[];
}

/**
 * Pairs the axes of a shape with those of another one with the same elements in the same order: the shortest runs of equal
 * product, from both ends. Sizes that are not numbers match by their text. What lies between in a way that is not understood is
 * left out: nothing is known of it.
 */
export function alignShapes(left: readonly Dim[], right: readonly Dim[]): AlignedAxes[] {
  const found: AlignedAxes[] = [];
  const [i, j] = walk(left, right, found);
  const rest: AlignedAxes[] = [];
  const leftRest = left.slice(i).reverse();
  const rightRest = right.slice(j).reverse();
  walk(leftRest, rightRest, rest);
  for (const { left: a, right: b } of rest) {
    found.push({
      left: a.map((at) => left.length - 1 - at).reverse(),
      right: b.map((at) => right.length - 1 - at).reverse(),
    });
  }
  return found;
}

/** Pairs runs from the start on, as long as they are understood. @returns how many of each were paired */
function walk(left: readonly Dim[], right: readonly Dim[], found: AlignedAxes[]): [number, number] {
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const a = left[i];
    const b = right[j];
    if (a === 1 && b !== 1) {
      i++;
      continue;
    }
    if (b === 1 && a !== 1) {
      j++;
      continue;
    }
    if (typeof a === 'string' || typeof b === 'string') {
      if (a !== b) return [i, j];
      found.push({ left: [i++], right: [j++] });
      continue;
    }
    if (a === undefined || b === undefined) return [i, j];
    const run = numericRun(left, right, i, j);
    if (run === undefined) return [i, j];
    found.push({ left: range(i, run[0]), right: range(j, run[1]) });
    [i, j] = run;
  }
  return [i, j];
}

/** The shortest runs of numbers with equal products. */
function numericRun(left: readonly Dim[], right: readonly Dim[], i: number, j: number): [number, number] | undefined {
  let a = left[i++];
  let b = right[j++];
  while (typeof a === 'number' && typeof b === 'number' && a !== b) {
    if (a < b) {
      const next = left[i++];
      a = typeof next === 'number' ? a * next : undefined;
    } else {
      const next = right[j++];
      b = typeof next === 'number' ? b * next : undefined;
    }
  }
  return a === b && typeof a === 'number' && i <= left.length && j <= right.length ? [i, j] : undefined;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
