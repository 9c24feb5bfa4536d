/** Reductions: which axes they go over, and whether these stay as axes of size 1. */
import type { Attribute } from '../ir/attribute.js';
import { attribute } from '../ir/attribute.js';
import type { Node } from '../ir/node.js';
import { hasReference, readList } from './engine/operands.js';
import type { RewriteContext } from './engine/rewrite.js';
import { frontAxis, rankOf } from './types.js';

const REDUCTIONS: ReadonlySet<string> = new Set([
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSum',
  'ReduceSumSquare',
]);

const ARGUMENTS: ReadonlySet<string> = new Set(['ArgMax', 'ArgMin']);

export function isReduction(node: Node): boolean {
  return node.domain === '' && (REDUCTIONS.has(node.opType) || ARGUMENTS.has(node.opType));
}

export interface Reduction {
  /** Sorted, counted from the front where the rank is known, else as given. */
  readonly axes: readonly number[];
  readonly keepsAxes: boolean;
}

/**
 * Axes of a Reduce operator, ArgMax or ArgMin. Undefined where they are computed, count from the end of an unknown rank,
 * mean "all" there, or where the operator does nothing at all.
 */
export function readReduction(context: RewriteContext, node: Node): Reduction | undefined {
  if (!isReduction(node) || hasReference(node)) return undefined;
  const rank = rankOf(node.input(0));
  const keepsAxes = node.int('keepdims', 1) !== 0;
  const given = ARGUMENTS.has(node.opType) ? [node.int('axis', 0)] : readList(context, node, 'axes', 1);
  if (given === 'unknown') return undefined;
  if (given === 'absent' || given.length === 0) {
    if (rank === undefined || node.int('noop_with_empty_axes', 0) !== 0) return undefined;
    return { axes: Array.from({ length: rank }, (_, axis) => axis), keepsAxes };
  }
  const axes = new Set<number>();
  for (const axis of given) {
    const front = rank === undefined ? axis : frontAxis(axis, rank);
    if (front === undefined || front < 0) return undefined;
    axes.add(front);
  }
  return { axes: [...axes].sort((a, b) => a - b), keepsAxes };
}

/** The attributes of a reduction, but with this `keepdims`. */
export function withKeepdims(node: Node, keepsAxes: boolean): Attribute[] {
  const rest = [...node.attributes.values()].filter(({ name }) => name !== 'keepdims');
  return keepsAxes ? rest : [...rest, attribute('keepdims', 0)];
}
