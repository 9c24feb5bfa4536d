import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { isFloat } from '../../tensor/dtype.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { shapeOf } from '../types.js';
import { uniformElement } from '../uniform.js';
import { broadcastKeeps } from './broadcast-keeps.js';
import { passThrough } from './pass-through.js';

/**
 * `x + 0` and `x - (-0)` of floats, which differs from `x` in one way: a -0 becomes 0.
 *
 * Fires when one operand is a constant of zeros and broadcasting with it keeps the shape of `x`. Refuses: where a
 * division, a power or a bit cast reads the sum, since those distinguish -0 from 0. Numerics: nothing but the sign of a
 * zero changes.
 */
export const eliminateAddZero = defineRewrite<object>({
  name: 'eliminate-add-zero',
  summary: 'Removes the addition of zero to floats.',
  group: 'eliminate',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Add', 'Sub'],
  rules: () => ({ match: matchAddZero }),
});

/** Operators that may give another result for -0 than for 0. */
const TELLS_ZEROS_APART: ReadonlySet<string> = new Set(['Div', 'Reciprocal', 'Pow', 'BitCast', 'Atan2']);

function matchAddZero(node: Node, context: RewriteContext): Match {
  const output = node.outputs[0];
  if (!output || hasReference(node)) return undefined;
  for (const slot of node.is('Add') ? [1, 0] : [1]) {
    const [constant, other] = [node.input(slot), node.input(1 - slot)];
    if (!constant || !other || !isZeros(constant, context)) continue;
    if (!broadcastKeeps(shapeOf(other), shapeOf(constant)))
      return `the zeros make the result larger than "${other.name}"`;
    for (const { opType } of output.consumers())
      if (TELLS_ZEROS_APART.has(opType)) return `${opType} reads it and may distinguish -0 from 0`;
    return passThrough(node, other, output);
  }
  return undefined;
}

function isZeros(value: Value, context: RewriteContext): boolean {
  const tensor = context.constant(value);
  return tensor !== undefined && isFloat(tensor.dataType) && uniformElement(tensor) === 0;
}
