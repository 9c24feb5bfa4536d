import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { freedBytes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nodeLabel } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import type { HeadsView } from './attention-heads.js';
import { planRowGuard } from './attention-mask.js';
import { attachOutput, OUTPUT_COST } from './attention-output.js';
import {
  type AttentionSite,
  attentionSite,
  gainOf,
  queryShape,
  scaleAttributes,
  scoreDims,
  siteBias,
  siteOutput,
} from './attention-site.js';
import { linearProjection } from './linear-projection.js';
import { type PackedCache, type Projected, type ProjectedOperands, planPacked } from './packed-projections.js';

/**
 * softmax(scale · (x·Wq + bq)·(x·Wk + bk)ᵀ + mask)·(x·Wv + bv), in heads, becomes one com.microsoft.Attention of x, the
 * columns of the three weights side by side and the three biases: the projections, the Transposes and Reshapes that
 * make heads and undo them, and all in between.
 *
 * Fires for FLOAT self-attention whose projections have constant weights, however the heads are split: of three MatMuls
 * or of one, before or after a scaling of the query. A mask that is added, or that fills scores, becomes
 * `attention_bias`, expanded to [1, 1, queries, keys] where it is smaller. Refuses where something else reads the
 * values in between, where the mask may not have those sizes whatever the symbols are, and where a fill is not so low
 * that it always outweighs the score it replaces.
 *
 * Numerics: reassociates. Reference: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2; ONNX Runtime
 * ContribOperators.md, Attention.
 */
export const fuseAttentionOrt = defineRewrite<object>({
  name: 'fuse-attention-ort',
  summary: 'Fuses self-attention with its projections into com.microsoft.Attention.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Softmax', 'Attention'],
  rules() {
    const made: PackedCache = [];
    return { match: (node, context) => match(node, context, made) };
  },
});

function match(root: Node, context: RewriteContext, made: PackedCache): Match {
  const site = attentionSite(root, context);
  if (typeof site !== 'object') return site;
  const operands = projectedOperands(site, context);
  return operands && (whyNot(site, operands, context) ?? rewrite(site, operands, made, context));
}

function projectedOperands(site: AttentionSite, context: RewriteContext): ProjectedOperands | undefined {
  const [query, key, value] = [site.queries, site.keys, site.values].map((views) => projected(views, context));
  return query && key && value && [query, key, value];
}

function projected(views: readonly HeadsView[], context: RewriteContext): Projected | undefined {
  for (const view of views) {
    const projection = linearProjection(view.source, context);
    if (projection) return { view, projection };
  }
  return undefined;
}

function whyNot(
  site: AttentionSite,
  [query, key, value]: ProjectedOperands,
  context: RewriteContext,
): string | undefined {
  const { core, dataType } = site;
  if (dataType !== DataType.FLOAT) return 'ONNX Runtime has this operator for float only';
  if (query.projection.input !== key.projection.input || key.projection.input !== value.projection.input)
    return 'query, key and value are not projections of the same input';
  if (query.view.batchFirst !== key.view.batchFirst || key.view.batchFirst !== value.view.batchFirst)
    return 'query, key and value have batch and sequence in different orders';
  const { heads, size } = query.view;
  if (
    heads !== key.view.heads ||
    heads !== value.view.heads ||
    [query, key, value].some(({ view }) => view.repeats !== 1)
  )
    return 'query, key and value have different numbers of heads';
  if (size !== key.view.size) return 'heads of query and key have different sizes';
  if (value.view.factor !== 1) return 'its value is scaled';
  const scale = totalScale(core.scale, query.view, key.view);
  if (!Number.isFinite(scale) || scale === 0) return `its scale is ${scale}`;
  return whyNotAvailable(context, core.root, 'Attention');
}

function totalScale(scale: number, query: HeadsView, key: HeadsView): number {
  return scale * query.factor * key.factor;
}

