import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { sortGraph } from '../../../ir/sort.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nodeLabel } from '../../nodes.js';
import {
  type AttentionForm,
  cachedForm,
  featuresKey,
  featuresQuery,
  headsOfSite,
  plainForm,
  splitForm,
  whyNotFitting,
} from './attention-forms.js';
import { type AddedRow, addedRow, featuresInput, headsInput, type OperandInput } from './attention-inputs.js';
import { planRowGuard } from './attention-mask.js';
import { attachOutput, OUTPUT_COST } from './attention-output.js';
import {
  type AttentionSite,
  attentionSite,
  gainOf,
  type QueryShape,
  scaleAttributes,
  scoreDims,
  siteBias,
  siteOutput,
} from './attention-site.js';
import { leadsTo } from './leads-to.js';
import { columnsBeside } from './linear-projection.js';

/**
 * softmax(scale · Q·Kᵀ + mask)·V, in heads, becomes one com.microsoft.MultiHeadAttention of query, key and value as
 * they are before the split into heads: the Transposes and Reshapes that do and undo that, and all in between.
 *
 * Fires for FLOAT attention, also between two sequences. Key and value may stay as heads where only those are there, as
 * after a rotary embedding. Rows that are added to query, key and value become `bias`; keys and values to which those
 * of earlier steps are prepended become `past_key`, `past_value`, `present_key` and `present_value`; masks become
 * `attention_bias`. Refuses where something else reads the values in between, where query, key and value may differ in
 * batch or heads, where the mask may not have the sizes of the scores, and fusions that would not save a node.
 *
 * Numerics: reassociates. Reference: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2; ONNX Runtime
 * ContribOperators.md, MultiHeadAttention.
 */
export const fuseMultiHeadAttention = defineRewrite<object>({
  name: 'fuse-multi-head-attention',
  summary: 'Fuses attention into com.microsoft.MultiHeadAttention.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Softmax'],
  rules: () => ({ match }),
});

function match(softmax: Node, context: RewriteContext): Match {
  const site = attentionSite(softmax, context);
  if (typeof site !== 'object') return site;
  if (site.dataType !== DataType.FLOAT) return 'ONNX Runtime has this operator for float only';
  // The standard operator repeats heads by itself.
  const isGrouped = (headsOfSite(site, true, context).key?.repeats ?? 1) > 1;
  if (isGrouped && context.opset(softmax) >= 23) return undefined;
  const unavailable = whyNotAvailable(context, softmax, 'MultiHeadAttention');
  if (unavailable !== undefined) return unavailable;
  let reason: string | undefined;
  for (const inputs of inputsOf(site, context)) {
    const result = whyNot(site, inputs) ?? rewrite(site, inputs, context);
    if (typeof result === 'object') return result;
    reason ??= result;
  }
  return reason ?? 'its query, key and value are not split into heads from [batch, sequence, features]';
}

/** Forms in which query, key and value can be given, the best first. */
function inputsOf(site: AttentionSite, context: RewriteContext): AttentionForm[] {
  const heads = headsOfSite(site, false, context);
  const query = featuresQuery(site, heads, context);
  return [
    ...plainForm(query, featuresKey(site, heads, false, context), featuresInput(site.values, false)),
    ...cachedForm(query, heads, 'features', context),
    ...splitForm(site, false, context),
    ...plainForm(query, headsInput(heads.key), headsInput(heads.value)),
  ];
}

function whyNot({ core }: AttentionSite, form: AttentionForm): string | undefined {
  const { key, value, past } = form;
  if (value.size !== key.size && (key.form === 'heads-first' || past.length > 0))
    return 'heads of key and value have different sizes';
  return whyNotFitting(core, form);
}

function rewrite(site: AttentionSite, inputs: AttentionForm, context: RewriteContext): Match {
  const { query, key, value } = inputs;
  const shape: QueryShape = { ...query, source: query.from };
  const bias = siteBias(site, shape, context);
  if (typeof bias === 'string') return bias;
  const guard = planRowGuard(site, bias, context);
  if (typeof guard === 'string') return guard;
  const layout = siteOutput(site, shape, value.size, context);
  const operands = [query, key, value];
  const rows = operands.map(({ form, from, cost, isPart }) =>
    form === 'features' && cost === 0 && !isPart ? addedRow(from, context) : undefined,
  );
  const kept = (taken: readonly (AddedRow | undefined)[]) => [
    ...operands.flatMap(({ from, alsoReads = [] }, index) => [taken[index]?.before ?? from, ...alsoReads]),
    ...inputs.past,
  ];
  const gone = gainOf(site, layout, kept(rows), inputs.concats).dying;
  const taken = rows.map((row) => (row && gone.has(row.add) ? row : undefined));
  const { nodes, dying, problem } = gainOf(site, layout, kept(taken), inputs.concats);
  if (problem !== undefined) return problem;
  const cost =
    1 +
    OUTPUT_COST[layout.form] +
    (bias?.cost ?? 0) +
    (guard?.cost ?? 0) +
    operands.reduce((sum, one) => sum + one.cost, 0);
  if (dying.size <= cost) return 'the fusion would not save a node';
  const presents = inputs.concats.map((concat) => concat.output());
  const sources = [
    ...kept(taken),
    ...site.core.steps.map((step) => (step.kind === 'add' ? step.value : step.condition)),
  ];
  if (leadsTo(presents, sources, dying)) return 'its mask or its query is computed from its keys';
  const dims = scoreDims(site, shape);
  return {
    nodes: [site.core.root, ...nodes.filter((node) => node !== site.core.root)],
    apply() {
      const { last } = layout;
      requireOpset(context, last);
      const scale = site.core.scale * query.factor * inputs.keyFactor;
      const built = operands.map((one, index) => taken[index]?.before ?? one.build(last));
      const mask = bias?.build(last);
      const rest = [biasRow(operands, taken, site, last), undefined, mask, ...inputs.past];
      while (rest.length > 0 && rest.at(-1) === undefined) rest.pop();
      for (const concat of inputs.concats) concat.setOutput(0, undefined);
      const fused = attachOutput(
        layout,
        {
          opType: 'MultiHeadAttention',
          domain: MICROSOFT,
          inputs: [...built, ...rest],
          outputs: presents,
          attributes: [attribute('num_heads', query.heads), ...scaleAttributes(scale, query.size)],
        },
        { batch: dims.batch, sequence: dims.queries, heads: query.heads, size: value.size },
        mask && guard?.build(mask, last),
      );
      // Others may read the keys and values before this place.
      if (presents.length > 0) sortGraph(fused.graph);
      return fused;
    },
  };
}

/** Rows added to query, key and value, as one; zeros for those that have none. */
function biasRow(
  operands: readonly OperandInput[],
  rows: readonly (AddedRow | undefined)[],
  site: AttentionSite,
  before: Node,
): Value | undefined {
  if (rows.every((row) => row === undefined)) return undefined;
  const parts = operands.map(({ heads, size }, index) => ({
    tensor: rows[index]?.row,
    columns: Array.from({ length: heads * size }, (_, at) => at),
  }));
  const width = parts.reduce((sum, { columns }) => sum + columns.length, 0);
  const name = `${nodeLabel(site.core.root)}_qkv_bias`;
  return addConstant(before.graph, name, Tensor.of(DataType.FLOAT, [width], columnsBeside(1, parts)), before);
}
