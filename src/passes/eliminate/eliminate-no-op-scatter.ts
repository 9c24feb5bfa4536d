import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { ascendingFrom } from '../ascending.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { giveOutput } from '../nodes.js';
import { sameDim, sameShape, shapeOf } from '../types.js';

/**
 * ScatterND that overwrites everything: `ScatterND(data, [[0], [1], …, [n-1]], updates) = updates`.
 *
 * Fires when the indices are 0, 1, 2, … along the first axis, constant or by Range, as many as the data has there, and the
 * updates have the shape of the data, symbolic sizes included.  An output of the
 * graph that is then an input or a constant comes from an Identity. Refuses: a reduction, which needs the data. Numerics: exact.
 */
export const eliminateNoOpScatter = defineRewrite<object>({
  name: 'eliminate-no-op-scatter',
  summary: 'Removes ScatterND that overwrites the whole tensor in order.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [11, null],
  options: {},
  roots: ['ScatterND'],
  rules: () => ({ match: matchScatter }),
});

function matchScatter(node: Node, context: RewriteContext): Match {
  const [data, indices, updates] = node.inputs;
  const output = node.outputs[0];
  if (!data || !indices || !updates || !output || hasReference(node)) return undefined;
  const places = shapeOf(indices);
  if (!sameShape(shapeOf(data), shapeOf(updates)) || places?.length !== 2 || places[1] !== 1) return undefined;
  if (!sameDim(places[0], shapeOf(data)?.[0]) || !isColumnInOrder(indices, context)) return undefined;
  const reduction = node.string('reduction', 'none');
  if (reduction !== 'none') return `it reduces by ${reduction}`;
  if (output.pinned) return `"${output.name}" is named by parts of the model that are kept as they are`;
  return {
    nodes: [node],
    apply() {
      giveOutput(node, output, updates);
      return undefined;
    },
  };
}

/** Whether a column of indices counts 0, 1, 2, … */
function isColumnInOrder(indices: Value, context: RewriteContext): boolean {
  const numbers = context.constant(indices)?.integers();
  if (numbers) return numbers.every((number, at) => number === at);
  const view = indices.producer;
  const row = view?.is('Unsqueeze') || view?.is('Reshape') ? view.input(0) : undefined;
  return shapeOf(row)?.length === 1 && ascendingFrom(row, context) === 0;
}
