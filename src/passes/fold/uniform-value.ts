import type { Value } from '../../ir/value.js';
import { uniformElement } from '../eliminate/uniform.js';
import type { RewriteContext } from '../engine/rewrite.js';

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
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
]);

const MAX_DEPTH = 12;

/**
 * The integer that every element of a value is whatever its shape, if it has elements at all: of constants, of what is
 * picked and repeated from them, and of ConstantOfShape. Undefined where that is not known.
 */
export function uniformInteger(value: Value | undefined, context: RewriteContext, depth = 0): number | undefined {
  if (!value || depth > MAX_DEPTH) return undefined;
  const tensor = context.constant(value);
  const node = value.producer;
  const number = tensor
    ? uniformElement(tensor)
    : node?.is('ConstantOfShape')
      ? filling(node.tensor('value'), node.attributes.has('value'))
      : undefined;
  if (number !== undefined) return Number.isInteger(number) ? number : undefined;
  if (node?.domain !== '') return undefined;
  if (TAKES_ELEMENTS.has(node.opType)) return uniformInteger(node.input(0), context, depth + 1);
  if (node.is('Concat')) {
    const [first, ...others] = node.inputs.map((input) => uniformInteger(input, context, depth + 1));
    return others.every((other) => other === first) ? first : undefined;
  }
  if (node.is('Where')) {
    const [yes, no] = [1, 2].map((slot) => uniformInteger(node.input(slot), context, depth + 1));
    return yes === no ? yes : undefined;
  }
  return undefined;
}

function filling(value: Parameters<typeof uniformElement>[0] | undefined, given: boolean): number | undefined {
  if (value) return uniformElement(value);
  return given ? undefined : 0;
}
