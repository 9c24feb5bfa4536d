import type { Node } from '../../../ir/node.js';
import { sortGraph } from '../../../ir/sort.js';
import { dyingNodes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { rankOf, sameDim, shapeOf } from '../../types.js';
import { type HeadsFirst, headsFirst } from './attention-heads.js';
import { cachedInput } from './attention-inputs.js';
import { leadsTo } from './leads-to.js';

/**
 * Attention(Q, repeated heads of Concat(past, K), …) = Attention(Q, K, …, past): the operator itself repeats heads of
 * key and value for groups of heads of the query, and prepends those of earlier steps.
 *
 * Fires for operands of shape [batch, heads, sequence, size], where key and value are both repeated as often, or both
 * concatenated so. Does not merge earlier steps where the mask is causal by attribute (which counts from the first key
 * without them), or where the mask or the query is computed from the keys. Numerics: reassociates. Reference: Ainslie
 * et al. 2023 (arXiv 2305.13245); ONNX operator Attention-23.
 */
export const fuseCacheIntoAttention = defineRewrite<object>({
  name: 'fuse-cache-into-attention',
  summary: 'Moves the repetition of heads and the key-value cache into Attention.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [23, null],
  options: {},
  roots: ['Attention'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const [query, key, value] = node.inputs;
  if (!query || !key || !value || [query, key, value].some((one) => rankOf(one) !== 4)) return undefined;
  if (node.input(4) || node.input(5) || node.outputs[1] || node.outputs[2]) return undefined;
  const keyHeads = headsFirst(key, 'value', true, context);
  const valueHeads = headsFirst(value, 'value', true, context);
  if (!keyHeads || !valueHeads || keyHeads.factor !== 1 || valueHeads.factor !== 1) return undefined;
  if (keyHeads.repeats !== valueHeads.repeats) return 'heads of key and value are repeated differently';
  const cache = cacheOf(node, keyHeads, valueHeads, context);
  const { concats, past, added } =
    typeof cache === 'object' ? cache : { concats: [], past: [], added: [keyHeads.value, valueHeads.value] };
  if (concats.length === 0 && keyHeads.repeats === 1) return typeof cache === 'string' ? cache : undefined;
  const [newKey, newValue] = added;
  const heads = shapeOf(query)?.[1];
  const keyHeadCount = shapeOf(newKey)?.[1];
  if (typeof heads !== 'number' || typeof keyHeadCount !== 'number' || keyHeadCount * keyHeads.repeats !== heads)
    return 'key and value do not have as many heads as the query';
  const dying = dyingNodes([node, ...concats], [query, newKey, newValue, ...past, ...node.inputs.slice(3)]);
  if (dying.size <= 1) return undefined;
  const presents = concats.map((concat) => concat.output());
  if (leadsTo(presents, [query, newKey, newValue, node.input(3)], dying))
    return 'its mask or its query is computed from its keys';
  return {
    nodes: [node, ...concats, ...producers(key, value)],
    apply() {
      node.setInput(1, newKey);
      node.setInput(2, newValue);
      if (past.length === 0) return node;
      concats.forEach((concat) => {
        concat.setOutput(0, undefined);
      });
      past.forEach((one, index) => {
        node.setInput(4 + index, one);
      });
      presents.forEach((present, index) => {
        node.setOutput(1 + index, present);
      });
      // Others may read the keys and values before this place.
      sortGraph(node.graph);
      return node;
    },
  };
}

function producers(...values: { readonly producer: Node | undefined }[]): Node[] {
  return values.flatMap(({ producer }) => (producer ? [producer] : []));
}

interface Cache {
  readonly concats: readonly Node[];
  readonly past: NonNullable<Node['inputs'][number]>[];
  readonly added: NonNullable<Node['inputs'][number]>[];
}

/** Earlier and new heads of both; undefined where they are not put together, a reason where that cannot be left to the operator. */
function cacheOf(
  node: Node,
  keyHeads: HeadsFirst,
  valueHeads: HeadsFirst,
  context: RewriteContext,
): Cache | string | undefined {
  const key = cachedInput(keyHeads, 'heads-first', context);
  const value = cachedInput(valueHeads, 'heads-first', context);
  if (!key || !value || key.concat === value.concat) return undefined;
  if (!sameDim(shapeOf(key.past)?.[2], shapeOf(value.past)?.[2]))
    return 'the numbers of earlier keys and values may differ';
  if (node.int('is_causal', 0) === 1) return 'its causal mask starts at the first of all keys';
  if (node.input(6)) return 'it has an input for the number of valid keys';
  if (key.added.cost > 0 || value.added.cost > 0) return undefined;
  return {
    concats: [key.concat, value.concat],
    past: [key.past, value.past],
    added: [key.added.from, value.added.from],
  };
}
