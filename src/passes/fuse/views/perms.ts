/** Permutations of axes as Transpose has them: output axis `i` is input axis `perm[i]`. */
import type { Node } from '../../../ir/node.js';

export type Perm = readonly number[];

/** The permutation of a Transpose; a missing one reverses the axes. Undefined when it is not known or fits no tensor of this rank. */
export function permOf(node: Node, rank: number | undefined): Perm | undefined {
  if (!node.is('Transpose')) return undefined;
  if (!node.attributes.has('perm')) return rank === undefined ? undefined : reversed(rank);
  const perm = node.ints('perm');
  return perm && (rank === undefined || perm.length === rank) && isPerm(perm) ? perm : undefined;
}

function reversed(rank: number): Perm {
  return Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

function isPerm(perm: Perm): boolean {
  return new Set(perm).size === perm.length && perm.every((axis) => axis >= 0 && axis < perm.length);
}

/** The permutation of `second` applied to what `first` gives. */
export function composePerms(first: Perm | undefined, second: Perm | undefined): Perm | undefined {
  if (!first || !second || first.length !== second.length) return undefined;
  return second.map((axis) => first[axis] as number);
}

export function invertPerm(perm: Perm): Perm {
  const inverse = new Array<number>(perm.length);
  perm.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}

export function isIdentityPerm(perm: Perm): boolean {
  return perm.every((axis, at) => axis === at);
}

export function samePerm(a: Perm, b: Perm): boolean {
  return a.length === b.length && a.every((axis, at) => axis === b[at]);
}
