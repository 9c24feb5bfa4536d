import type { Node } from '../../ir/node.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match } from '../engine/rewrite.js';
import { dataTypeOf } from '../types.js';
import { passThrough } from './pass-through.js';

/**
 * Cast and CastLike to the type that the input already has.
 *
 * Fires when the element type of the input is known and is the wanted one. Numerics: exact.
 */
export const eliminateNoOpCast = defineRewrite<object>({
  name: 'eliminate-no-op-cast',
  summary: 'Removes Cast and CastLike that do not change the type.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Cast', 'CastLike', 'BitCast'],
  rules: () => ({ match: matchCast }),
});

function matchCast(node: Node): Match {
  const input = node.input(0);
  const output = node.outputs[0];
  if (!input || !output || hasReference(node)) return undefined;
  const from = dataTypeOf(input);
  return from !== undefined && from === wantedType(node) ? passThrough(node, input, output) : undefined;
}

/** The type that a Cast, CastLike or BitCast gives; before opset 6 a Cast names it in words. */
function wantedType(node: Node): DataTypeCode | undefined {
  if (node.is('CastLike')) return dataTypeOf(node.input(1));
  const to = node.attributes.get('to')?.value;
  if (to?.kind === 'int') return Number(to.value);
  return to?.kind === 'string'
    ? (DataType as Readonly<Record<string, DataTypeCode>>)[node.string('to', '')]
    : undefined;
}
