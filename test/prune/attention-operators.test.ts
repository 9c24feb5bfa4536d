/** Operators that are attention as a whole: heads are cut in all that they read, and counts in attributes follow. */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { cutUnits } from '../../src/passes/prune/cut-units.js';
import { findDependencies } from '../../src/prune/dependency-groups.js';
import { createRandom } from '../../src/tensor/random.js';
import { chooseUnits, compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import type { FeedTensor } from '../helpers/random-feeds.js';

const runtime = await FuzzRuntime.load();
const [BATCH, POSITIONS, WIDTH, HEAD] = [2, 4, 6, 8];

const random = createRandom(5);
function weight(name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, b) => a * b, 1);
  return `float[${dims.join(',')}] ${name} = {${Array.from({ length: count }, () => (random.normal() / 2).toFixed(3)).join(',')}}`;
}

/** Projections to q, k and v of so many heads, `nodes` that make `c` of them, and a projection back. */
function network(heads: number, shared: number, nodes: string, opset: number, more: readonly string[] = []): string {
  const weights = [
    weight('wq', [WIDTH, heads * HEAD]),
    weight('wk', [WIDTH, shared * HEAD]),
    weight('wv', [WIDTH, shared * HEAD]),
    weight('wo', [heads * HEAD, 3]),
    ...more,
  ];
  return `<ir_version: 10, opset_import: ["": ${opset}, "com.microsoft": 1]> g (float[N,${POSITIONS},${WIDTH}] x) => (float[N,${POSITIONS},3] y) <${weights.join(', ')}>
    { q = MatMul (x, wq) k = MatMul (x, wk) v = MatMul (x, wv) ${nodes} y = MatMul (c, wo) }`;
}

const SPLIT = (name: string, heads: number): string =>
  `${name}s = Constant <value_ints: ints = [0,0,${heads},${HEAD}]> () ${name}r = Reshape (${name}, ${name}s) ${name}h = Transpose <perm = [0,2,1,3]> (${name}r)`;
const JOIN = (heads: number): string =>
  `ct = Transpose <perm = [0,2,1,3]> (ch) cs = Constant <value_ints: ints = [0,0,${heads * HEAD}]> () c = Reshape (ct, cs)`;

const angles = [weight('cos', [POSITIONS, HEAD / 2]), weight('sin', [POSITIONS, HEAD / 2])];
const places = `int64[${BATCH},${POSITIONS}] at = {${Array.from({ length: BATCH * POSITIONS }, (_, at) => at % POSITIONS).join(',')}}`;

interface Case {
  readonly text: string;
  /** Units of each group. */
  readonly units: readonly number[];
  /** What the model says after half of them is cut. */
  readonly says: string;
}

