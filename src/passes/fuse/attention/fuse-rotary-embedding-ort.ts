import { bug } from '../../../errors.js';
import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { multiplyDims, productOfDims } from '../../../ops/dim.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { dyingNodes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf, sameDim, shapeOf } from '../../types.js';
import { partialHeads, partialRotary } from './partial-rotary.js';
import type { Angles, Halved } from './rotary-angles.js';
import { rotationWithAngles } from './rotation-with-angles.js';

/**
 * The rotation of fuse-rotary-embedding as com.microsoft.RotaryEmbedding, which older operator sets can be joined with.
 * It takes cosines and sines as tables, and a position in them for each token.
 *
 * Fires for FLOAT and FLOAT16 x of shape [batch, heads, sequence, size]. Rows of a constant table are looked up by the
 * operator; angles that the batch shares are a table of which position 0 is the first; those of each token are put one
 * after the other into a table for all of them. A RotaryEmbedding of a part of each head includes the rest. Refuses
 * halves that cannot be proved to be the same, and fusions that would not save a node. Numerics: reassociates.
 * Reference: Su et al. 2021 (arXiv 2104.09864); ONNX Runtime ContribOperators.md, RotaryEmbedding.
 */
export const fuseRotaryEmbeddingOrt = defineRewrite<object>({
  name: 'fuse-rotary-embedding-ort',
  summary: 'Fuses the rotation of halves by cosines and sines into com.microsoft.RotaryEmbedding.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [11, null],
  options: {},
  ortOnly: true,
  roots: ['Add', 'Concat', 'com.microsoft.RotaryEmbedding'],
  rules() {
    const taken = new WeakSet<Value>();
    return { match: (node, context) => match(node, context, taken) };
  },
});

/** @param taken cosines of which one rotation was fused: what that costs is paid, so others that read them follow */
function match(node: Node, context: RewriteContext, taken: WeakSet<Value>): Match {
  if (node.domain === MICROSOFT) return partialRotary(node, context);
  const found = rotationWithAngles(node, context);
  if (found === undefined || typeof found === 'string') return found;
  const { rotation, cos, sin } = found;
  const { x } = rotation;
  const unavailable = whyNotAvailable(context, node, 'RotaryEmbedding');
  if (unavailable !== undefined) return unavailable;
  const tables = lookupTables(cos, sin, x) ?? rowTables(cos, sin, x);
  if (typeof tables === 'string') return tables;
  const dying = dyingNodes(rotation.nodes, [x, ...tables.kept]);
  const rotations = rotation.cos.uses.size;
  if (!taken.has(rotation.cos) && (dying.size - 1) * rotations <= tables.cost)
    return 'the fusion would not save a node';
  const partial = partialHeads(x, node.output(), context);
  const whole = typeof partial === 'object' ? partial : undefined;
  return {
    nodes: whole ? [...rotation.nodes, whole.concat, ...whole.rest] : rotation.nodes,
    apply() {
      taken.add(rotation.cos);
      requireOpset(context, node);
      return takeOver(whole?.concat ?? node, {
        opType: 'RotaryEmbedding',
        domain: MICROSOFT,
        inputs: [whole?.x ?? x, ...tables.build(node)],
        ...(whole ? { attributes: whole.attributes } : {}),
      });
    },
  };
}

/** The positions and the two tables. */
interface Tables {
  readonly kept: readonly (Value | undefined)[];
  readonly cost: number;
  build(before: Node): Value[];
}

function lookupTables(cos: Angles, sin: Angles, x: Value): Tables | undefined {
  const ids = cos.lookup?.ids;
  const [batch, , sequence] = shapeOf(x) ?? [];
  if (!cos.lookup || !sin.lookup || !ids || ids !== sin.lookup.ids || dataTypeOf(ids) !== DataType.INT64)
    return undefined;
  if (!sameDim(shapeOf(ids)?.[0], batch) || !sameDim(shapeOf(ids)?.[1], sequence)) return undefined;
  const tables = [cos.lookup.table, sin.lookup.table];
  const build = (before: Node) => [
    ids,
    ...tables.map((table) => addConstant(before.graph, 'rotary_cache', table, before)),
  ];
  return { kept: [ids], cost: 0, build };
}

