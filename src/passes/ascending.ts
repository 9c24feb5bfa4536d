import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { readList } from './engine/operands.js';
import type { RewriteContext } from './engine/rewrite.js';
import { scalarOf } from './scalar.js';
import { frontAxis, rankOf, shapeOf } from './types.js';

const MAX_DEPTH = 12;

/**
 * The first number of a value whose last axis counts upwards by one, in every row alike: of a Range, of a constant that
 * does so, of a Slice of one. Undefined where that is not known.
 */
export function ascendingFrom(value: Value | undefined, context: RewriteContext, depth = 0): number | undefined {
  if (!value || depth > MAX_DEPTH) return undefined;
  const items = context.elements(value);
  const tensor = context.constant(value);
  if (tensor && tensor.rank > 0 && items === undefined) return firstOfCount(tensor.integers(), tensor.dims.at(-1) ?? 1);
  if (items) return items.dims.length > 0 ? firstOfCount(items.items, items.dims.at(-1) ?? 1) : undefined;
  const node = value.producer;
  if (node?.domain !== '') return undefined;
  const inner = () => ascendingFrom(node.input(0), context, depth + 1);
  switch (node.opType) {
    case 'Range': {
      const start = scalarOf(context.constant(node.input(0)));
      return scalarOf(context.constant(node.input(2))) === 1 ? start : undefined;
    }
    case 'Identity':
    case 'Cast':
      return inner();
    case 'Slice':
      return afterSlice(node, inner(), context);
    case 'Add': {
      for (const [slot, other] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const added = scalarOf(context.constant(node.input(other)));
        const start = added === undefined ? undefined : ascendingFrom(node.input(slot), context, depth + 1);
        if (added !== undefined && start !== undefined) return start + added;
      }
      return undefined;
    }
    case 'Reshape':
    case 'Unsqueeze':
    case 'Squeeze':
      return hasOneRow(node.input(0)) && hasOneRow(value) ? inner() : undefined;
    case 'Expand':
      return (rankOf(node.input(0)) ?? 0) > 0 && shapeOf(value)?.at(-1) === shapeOf(node.input(0))?.at(-1)
        ? inner()
        : undefined;
    default:
      return undefined;
  }
}

/** The first of numbers that count upwards in rows of this length. */
function firstOfCount(numbers: readonly unknown[], length: number): number | undefined {
  const [first] = numbers;
  if (typeof first !== 'number') return undefined;
  return numbers.every((number, index) => number === first + (index % length)) ? first : undefined;
}

/** True where all axes but the last have size 1. */
function hasOneRow(value: Value | undefined): boolean {
  const shape = shapeOf(value);
  return shape !== undefined && shape.length > 0 && shape.slice(0, -1).every((dim) => dim === 1);
}

/** A Slice from the front of the last axis, or from `start` on; where it ends only matters for its length. */
function afterSlice(node: Node, first: number | undefined, context: RewriteContext): number | undefined {
  const rank = rankOf(node.input(0));
  const [starts, steps, axes] = [
    readList(context, node, 'starts', 1),
    readList(context, node, 'steps', 4),
    readList(context, node, 'axes', 3),
  ];
  if (first === undefined || rank === undefined || typeof starts === 'string' || starts.length !== 1) return undefined;
  if (steps === 'unknown' || (steps !== 'absent' && steps[0] !== 1) || axes === 'unknown') return undefined;
  const axis = axes === 'absent' ? 0 : frontAxis(axes[0] ?? 0, rank);
  const [start = 0] = starts;
  return axis === rank - 1 && start >= 0 ? first + start : undefined;
}