function rewrite(site: AttentionSite, operands: ProjectedOperands, made: PackedCache, context: RewriteContext): Match {
  const [query, key, value] = operands;
  const { view, projection } = query;
  const shape = queryShape(view);
  const bias = siteBias(site, shape, context);
  if (typeof bias === 'string') return bias;
  const guard = planRowGuard(site, bias, context);
  if (typeof guard === 'string') return guard;
  const layout = siteOutput(site, shape, value.view.size, context);
  const input = batchFirst(projection.input, view.batchFirst);
  const { nodes, dying, problem } = gainOf(site, layout, [input]);
  if (problem !== undefined) return problem;
  if (operands.some((one) => one.projection.nodes.some((node) => !dying.has(node))))
    return 'its projections are also used elsewhere';
  const cost = 1 + OUTPUT_COST[layout.form] + (bias?.cost ?? 0) + (guard?.cost ?? 0) + (input ? 0 : 1);
  if (dying.size <= cost) return 'the fusion would not save a node';
  const packed = planPacked(operands, nodeLabel(site.core.root), made);
  const growth = packed.bytes - freedBytes(dying, context);
  if (packed.bytes > 0 && !context.mayGrow(growth) && !isSharedByAttention(operands, context))
    return `its weights are shared, and a copy takes ${growth} bytes`;
  const dims = scoreDims(site, shape);
  return {
    nodes: [site.core.root, ...nodes.filter((node) => node !== site.core.root)],
    apply() {
      const { last } = layout;
      requireOpset(context, last);
      const attributes = [
        attribute('num_heads', view.heads),
        ...scaleAttributes(totalScale(site.core.scale, view, key.view), view.size),
        ...hiddenSizes(operands),
      ];
      const inputs: (Value | undefined)[] = [input ?? transposeBefore(last, projection.input), ...packed.build(last)];
      const mask = bias?.build(last);
      if (mask) inputs.push(undefined, undefined, mask);
      return attachOutput(
        layout,
        { opType: 'Attention', domain: MICROSOFT, inputs, outputs: [], attributes },
        { batch: dims.batch, sequence: dims.queries, heads: view.heads, size: value.view.size },
        mask && guard?.build(mask, last),
      );
    },
  };
}

/** The input as [batch, sequence, features], where that is computed. */
function batchFirst(input: Value, isBatchFirst: boolean): Value | undefined {
  if (isBatchFirst) return input;
  const { producer } = input;
  const perm = producer?.is('Transpose') ? producer.ints('perm') : undefined;
  return perm?.join() === '1,0,2' ? producer?.input(0) : undefined;
}

function transposeBefore(last: Node, input: Value): Value {
  const [sequence, batch, features] = shapeOf(input) ?? [];
  const type = tensorType(dataTypeOf(input) ?? DataType.FLOAT, [batch, sequence, features]);
  const attributes = [attribute('perm', [1, 0, 2])];
  const outputs = [{ name: `${input.name}_batch_first`, type }];
  return last.graph.addNode({ opType: 'Transpose', inputs: [input], outputs, attributes }, last).output();
}

function hiddenSizes(operands: readonly Projected[]) {
  const sizes = operands.map(({ view }) => view.heads * view.size);
  return sizes[0] === sizes[2] ? [] : [attribute('qkv_hidden_sizes', sizes)];
}

/** How far below a projection its Softmax is looked for. */
const REACH = 12;

/**
 * True where all that reads the weights are projections of attention in which they are query, key and value alike: when the
 * last of those is fused nothing reads the weights themselves any more.
 */
function isSharedByAttention(operands: ProjectedOperands, context: RewriteContext): boolean {
  const weights = operands.map(({ projection }) => projection.weightValue);
  const [query] = weights;
  if (!query || weights.some(({ uses, isGraphOutput }) => uses.size !== query.uses.size || isGraphOutput)) return false;
  return [...query.uses].every(({ node }) => {
    const root = attentionBelow(node);
    const site = root && attentionSite(root, context);
    const others = typeof site === 'object' ? projectedOperands(site, context) : undefined;
    return others?.every(({ projection }, index) => projection.weightValue === weights[index]) ?? false;
  });
}

/** The nearest Softmax or Attention that a node leads to. */
function attentionBelow(node: Node): Node | undefined {
  let level = [node];
  for (let depth = 0; depth < REACH && level.length > 0; depth++) {
    const next: Node[] = [];
    for (const one of level)
      for (const output of one.outputs)
        for (const reader of output?.consumers() ?? []) {
          if (reader.is('Softmax') || reader.is('Attention')) return reader;
          next.push(reader);
        }
    level = [...new Set(next)];
  }
  return undefined;
}
