import { attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { sortGraph } from '../../../ir/sort.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { dyingNodes, freedBytes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nodeLabel, takeOver } from '../../nodes.js';
import { dataTypeOf, frontAxis, shapeOf } from '../../types.js';
import { type EmbeddingSum, embeddingSum } from './embedding-sum.js';

/**
 * LayerNormalization(words[ids] + positions[0 … n] + segments[kinds]) becomes com.microsoft.EmbedLayerNormalization: the
 * lookups, their sums and the normalization in one.
 *
 * Fires for two or three constant FLOAT tables, of which two or one are looked up by ids of shape [batch, sequence]. Positions may be
 * given as ids, or as ids or a part of the table that are known to count upwards; then they need not be computed. A sum that is
 * read elsewhere as well becomes the output embedding_sum. Ids of INT64 are cast to INT32. Refuses tables whose rows differ
 * in length, and sums of anything else. An id below 0, which Gather counts from the end, is an error for the fused operator.
 *
 * Numerics: reassociates. Reference: Devlin et al. 2018 (arXiv 1810.04805), figure 2; ONNX Runtime ContribOperators.md,
 * EmbedLayerNormalization.
 */
export const fuseEmbedLayerNormalization = defineRewrite<object>({
  name: 'fuse-embed-layer-normalization',
  summary:
    'Fuses lookups of words, positions and segments, their sum and its normalization into EmbedLayerNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['LayerNormalization'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const sum = node.input(0);
  const found = sum && embeddingSum(sum, context);
  if (!found) return undefined;
  const reason = whyNot(node, found, context);
  if (reason !== undefined) return reason;
  const { word, segment, positions } = found;
  const ids = [word.ids, segment?.ids, positions.ids].map((value) => value && int32Source(value));
  const dying = dyingNodes([node, ...found.adds], [...ids, word.table, segment?.table, positions.table]);
  const cost = 1 + ids.filter((value) => value && dataTypeOf(value) !== DataType.INT32).length;
  if (dying.size <= cost) return 'the fusion would not save a node';
  if (positions.made && !context.mayGrow(positions.made.byteLength - freedBytes(dying, context)))
    return `its table of positions is also used elsewhere, and a copy takes ${positions.made.byteLength} bytes`;
  return { nodes: [node, ...found.adds], apply: () => fuse(node, sum, found, ids, context) };
}

function whyNot(node: Node, { features }: EmbeddingSum, context: RewriteContext): string | undefined {
  if (node.outputs.slice(1).some((output) => output !== undefined)) return 'its mean or deviation is an output';
  if (frontAxis(node.int('axis', -1), 3) !== 2) return 'it normalizes over more than the last axis';
  for (const parameter of node.inputs.slice(1))
    if (parameter && shapeOf(parameter)?.join() !== `${features}`)
      return `"${parameter.name}" is not one number per feature`;
  return whyNotAvailable(context, node, 'EmbedLayerNormalization');
}

function fuse(
  node: Node,
  sum: Value,
  { word, segment, positions, features }: EmbeddingSum,
  ids: readonly (Value | undefined)[],
  context: RewriteContext,
): Node {
  const { graph } = node;
  const label = nodeLabel(node);
  const isShared = sum.uses.size > 1 || sum.isGraphOutput || sum.pinned;
  requireOpset(context, node);
  const [wordIds, segmentIds, positionIds] = ids.map((value) => value && asInt32(value, node));
  const added = (name: string, tensor: Tensor) => addConstant(graph, `${label}_${name}`, tensor, node);
  const inputs = [
    wordIds,
    segmentIds,
    word.table,
    positions.made ? added('positions', positions.made) : positions.table,
    segment?.table,
    node.input(1),
    node.input(2) ?? added('beta', Tensor.float32(new Float32Array(features))),
    ...(positionIds ? [undefined, positionIds] : []),
  ];
  const attributes = [floatAttribute('epsilon', node.float('epsilon', 1e-5)), attribute('mask_index_type', 0)];
  const fused = takeOver(node, { opType: 'EmbedLayerNormalization', domain: MICROSOFT, inputs, attributes });
  if (!isShared) return fused;
  sum.producer?.setOutput(0, undefined);
  fused.addOutput(undefined);
  fused.addOutput(sum);
  // Others may read the sum before this place.
  sortGraph(graph);
  return fused;
}

/** Ids before they were cast, where they were INT32. */
function int32Source(ids: Value): Value {
  const before = ids.producer?.is('Cast') ? ids.producer.input(0) : undefined;
  return before && dataTypeOf(before) === DataType.INT32 ? before : ids;
}

function asInt32(ids: Value, before: Node): Value {
  if (dataTypeOf(ids) === DataType.INT32) return ids;
  const outputs = [{ name: `${ids.name}_int32`, type: tensorType(DataType.INT32, shapeOf(ids)) }];
  const attributes = [attribute('to', DataType.INT32)];
  return before.graph.addNode({ opType: 'Cast', inputs: [ids], outputs, attributes }, before).output();
}
