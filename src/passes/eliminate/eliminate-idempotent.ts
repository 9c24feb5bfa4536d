import type { Node } from '../../ir/node.js';
import { dataTypeRow } from '../../tensor/dtype.js';
import { sameAttributes } from '../attribute-key.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match } from '../engine/rewrite.js';
import { dataTypeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Operators whose repetition has no effect: `f(f(x)) = f(x)` for Abs, Ceil, Floor, Round, Sign, Relu, Trilu, Hardmax;
 * and Ceil, Floor and Round of values that are already integral, from one another or from integers.
 *
 * Fires when the input comes from such an operator with the same attributes and, besides the data, the same inputs.
 * Refuses nothing. Numerics: exact, for NaN and both zeros too.
 */
export const eliminateIdempotent = defineRewrite<object>({
  name: 'eliminate-idempotent',
  summary: 'Removes operators that repeat the one before them, such as Relu of Relu.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Abs', 'Ceil', 'Floor', 'Round', 'Sign', 'Relu', 'Trilu', 'Hardmax'],
  rules: () => ({ match: matchSecond }),
});

const ROUNDS: ReadonlySet<string> = new Set(['Ceil', 'Floor', 'Round']);

function matchSecond(node: Node): Match {
  const input = node.input(0);
  const inner = input?.producer;
  const output = node.outputs[0];
  if (!input || !inner || !output || inner.domain !== '' || hasReference(node) || hasReference(inner)) return undefined;
  return isDone(node, inner) ? passThrough(node, input, output) : undefined;
}

function isDone(node: Node, inner: Node): boolean {
  if (ROUNDS.has(node.opType)) return ROUNDS.has(inner.opType) || comesFromIntegers(inner);
  return (
    inner.opType === node.opType &&
    sameAttributes(node, inner) &&
    node.inputs.length === inner.inputs.length &&
    node.inputs.every((value, slot) => slot === 0 || value === inner.input(slot))
  );
}

/** A cast of integers to floats gives whole numbers, whatever it rounds to. */
function comesFromIntegers(inner: Node): boolean {
  const row = dataTypeRow(dataTypeOf(inner.input(0)) ?? 0);
  return inner.is('Cast') && (row?.kind === 'int' || row?.kind === 'uint' || row?.kind === 'bool');
}
