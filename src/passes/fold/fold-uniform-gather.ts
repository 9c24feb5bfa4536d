import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { dataTypeRow } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { nodeLabel } from '../nodes.js';
import { sameShape, shapeOf } from '../types.js';
import { uniformInteger } from './uniform-value.js';

/**
 * x + Gather(table, ids) = x + table[i] where every id is i: the rows for the segments of a text that has only one,
 * whose ids exporters compute from the shape of the input.
 *
 * Fires when the table is constant, the ids are gathered or broadcast from constants that are all the same, and all
 * readers are Add, Sub, Mul or Div with something of the same shape, so that the row broadcasts. Refuses other readers.
 * Numerics: exact. Reference: ONNX operator Gather.
 */
export const foldUniformGather = defineRewrite<object>({
  name: 'fold-uniform-gather',
  summary: 'Replaces a Gather whose indices are all the same with the row that it repeats.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Gather'],
  rules: () => ({ match }),
});

const BROADCASTS: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div']);

function match(node: Node, context: RewriteContext): Match {
  const table = context.constant(node.input(0));
  const output = node.output();
  if (!table || table.rank < 2 || node.int('axis', 0) !== 0 || output.uses.size === 0) return undefined;
  if (context.constant(node.input(1))) return undefined;
  const id = uniformInteger(node.input(1), context);
  const row = id === undefined ? undefined : rowOf(table, id);
  if (!row) return undefined;
  if (output.isGraphOutput || output.pinned) return `"${output.name}" is an output of its graph`;
  for (const { node: reader } of output.uses) {
    const other = otherOperand(reader, output);
    if (!other || !sameShape(shapeOf(other), shapeOf(output)))
      return `${reader.opType} "${nodeLabel(reader)}" may need the shape of the rows`;
  }
  return {
    nodes: [node],
    apply() {
      output.replaceUsesWith(addConstant(node.graph, `${output.name}_row`, row, node));
      return undefined;
    },
  };
}

function otherOperand(reader: Node, output: Value): Value | undefined {
  if (reader.domain !== '' || !BROADCASTS.has(reader.opType)) return undefined;
  return reader.inputs.find((input) => input !== output);
}

/** One row of a table, counted from the end when negative; undefined for one that is not there, and for types narrower than a byte. */
function rowOf(table: Tensor, id: number): Tensor | undefined {
  const [rows = 0, ...rest] = table.dims;
  const index = id < 0 ? id + rows : id;
  const bits = dataTypeRow(table.dataType)?.bits ?? 0;
  if (index < 0 || index >= rows || bits < 8) return undefined;
  const length = table.byteLength / rows;
  // A copy: the rest of the table is not needed any more.
  const bytes = new Uint8Array(table.bytes().subarray(index * length, (index + 1) * length));
  return Tensor.of(table.dataType, rest, bytes);
}
