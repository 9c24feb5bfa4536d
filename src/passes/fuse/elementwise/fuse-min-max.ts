import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';

/**
 * Min(Min(a, b), c) = Min(a, b, c), and the same for Max.
 *
 * Fires for any inputs, constant or not, when nothing else reads the inner one. Numerics: reassociates, by the sign of zero only. Reference: ONNX operators
 * Min-13 and Max-13, which broadcast any number of inputs.
 */
export const fuseMinMax = defineRewrite<object>({
  name: 'fuse-min-max',
  summary: 'Merges nested Min, and nested Max.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [8, null],
  options: {},
  roots: ['Min', 'Max'],
  rules: () => ({ match }),
});

function match(node: Node): Match {
  const isInner = (slot: number): boolean => {
    const value = node.input(slot);
    return value?.producer?.is(node.opType) === true && onlyConsumer(value) === node;
  };
  const slots = [...node.inputs.keys()].filter(isInner);
  if (slots.length === 0) return undefined;
  const inner = slots.flatMap((slot) => node.input(slot)?.producer ?? []);
  return {
    nodes: [node, ...inner],
    apply() {
      const inputs = node.inputs.flatMap((input, slot) =>
        slots.includes(slot) ? (input?.producer?.inputs ?? []) : [input],
      );
      return takeOver(node, { opType: node.opType, inputs: [...new Set(inputs)] });
    },
  };
}
