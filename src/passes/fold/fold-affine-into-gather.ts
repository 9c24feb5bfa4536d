import type { Node } from '../../ir/node.js';
import { computedBytes } from '../../tensor/computed-bytes.js';
import { DataType } from '../../tensor/dtype.js';
import { bytesOf, Tensor, type TensorBytes, typedView } from '../../tensor/tensor.js';
import { dropIfUnused, replaceConstantInput } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { absorbConsumer, onlyConsumer } from '../nodes.js';

/**
 * Gather(table, ids) + row = Gather(table + row, ids), and so for −, · and ÷: the scaling of word embeddings by √size, or
 * the segment that all tokens belong to.
 *
 * Fires for constant FLOAT tables that nothing else reads, and constants that are the same for every row of the table.
 * Refuses a table that is also used elsewhere, as one shared with the last layer is. Numerics: exact: each number of the
 * table is computed as the operator would. Reference: ONNX operator Gather.
 */
export const foldAffineIntoGather = defineRewrite<object>({
  name: 'fold-affine-into-gather',
  summary: 'Folds a constant Add, Sub, Mul or Div after a Gather into its table.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Gather'],
  rules: () => ({ match }),
});

const OPERATORS: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ['Add', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Div', (a, b) => a / b],
]);

function match(gather: Node, context: RewriteContext): Match {
  const value = gather.input(0);
  const table = context.constant(value);
  if (table?.dataType !== DataType.FLOAT || table.rank < 2 || gather.int('axis', 0) !== 0) return undefined;
  const output = gather.output();
  const next = onlyConsumer(output);
  const operate = next?.domain === '' ? OPERATORS.get(next.opType) : undefined;
  const slot = next?.input(0) === output ? 1 : 0;
  const constant = next && context.constant(next.input(slot));
  if (!next || !operate || !constant || !repeatsByRow(constant, table)) return undefined;
  if (!value || value.uses.size > 1 || value.isGraphOutput) return 'its table is also used elsewhere';
  return {
    nodes: [gather, next],
    apply() {
      const combine = slot === 1 ? operate : (a: number, b: number) => operate(b, a);
      replaceConstantInput(gather, 0, Tensor.of(DataType.FLOAT, table.dims, combined(table, constant, combine)));
      const operand = next.input(slot);
      absorbConsumer(gather, next);
      if (operand) dropIfUnused(operand);
      return gather;
    },
  };
}

/** True for a constant that broadcasts over the axes of a row alone. */
function repeatsByRow(constant: Tensor, { dims }: Tensor): boolean {
  const row = dims.slice(1);
  if (constant.dataType !== DataType.FLOAT || constant.rank > row.length) return false;
  const size = row.reduce((a, b) => a * b, 1);
  return constant.size === 1 || (constant.size === size && constant.dims.join() === row.slice(-constant.rank).join());
}

/** The table with `constant` repeated along it; rounded once, as FLOAT arithmetic is. */
function combined(table: Tensor, constant: Tensor, operate: (a: number, b: number) => number): TensorBytes {
  const row = constant.float32Array();
  function* chunks(): Generator<Uint8Array> {
    let at = 0;
    for (const chunk of table.data.chunks()) {
      const from = typedView(Float32Array, chunk);
      const to = new Float32Array(from.length);
      for (let index = 0; index < from.length; index++)
        to[index] = operate(from[index] ?? 0, row[at++ % row.length] ?? 0);
      yield bytesOf(to);
    }
  }
  return computedBytes(table.byteLength, chunks);
}
