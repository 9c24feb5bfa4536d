import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { numericItems } from '../../ops/infer/elements.js';
import { defineRewrite, type Match, type RewriteContext } from '../engine/rewrite.js';
import { giveOutput } from '../nodes.js';
import { sameDim, sameShape, shapeOf } from '../types.js';

/**
 * ScatterND(data, [[0], [1], … [n − 1]], updates) = updates where data has n rows: what is written covers all there was.
 * Exporters write updates of whole caches this way.
 *
 * Fires when updates have the shape of data, nothing is reduced, and the indices are known to be all rows in order: a
 * constant, or Unsqueeze of a Range from 0 to the number of rows, which may be symbolic. Refuses other indices. An output of
 * the graph that is then an input or a constant comes from an Identity.
 * Numerics: exact. Reference: ONNX operator ScatterND.
 */
export const eliminateFullScatter = defineRewrite<object>({
  name: 'eliminate-full-scatter',
  summary: 'Removes a ScatterND whose updates cover everything.',
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
  if (!data || !indices || !updates || !output || node.string('reduction', 'none') !== 'none') return undefined;
  if (!sameShape(shapeOf(data), shapeOf(updates))) return undefined;
  if (output.pinned) return `"${output.name}" is named by parts of the model that are kept as they are`;
  if (!coversRows(data, indices, context)) return 'its indices are not all rows in order';
  return {
    nodes: [node],
    apply() {
      giveOutput(node, output, updates);
      return undefined;
    },
  };
}

/** True when the indices, of shape [rows, 1], are 0, 1, 2, … for every row of the data. */
function coversRows(data: Value, indices: Value, context: RewriteContext): boolean {
  const rows = shapeOf(data)?.[0];
  const shape = shapeOf(indices);
  if (shape?.length !== 2 || shape[1] !== 1) return false;
  const known = numericItems(context.elements(indices));
  if (known) return known.length === rows && known.every((row, at) => row === at);
  const unsqueeze = indices.producer;
  const range = unsqueeze?.is('Unsqueeze') || unsqueeze?.is('Reshape') ? unsqueeze.input(0)?.producer : undefined;
  if (!range?.is('Range') || shapeOf(range.output())?.length !== 1) return false;
  const [start, limit, delta] = range.inputs.map((value) => context.elements(value)?.items[0]);
  return start === 0 && delta === 1 && sameDim(limit, rows);
}
