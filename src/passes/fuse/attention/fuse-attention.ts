import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { sortGraph } from '../../../ir/sort.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
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
import { featuresInput, headsInput } from './attention-inputs.js';
import { planMask } from './attention-mask.js';
import { attachOutput, OUTPUT_COST } from './attention-output.js';
import { type AttentionSite, attentionSite, gainOf, scaleAttributes, scoreDims, siteOutput } from './attention-site.js';
import { leadsTo } from './leads-to.js';

/**
 * softmax(scale · Q·Kᵀ + mask)·V, in heads, = Attention(Q, K, V, mask): the Transposes and Reshapes that split heads
 * and undo that, and all in between.
 *
 * Fires for FLOAT and FLOAT16, also between two sequences; for [batch, sequence, features] where heads are split from
 * it, and for [batch, heads, sequence, size] as they are. Heads of key and value that are repeated for several heads of
 * the query, and keys and values to which those of earlier steps are prepended, are handled by the operator. Refuses
 * where something else reads the values in between, where query, key and value may differ in batch or heads, where the
 * mask may not have the sizes of the scores, scales below 0, and fusions that would not save a node. A mask that may be
 * the lowest number of its type is raised a little: in ONNX Runtime a row masked like that is 0.
 *
 * Numerics: reassociates. Reference: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2; ONNX operator Attention-23.
 */
export const fuseAttention = defineRewrite<object>({
  name: 'fuse-attention',
  summary: 'Fuses attention built from basic operators into Attention.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [23, null],
  options: {},
  roots: ['Softmax'],
  rules: () => ({ match }),
});

const TYPES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16]);

/** A form with what it takes to use it. */
interface Candidate {
  readonly saved: number;
  readonly nodes: readonly Node[];
  apply(): Node;
}

function match(softmax: Node, context: RewriteContext): Match {
  const site = attentionSite(softmax, context);
  if (typeof site !== 'object') return site;
  if (!TYPES.has(site.dataType)) return 'ONNX Runtime has this operator for float and float16 only';
  let best: Candidate | undefined;
  let reason: string | undefined;
  for (const form of formsOf(site, context)) {
    const candidate = whyNotFitting(site.core, form) ?? candidateOf(site, form, context);
    if (typeof candidate === 'string') reason ??= candidate;
    else if (!best || candidate.saved > best.saved) best = candidate;
  }
  if (!best) return reason ?? 'its query, key and value are not split into heads from [batch, sequence, features]';
  return best.saved > 0 ? best : 'the fusion would not save a node';
}

function formsOf(site: AttentionSite, context: RewriteContext): AttentionForm[] {
  const heads = headsOfSite(site, true, context);
  const query = featuresQuery(site, heads, context);
  const asHeads = headsInput(heads.query);
  return [
    ...cachedForm(query, heads, 'features', context),
    ...cachedForm(asHeads, heads, 'heads-first', context),
    ...plainForm(query, featuresKey(site, heads, true, context), featuresInput(site.values, true)),
    ...splitForm(site, true, context),
    ...plainForm(asHeads, headsInput(heads.key), headsInput(heads.value)),
  ];
}

function candidateOf(site: AttentionSite, form: AttentionForm, context: RewriteContext): Candidate | string {
  const { query, key, value, past, concats } = form;
  const isHeads = query.form === 'heads-first';
  const scale = site.core.scale * query.factor * form.keyFactor;
  if (scale <= 0) return `its scale is ${scale}`;
  const shape = { ...query, source: query.from };
  const mask = planMask(site, shape, context);
  if (typeof mask === 'string') return mask;
  const product = site.core.nodes.at(-1) as Node;
  const layout = isHeads
    ? ({ last: product, form: 'heads-first', nodes: [] } as const)
    : siteOutput(site, shape, value.size, context);
  const operands = [query, key, value];
  const kept = [...operands.flatMap(({ from, alsoReads = [] }) => [from, ...alsoReads]), ...past];
  const { nodes, dying, problem } = gainOf(site, layout, kept, concats);
  if (problem !== undefined) return problem;
  const presents = concats.map((concat) => concat.output());
  const masks = site.core.steps.map((step) => (step.kind === 'add' ? step.value : step.condition));
  if (leadsTo(presents, [...kept, ...masks], dying)) return 'its mask or its query is computed from its keys';
  const cost =
    1 + (isHeads ? 0 : OUTPUT_COST[layout.form]) + (mask?.cost ?? 0) + operands.reduce((sum, one) => sum + one.cost, 0);
  const dims = scoreDims(site, shape);
  return {
    saved: dying.size - cost,
    nodes: [site.core.root, ...nodes.filter((node) => node !== site.core.root)],
    apply() {
      const { last } = layout;
      const inputs: (Value | undefined)[] = [...operands.map((one) => one.build(last)), mask?.build(last), ...past];
      while (inputs.at(-1) === undefined) inputs.pop();
      const headCounts = [attribute('q_num_heads', query.heads), attribute('kv_num_heads', key.heads)];
      const attributes = [...(isHeads ? [] : headCounts), ...scaleAttributes(scale, query.size)];
      for (const concat of concats) concat.setOutput(0, undefined);
      const spec = { opType: 'Attention', inputs, outputs: presents, attributes };
      const sizes = { batch: dims.batch, sequence: dims.queries, heads: query.heads, size: value.size };
      const fused = attachOutput(isHeads ? { ...layout, form: 'features' } : layout, spec, sizes);
      // Others may read the keys and values before this place.
      if (presents.length > 0) sortGraph(fused.graph);
      return fused;
    },
  };
}