const CASES: Readonly<Record<string, Case>> = {
  'Attention of packed heads': {
    text: network(4, 4, 'c = Attention <q_num_heads = 4, kv_num_heads = 4> (q, k, v)', 23),
    units: [4],
    says: 'q_num_heads: int = 2, kv_num_heads: int = 2',
  },
  'Attention of heads that share keys, with a mask for each': {
    text: network(4, 2, 'c = Attention <q_num_heads = 4, kv_num_heads = 2> (q, k, v, m)', 23, [
      weight('m', [4, POSITIONS, POSITIONS]),
    ]),
    units: [2],
    says: 'q_num_heads: int = 2, kv_num_heads: int = 1',
  },
  'Attention of heads as an axis': {
    text: network(
      4,
      4,
      `${SPLIT('q', 4)} ${SPLIT('k', 4)} ${SPLIT('v', 4)} ch = Attention (qh, kh, vh) ${JOIN(4)}`,
      23,
    ),
    units: [4],
    says: 'Attention (',
  },
  'Attention whose queries share one key': {
    text: network(4, 1, 'c = Attention <q_num_heads = 4, kv_num_heads = 1> (q, k, v)', 23),
    units: [4],
    says: 'q_num_heads: int = 2, kv_num_heads: int = 1',
  },
  GroupQueryAttention: {
    text: network(
      4,
      2,
      'c, pk, pv = com.microsoft.GroupQueryAttention <num_heads = 4, kv_num_heads = 2> (q, k, v, , , lengths, total)',
      20,
      [`int32[${BATCH}] lengths = {${POSITIONS - 1},${POSITIONS - 1}}`, `int32 total = {${POSITIONS}}`],
    ),
    units: [2],
    says: 'kv_num_heads: int = 1',
  },
  'MultiHeadAttention with a bias of all three': {
    text: network(4, 4, 'c = com.microsoft.MultiHeadAttention <num_heads = 4> (q, k, v, b)', 20, [
      weight('b', [12 * HEAD]),
    ]),
    units: [4],
    says: 'num_heads: int = 2',
  },
  'RotaryEmbedding of packed heads': {
    text: network(
      4,
      4,
      'qt = RotaryEmbedding <num_heads = 4> (q, cos, sin, at) kt = RotaryEmbedding <num_heads = 4> (k, cos, sin, at) c = Attention <q_num_heads = 4, kv_num_heads = 4> (qt, kt, v)',
      23,
      [...angles, places],
    ),
    units: [4],
    says: 'RotaryEmbedding <num_heads: int = 2>',
  },
  'RotaryEmbedding of ONNX Runtime': {
    text: network(
      4,
      4,
      'qt = com.microsoft.RotaryEmbedding <num_heads = 4> (q, at, cos, sin) c = com.microsoft.MultiHeadAttention <num_heads = 4> (qt, k, v)',
      20,
      [...angles, places],
    ),
    units: [4],
    says: 'RotaryEmbedding <num_heads: int = 2>',
  },
};

const floats = Float32Array.from({ length: BATCH * POSITIONS * WIDTH }, () => random.normal());
const feeds = new Map<string, FeedTensor>([['x', { type: 'float32', dims: [BATCH, POSITIONS, WIDTH], data: floats }]]);

describe('heads of', () => {
  for (const [name, { text, units, says }] of Object.entries(CASES))
    it(`${name} are cut, and their number with them`, async () => {
      const model = parseModel(text);
      for (const [seed, amount] of [0.3, 0.5, 0.9].entries())
        expect((await compareCut(model, { amount, seed, feeds }, runtime)).relative).toBeLessThan(1e-5);
      const dependencies = findDependencies(model);
      expect(dependencies.groups.map((group) => group.units.length)).toEqual(units);
      cutUnits(model, dependencies, chooseUnits(dependencies, 0.5, createRandom(1)));
      expect(printModel(model)).toContain(says);
    });

  it('keys stay where a cache that callers hand over has them, and queries are cut by as many of each group', async () => {
    const cache = `float[N,2,P,${HEAD}]`;
    const text = network(4, 2, 'c, nk, nv = Attention <q_num_heads = 4, kv_num_heads = 2> (q, k, v, , pk, pv)', 23)
      .replace(`[N,${POSITIONS},${WIDTH}] x)`, `[N,${POSITIONS},${WIDTH}] x, ${cache} pk, ${cache} pv)`)
      .replace(',3] y)', `,3] y, float[N,2,?,${HEAD}] nk, float[N,2,?,${HEAD}] nv)`);
    const model = parseModel(text);
    expect(findDependencies(model).groups.map((group) => group.units.length)).toEqual([2]);
    const past = {
      type: 'float32',
      dims: [BATCH, 2, 3, HEAD],
      data: new Float32Array(BATCH * 2 * 3 * HEAD).fill(0.25),
    };
    const all = new Map([...feeds, ['pk', past], ['pv', past]] as const);
    expect((await compareCut(model, { amount: 0.5, seed: 1, feeds: all }, runtime)).relative).toBeLessThan(1e-5);
  });
});