/** Rows of angles as tables of their own. */
function rowTables(cos: Angles, sin: Angles, x: Value): Tables | string {
  if (cos.isShared !== sin.isShared) return 'only one of its cosines and sines is shared by the batch';
  const rows = [cos.rows, sin.rows];
  const [batch, , sequence] = shapeOf(x) ?? [];
  const asOne = cos.isShared || batch === 1;
  const positions = asOne ? undefined : tokenNumbers(batch, sequence, cos.rows);
  return {
    kept: rows.map(({ from }) => from),
    cost: rows.reduce(
      (sum, row) => sum + row.cost + (row.shape.length === 2 || row.constant ? 0 : 1),
      positions?.cost ?? 0,
    ),
    build(before) {
      const values = rows.map((row) => (row.constant ? undefined : row.build(before)));
      const ids = positions ? positions.build(before, values[0]) : constantIds([0], [1], before);
      return [ids, ...rows.map((row, index) => asTable(row, values[index], before))];
    },
  };
}

interface TokenNumbers {
  readonly cost: number;
  /** `rows` has the sizes of batch and sequence, where they are not numbers. */
  build(before: Node, rows: Value | undefined): Value;
}

/** 0, 1, 2, … for the tokens of the first of the batch, and so on for the next ones: [batch, sequence]. */
function tokenNumbers(batch: Dim, sequence: Dim, rows: Halved): TokenNumbers {
  if (typeof batch === 'number' && typeof sequence === 'number') {
    const numbers = Array.from({ length: batch * sequence }, (_, index) => index);
    return { cost: 0, build: (before) => constantIds(numbers, [batch, sequence], before) };
  }
  return {
    cost: 5,
    build(before, value) {
      const { graph } = before;
      const add = (opType: string, inputs: (Value | undefined)[], shape: Dim[], attributes: Attribute[] = []) =>
        graph
          .addNode(
            { opType, inputs, outputs: [{ name: 'positions', type: tensorType(DataType.INT64, shape) }], attributes },
            before,
          )
          .output();
      const rank = rows.shape.length;
      const sizes = add('Shape', [value], [rank]);
      const axes = addConstant(graph, 'axes', Tensor.int64([0, rank - 2]), before);
      const both = add('Gather', [sizes, axes], [2]);
      const count = add('ReduceProd', [both], [], [attribute('keepdims', 0)]);
      const [zero, one] = [0, 1].map((number) => addConstant(graph, 'number', Tensor.int64([number], []), before));
      const numbers = add('Range', [zero, count, one], [multiplyDims(batch, sequence)]);
      return add('Reshape', [numbers, both], [batch, sequence]);
    },
  };
}

function constantIds(numbers: readonly number[], dims: readonly number[], before: Node): Value {
  return addConstant(before.graph, 'position_ids', Tensor.int64(numbers, dims), before);
}

/** Rows as a table: [positions, pairs]. `value` is what they are, where they are not constant. */
function asTable({ shape, constant }: Halved, value: Value | undefined, before: Node): Value {
  const { graph } = before;
  const pairs = Number(shape.at(-1));
  if (constant) return addConstant(graph, 'rotary_cache', constant.reshaped([constant.size / pairs, pairs]), before);
  if (!value) throw bug('rows that are neither constant nor computed');
  if (shape.length === 2) return value;
  const type = tensorType(dataTypeOf(value) ?? 0, [productOfDims(shape.slice(0, -1)), pairs]);
  const target = addConstant(graph, 'rotary_cache_shape', Tensor.int64([-1, pairs]), before);
  const outputs = [{ name: `${value.name}_cache`, type }];
  return graph.addNode({ opType: 'Reshape', inputs: [value, target], outputs }, before).output();
}
