import type { Value } from '../../ir/value.js';
import type { RewriteContext } from '../engine/rewrite.js';
import { uniformElement } from '../uniform.js';

/** Operators whose output holds elements of input 0 and nothing else, whatever their other inputs are. */
const TAKES_ELEMENTS: ReadonlySet<string> = new Set([
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'GatherND',
  'Identity',
  'Reshape',
  'Slice',
  'Split',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
]);

const MAX_DEPTH = 12;

/**
 * The number that every element of a value is whatever its shape, if it has elements at all: of constants, of what is
 * picked, repeated, cast and joined from them, and of ConstantOfShape. -0 is not 0. Undefined where that is not known.
 */
export function uniformNumber(value: Value | undefined, context: RewriteContext, depth = 0): number | undefined {
  if (!value || depth > MAX_DEPTH) return undefined;
  const tensor = context.constant(value);
  if (tensor) return uniformElement(tensor);
  const node = value.producer;
  if (node?.domain !== '') return undefined;
  if (node.is('ConstantOfShape')) return filling(node.tensor('value'), node.attributes.has('value'));
  if (TAKES_ELEMENTS.has(node.opType)) return uniformNumber(node.input(0), context, depth + 1);
  if (node.is('Cast') || node.is('CastLike')) {
    const number = uniformNumber(node.input(0), context, depth + 1);
    // 0 is 0 in every type; what others become is for the kernels to say.
    return Object.is(number, 0) ? 0 : undefined;
  }
  if (node.is('Concat')) return same(node.inputs, context, depth);
  if (node.is('Where')) return same([node.input(1), node.input(2)], context, depth);
  return undefined;
}

/** The same, where it is an integer. */
export function uniformInteger(value: Value | undefined, context: RewriteContext): number | undefined {
  const number = uniformNumber(value, context);
  return Number.isInteger(number) ? number : undefined;
}

function same(values: readonly (Value | undefined)[], context: RewriteContext, depth: number): number | undefined {
  const [first, ...others] = values.map((value) => uniformNumber(value, context, depth + 1));
  return others.every((other) => Object.is(other, first)) ? first : undefined;
}

function filling(value: Parameters<typeof uniformElement>[0] | undefined, given: boolean): number | undefined {
  if (value) return uniformElement(value);
  return given ? undefined : 0;
}
