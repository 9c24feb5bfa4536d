import type { Value } from '../../ir/value.js';
import { type AxisId, ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { type AxisRules, rulesFor } from './rule.js';

/** [batch, positions, heads·width]: its last axis is heads of equal width, cut by heads. */
function packed(context: RuleContext, axis: AxisId | undefined, heads: AxisId): void {
  const width = context.table.size(axis ?? ONE) / context.table.size(heads);
  if (heads >= 0) context.table.batchAxes.add(heads);
  context.product(axis, [heads, context.factor(width)], heads === ONE ? undefined : 0);
  if (heads === ONE) context.stay(axis, 'there is one head');
}

/** The first axes of two tensors. */
function sameFirst(
  context: RuleContext,
  a: readonly AxisId[] | undefined,
  b: readonly AxisId[] | undefined,
  count: number,
): void {
  for (let at = 0; at < count; at++) context.same(a?.[at], b?.[at]);
}

/** An additive mask [batch or 1, heads or 1, positions, positions], without the first axes where it is the same for all of them. */
function mask(context: RuleContext, slot: number, heads: AxisId): void {
  if (!context.has(slot)) return;
  const axis = context.input(slot)?.at(-3) ?? ONE;
  if (axis !== ONE) context.same(axis, heads);
}

/** A cache [batch, heads, positions, width], or [2, batch, heads, …]. */
function cache(context: RuleContext, axes: readonly AxisId[] | undefined, heads: AxisId): void {
  if (axes?.length === 4) context.same(axes[1], heads);
  if (axes?.length === 5) context.same(axes[2], heads);
}

function isRead(value: Value | undefined): boolean {
  return value !== undefined && (value.uses.size > 0 || value.isGraphOutput);
}

/** An output or input that may be there. Of unknown rank, it keeps the heads. */
function caches(context: RuleContext, slots: readonly number[], outputs: readonly number[], heads: AxisId): void {
  const all = [
    ...slots.map((slot) => [context.has(slot), context.input(slot)] as const),
    ...outputs.map((index) => [isRead(context.node.outputs[index]), context.output(index)] as const),
  ];
  for (const [isThere, axes] of all) {
    if (isThere && axes === undefined) context.stay(heads, 'the shape of a cache is not known');
    cache(context, axes, heads);
  }
}

/** com.microsoft.Attention: input [N, S, I], weights [I, Q|K|V], bias, mask, past, mask to add. */
function packedAttention(context: RuleContext): void {
  const x = context.input(0);
  const w = context.input(1);
  const y = context.output();
  const count = context.node.int('num_heads', 0);
  if (x === undefined || w === undefined || y === undefined || count === 0) return;
  sameFirst(context, x, y, 2);
  context.same(x[2], w[0]);
  context.mark(w[0], 'consumes');
  context.mark(w[1], 'produces');
  const heads = context.factor(count);
  const sizes = context.node.ints('qkv_hidden_sizes');
  const total = context.table.size(w[1] as AxisId);
  if (sizes !== undefined && new Set(sizes).size > 1) return;
  for (const axis of [w[1], context.input(2)?.[0]]) {
    if (axis === undefined) continue;
    context.product(axis, [context.factor(3), heads, context.factor(total / 3 / count)], 1);
  }
  packed(context, y[2], heads);
  mask(context, 5, heads);
  caches(context, [4], [1], heads);
}

/** com.microsoft.MultiHeadAttention: query [N, S, D]; key and value too, or [N, heads, S, width]; bias, masks, past. */
function multiHeadAttention(context: RuleContext): void {
  const [q, k, v] = [context.input(0), context.input(1), context.input(2)];
  const y = context.output();
  const count = context.node.int('num_heads', 0);
  if (q?.length !== 3 || k === undefined || v === undefined || y === undefined || count === 0) return;
  if (k.length !== v.length || (k.length !== 3 && k.length !== 4)) return;
  const heads = context.factor(count);
  sameFirst(context, q, y, 2);
  context.same(k[0], v[0]);
  for (const axis of [q[2], y[2]]) packed(context, axis, heads);
  for (const axes of [k, v])
    if (axes.length === 3) packed(context, axes[2], heads);
    else context.same(axes[1], heads);
  const bias = context.input(3)?.[0];
  if (bias !== undefined && bias >= 0 && k.length === 4)
    context.stay(heads, 'keys with heads of their own have no bias');
  else if (bias !== undefined && bias >= 0) {
    let start = 0;
    for (const axis of [q[2], k[2], v[2]]) {
      const size = context.table.size(axis as AxisId);
      context.run(axis as AxisId, 0, 1, bias, start, 1, size);
      start += size;
    }
  }
  mask(context, 5, heads);
  caches(context, [6, 7], [1, 2, 3], heads);
}

/** Queries whose heads share those of keys and values: they are cut with them or, where those stay, as many of each group. */
function groupedHeads(
  context: RuleContext,
  queryHeads: number,
  keyHeads: number,
): { readonly heads: AxisId; readonly query: AxisId } {
  const heads = context.factor(keyHeads);
  context.table.addBatchAxis(heads);
  if (queryHeads === keyHeads) return { heads, query: heads };
  const query = context.factor(queryHeads);
  context.product(query, [heads, context.factor(queryHeads / keyHeads)]);
  return { heads, query };
}

/** com.microsoft.GroupQueryAttention with separate query, key and value. */
function groupQueryAttention(context: RuleContext): void {
  const [q, k, v] = [context.input(0), context.input(1), context.input(2)];
  const y = context.output();
  const count = context.node.int('num_heads', 0);
  const keyCount = context.node.int('kv_num_heads', 0);
  if (q === undefined || k === undefined || v === undefined || y === undefined || count === 0 || keyCount === 0) return;
  const { heads, query } = groupedHeads(context, count, keyCount);
  sameFirst(context, q, y, 2);
  sameFirst(context, k, v, 2);
  for (const axis of [q[2], y[2]]) packed(context, axis, query);
  for (const axis of [k[2], v[2]]) packed(context, axis, heads);
  caches(context, [3, 4], [1, 2], heads);
  caches(context, [], [3], query);
  mask(context, 10, query);
  if (context.has(11)) context.same(context.input(11)?.[0], query);
  for (const slot of [12, 13]) if (context.has(slot)) keepScales(context, slot, heads);
}

/** Scales of a quantized cache: one for all, or one for each element of a head. */
function keepScales(context: RuleContext, slot: number, heads: AxisId): void {
  if (!context.input(slot)?.every((axis) => axis === ONE)) context.stay(heads, 'its cache has scales of its own');
}

/** ai.onnx Attention: [N, heads, S, width], or [N, S, heads·width] with the numbers of heads as attributes. */
function standardAttention(context: RuleContext): void {
  const [q, k, v] = [context.input(0), context.input(1), context.input(2)];
  const y = context.output();
  if (q === undefined || k === undefined || v === undefined || y === undefined) return;
  const isPacked = q.length === 3;
  const count = isPacked ? context.node.int('q_num_heads', 0) : context.table.size(q[1] as AxisId);
  const keyCount = isPacked ? context.node.int('kv_num_heads', 0) : context.table.size(k[1] as AxisId);
  if (count === 0 || keyCount === 0) return;
  const { heads, query } = groupedHeads(context, count, keyCount);
  const place = (axes: readonly AxisId[], of: AxisId): void =>
    isPacked ? packed(context, axes[2], of) : context.same(axes[1], of);
  sameFirst(context, q, y, 1);
  context.same(q[isPacked ? 1 : 2], y[isPacked ? 1 : 2]);
  place(q, query);
  place(y, query);
  place(k, heads);
  place(v, heads);
  mask(context, 3, query);
  caches(context, [4, 5], [1, 2], heads);
  caches(context, [], [3], query);
}

/** Pairs within each head are turned: heads pass, their width stays. */
function rotary(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  if (x.length === 4) {
    sameFirst(context, x, y, 3);
    return;
  }
  sameFirst(context, x, y, 2);
  const count = context.node.int('num_heads', 0);
  if (count === 0) return;
  const heads = context.factor(count);
  packed(context, x[2], heads);
  packed(context, y[2], heads);
}

export const ATTENTION_RULES: AxisRules = new Map([
  ...rulesFor('com.microsoft:Attention', packedAttention),
  ...rulesFor('com.microsoft:MultiHeadAttention', multiHeadAttention),
  ...rulesFor('com.microsoft:GroupQueryAttention', groupQueryAttention),
  ...rulesFor('Attention', standardAttention),
  ...rulesFor('RotaryEmbedding com.microsoft:RotaryEmbedding', rotary),
]);
