import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { dyingNodes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf, sameDim, shapeOf } from '../../types.js';
import { partialHeads, partialRotary } from './partial-rotary.js';
import type { Angles, Halved } from './rotary-angles.js';
import { rotationWithAngles } from './rotation-with-angles.js';

/**
 * x · cos + Concat(−x₂, x₁) · sin, with x₁ and x₂ the halves of x along its last axis, = RotaryEmbedding(x, cos, sin),
 * where cos and sin have each number twice, or x₁ · cos − x₂ · sin beside x₂ · cos + x₁ · sin, where they have it once.
 * A RotaryEmbedding of a part of each head, concatenated with the rest of it, becomes one with that
 * rotary_embedding_dim.
 *
 * Fires for FLOAT and FLOAT16 x of shape [batch, heads, sequence, size], and angles that are the same for all heads:
 * those of each token ([batch, sequence, pairs]), or rows of a constant table. Refuses angles that the batch shares
 * (the operator needs them per sample), and halves that cannot be proved to be the same. Numerics: reassociates.
 * Reference: Su et al. 2021 (arXiv 2104.09864); ONNX operator RotaryEmbedding-23.
 */
export const fuseRotaryEmbedding = defineRewrite<object>({
  name: 'fuse-rotary-embedding',
  summary: 'Fuses the rotation of halves by cosines and sines into RotaryEmbedding.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [23, null],
  options: {},
  roots: ['Add', 'Concat', 'RotaryEmbedding'],
  rules() {
    const taken = new WeakSet<Value>();
    return { match: (node, context) => match(node, context, taken) };
  },
});

/** @param taken cosines of which one rotation was fused: what that costs is paid, so others that read them follow */
function match(node: Node, context: RewriteContext, taken: WeakSet<Value>): Match {
  if (node.is('RotaryEmbedding')) return partialRotary(node, context);
  const found = rotationWithAngles(node, context);
  if (found === undefined || typeof found === 'string') return found;
  const { rotation, cos, sin } = found;
  const { x } = rotation;
  const inputs = lookupInputs(cos, sin, x) ?? rowInputs(cos, sin);
  if (typeof inputs === 'string') return inputs;
  const dying = dyingNodes(rotation.nodes, [x, ...inputs.kept]);
  const rotations = rotation.cos.uses.size;
  if (!taken.has(rotation.cos) && (dying.size - 1) * rotations <= inputs.cost)
    return 'the fusion would not save a node';
  const partial = partialHeads(x, node.output(), context);
  const whole = typeof partial === 'object' ? partial : undefined;
  return {
    nodes: whole ? [...rotation.nodes, whole.concat, ...whole.rest] : rotation.nodes,
    apply() {
      taken.add(rotation.cos);
      return takeOver(whole?.concat ?? node, {
        opType: 'RotaryEmbedding',
        inputs: [whole?.x ?? x, ...inputs.build(node)],
        ...(whole ? { attributes: whole.attributes } : {}),
      });
    },
  };
}

/** Inputs besides x. */
interface AngleInputs {
  readonly kept: readonly (Value | undefined)[];
  readonly cost: number;
  build(before: Node): (Value | undefined)[];
}

/** Constant tables and the positions in them. */
function lookupInputs(cos: Angles, sin: Angles, x: Value): AngleInputs | undefined {
  const ids = cos.lookup?.ids;
  const [batch, , sequence] = shapeOf(x) ?? [];
  if (!ids || ids !== sin.lookup?.ids || dataTypeOf(ids) !== DataType.INT64) return undefined;
  if (!sameDim(shapeOf(ids)?.[0], batch) || !sameDim(shapeOf(ids)?.[1], sequence)) return undefined;
  const tables = [cos.lookup, sin.lookup];
  return {
    kept: [ids],
    cost: 0,
    build: (before) => [
      ...tables.map((lookup) => lookup && addConstant(before.graph, 'rotary_cache', lookup.table, before)),
      ids,
    ],
  };
}

function rowInputs(cos: Angles, sin: Angles): AngleInputs | string {
  if (cos.isShared || sin.isShared) return 'its angles are the same for the whole batch';
  const rows = [cos.rows, sin.rows];
  return {
    kept: rows.map(({ from }) => from),
    cost: rows.reduce((sum, row) => sum + row.cost + (row.shape.length === 3 ? 0 : 1), 0),
    build: (before) => rows.map((row) => asRank3(row, before)),
  };
}

/** Rows as [batch, sequence, pairs]. */
function asRank3(row: Halved, before: Node): Value {
  const value = row.build(before);
  if (row.shape.length === 3) return value;
  const [sequence, pairs] = row.shape.slice(-2);
  const shape = [row.shape.length === 4 ? row.shape[0] : 1, sequence, pairs];
  const outputs = [{ name: `${value.name}_rows`, type: tensorType(dataTypeOf(value) ?? 0, shape) }];
  const axes = addConstant(before.graph, 'axes', Tensor.int64([row.shape.length === 4 ? 1 : 0]), before);
  const opType = row.shape.length === 4 ? 'Squeeze' : 'Unsqueeze';
  return before.graph.addNode({ opType, inputs: [value, axes], outputs }, before).output();
}
