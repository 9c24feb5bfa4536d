import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../engine/require-opset.js';
import { defineRewrite, type Match, type RewriteContext } from '../engine/rewrite.js';
import { nodeLabel } from '../nodes.js';
import { dataTypeOf, shapeOf } from '../types.js';
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
import { freedBytes } from './dying-nodes.js';
import { type Columns, columnsBeside, type LinearProjection, linearProjection } from './linear-projection.js';

/**
 * softmax(scale · (x·Wq + bq)·(x·Wk + bk)ᵀ + mask)·(x·Wv + bv), in heads, becomes one com.microsoft.Attention of x, the
 * columns of the three weights side by side and the three biases: the projections, the Transposes and Reshapes that make
 * heads and undo them, and all in between.
 *
 * Fires for FLOAT self-attention whose projections have constant weights, however the heads are cut out: of three MatMuls
 * or of one, before or after a scaling of the query. A mask that is added, or that fills scores, becomes `attention_bias`,
 * expanded to [1, 1, queries, keys] where it is smaller. Refuses where something else reads what is in between, where the mask may not
 * have those sizes whatever the symbols are, and where a fill is not so low that it always outweighs the score it replaces.
 *
 * Numerics: reassociates. Reference: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2; ONNX Runtime ContribOperators.md, Attention.
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
  rules: () => ({ match }),
});

/** An operand with the projection that it is cut out of. */
interface Projected {
  readonly view: HeadsView;
  readonly projection: LinearProjection;
}

function match(softmax: Node, context: RewriteContext): Match {
  const site = attentionSite(softmax, context);
  if (typeof site !== 'object') return site;
  const [query, key, value] = [site.queries, site.keys, site.values].map((views) => projected(views, context));
  if (!query || !key || !value) return undefined;
  return whyNot(site, query, key, value, context) ?? rewrite(site, [query, key, value], context);
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
  query: Projected,
  key: Projected,
  value: Projected,
  context: RewriteContext,
): string | undefined {
  const { core, dataType } = site;
  if (dataType !== DataType.FLOAT) return 'ONNX Runtime has this operator for float only';
  if (query.projection.input !== key.projection.input || key.projection.input !== value.projection.input)
    return 'query, key and value are not projections of the same input';
  if (query.view.batchFirst !== key.view.batchFirst || key.view.batchFirst !== value.view.batchFirst)
    return 'query, key and value have batch and sequence in different order';
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

function rewrite(
  site: AttentionSite,
  operands: readonly [Projected, Projected, Projected],
  context: RewriteContext,
): Match {
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
  if (dying.size <= cost) return 'that would save no nodes';
  const packed = packedBytes(operands) - freedBytes(dying, context);
  if (!context.mayGrow(packed)) return `its weights are shared, and a copy takes ${packed} bytes`;
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
      const inputs: (Value | undefined)[] = [
        input ?? transposeBefore(last, projection.input),
        ...packedConstants(operands, site, last),
      ];
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

function columnsOf({ heads, size, offset, headStride, stride }: HeadsView): number[] {
  return Array.from(
    { length: heads * size },
    (_, index) => offset + Math.floor(index / size) * headStride + (index % size) * stride,
  );
}

/** The weights, and the biases: zeros where there is none, since ONNX Runtime 1.30 does not survive an omitted one. */
function packedConstants(operands: readonly Projected[], site: AttentionSite, last: Node): Value[] {
  const label = nodeLabel(site.core.root);
  const rows = operands[0]?.projection.weight.dims[0] ?? 0;
  const parts = operands.map(({ view, projection }) => ({ columns: columnsOf(view), projection }));
  const width = parts.reduce((sum, { columns }) => sum + columns.length, 0);
  const weights = parts.map(({ columns, projection }): Columns => ({ tensor: projection.weight, columns }));
  const biases = parts.map(({ columns, projection }): Columns => ({ tensor: projection.bias, columns }));
  const add = (name: string, dims: number[], columns: Columns[]) =>
    addConstant(
      last.graph,
      name,
      Tensor.of(DataType.FLOAT, dims, columnsBeside(dims.length > 1 ? rows : 1, columns)),
      last,
    );
  return [add(`${label}_qkv_weight`, [rows, width], weights), add(`${label}_qkv_bias`, [width], biases)];
}

function packedBytes(operands: readonly Projected[]): number {
  let width = 0;
  for (const { view } of operands) width += view.heads * view.size;
  return 4 * width * ((operands[0]?.projection.weight.dims[0] ?? 0) + 1);
}
