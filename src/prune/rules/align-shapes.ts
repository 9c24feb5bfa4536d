import type { Dim } from '../../ir/type.js';

/** Axes of two shapes that hold the same elements: these of the left are those of the right. */
export interface AlignedAxes {
  readonly left: readonly number[];
  readonly right: readonly number[];
}

/** Where axes meet sizes that are not numbers: whole numbers of the left there are whole numbers of the right, but for a factor. */
export interface OpenAxes {
  /** From which end the axes count: outermost or innermost of what is open. */
  readonly side: 'outer' | 'inner';
  /** Axes of numbers, in their order; either may be empty. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** The axes of unknown size next to them, in which the rest of the larger product is. */
  readonly nextLeft: number | undefined;
  readonly nextRight: number | undefined;
}

export interface Alignment {
  readonly pairs: readonly AlignedAxes[];
  readonly open: readonly OpenAxes[];
}

/**
 * Pairs the axes of a shape with those of another one with the same elements in the same order: the shortest runs of equal
 * product, from both ends. Sizes that are not numbers match by their text. What lies between in a way that is not understood is
 * left out, but for the numbers at both ends of it.
 */
export function alignShapes(left: readonly Dim[], right: readonly Dim[]): Alignment {
  const pairs: AlignedAxes[] = [];
  const [i, j] = walk(left, right, pairs);
  const reversed: AlignedAxes[] = [];
  const leftRest = left.slice(i).reverse();
  const rightRest = right.slice(j).reverse();
  const [u, v] = walk(leftRest, rightRest, reversed);
  for (const { left: a, right: b } of reversed) {
    pairs.push({
      left: a.map((at) => left.length - 1 - at).reverse(),
      right: b.map((at) => right.length - 1 - at).reverse(),
    });
  }
  return { pairs, open: openEnds(left, right, [i, left.length - u], [j, right.length - v]) };
}

type Range = readonly [from: number, to: number];

/** The numbers at both ends of what was not paired. */
function openEnds(left: readonly Dim[], right: readonly Dim[], l: Range, r: Range): OpenAxes[] {
  const isNumber = (dims: readonly Dim[]) => (at: number) => typeof dims[at] === 'number';
  const [ls, rs] = [range(...l), range(...r)];
  if (ls.every(isNumber(left)) || rs.every(isNumber(right))) return [];
  const ends: OpenAxes[] = [];
  for (const side of ['outer', 'inner'] as const) {
    const [a, b] = side === 'outer' ? [ls, rs] : [[...ls].reverse(), [...rs].reverse()];
    const leading = (axes: readonly number[], dims: readonly Dim[]): number[] =>
      axes.slice(
        0,
        axes.findIndex((at) => !isNumber(dims)(at)),
      );
    const [x, y] = [leading(a, left), leading(b, right)];
    if (x.length === 0 && y.length === 0) continue;
    const inOrder = (axes: number[]): number[] => axes.sort((p, q) => p - q);
    ends.push({
      side,
      nextLeft: a[x.length],
      nextRight: b[y.length],
      left: inOrder(x),
      right: inOrder(y),
    });
  }
  return ends;
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
