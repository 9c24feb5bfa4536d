/** Which axes depend on each other, and which stay: the smallest graphs of what is easily taken for something else. */
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { cutUnits } from '../../src/passes/prune/cut-units.js';
import { findDependencies, type SearchOptions } from '../../src/prune/dependency-groups.js';
import { explainDependencies } from '../../src/prune/explain-dependencies.js';
import { compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import { seededFeeds } from '../helpers/seeded-feeds.js';

const runtime = await FuzzRuntime.load();

let next = 1;
/** A weight whose numbers differ from each other. */
function weight(name: string, dims: readonly number[], type = 'float'): string {
  const count = dims.reduce((a, b) => a * b, 1);
  const numbers = Array.from({ length: count }, () => {
    next = (next * 48271) % 2147483647;
    return type === 'float' ? (next / 2147483647 - 0.5).toFixed(3) : String(next % 7);
  });
  return `${type}[${dims.join(',')}] ${name} = {${numbers.join(',')}}`;
}

function graph(io: string, weights: readonly string[], nodes: string, opset = 17, domains = ''): string {
  return `<ir_version: 10, opset_import: ["": ${opset}${domains}]> g ${io} <${weights.join(', ')}> { ${nodes} }`;
}

/** How many indices may be cut, by `weight[axis]`. */
function prunable(text: string, options: SearchOptions = {}): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { weight: name, axis, prunable: count } of explainDependencies(parseModel(text), options)) {
    const key = `${name}[${axis}]`;
    found[key] = Math.min(found[key] ?? count, count);
  }
  return found;
}

function reasons(text: string, name: string): string {
  return explainDependencies(parseModel(text))
    .filter(({ weight: of, axis }) => `${of}[${axis}]` === name)
    .flatMap((axis) => axis.reasons)
    .join('; ');
}

/** Cuts half of everything and compares; gives the text of what was cut. */
async function exact(text: string): Promise<string> {
  const model = parseModel(text);
  const { relative, groups } = await compareCut(model, { amount: 0.5, seed: 1, feeds: seededFeeds(model) }, runtime);
  expect(groups).toBeGreaterThan(0);
  expect(relative).toBeLessThan(1e-5);
  const cut = parseModel(text);
  const dependencies = findDependencies(cut);
  cutUnits(
    cut,
    dependencies,
    dependencies.groups.flatMap(({ units }) => units.slice(0, Math.floor(units.length / 2))),
  );
  return printModel(cut);
}

const TWO_CONVS = [weight('w', [4, 3, 1, 1]), weight('v', [2, 4, 1, 1])];
const IMAGES = '(float[N,3,4,4] x) => (float[N,2,4,4] y)';

describe('channels', () => {
  it('of a layer between two others may be cut, those of the interface may not', () => {
    const text = graph(IMAGES, TWO_CONVS, 'h = Conv (x, w) y = Conv (h, v)');
    expect(prunable(text)).toEqual({ 'w[0]': 4, 'w[1]': 0, 'v[0]': 0, 'v[1]': 4 });
    expect(reasons(text, 'w[1]')).toBe('graph input "x"');
    expect(reasons(text, 'v[0]')).toBe('graph output "y"');
  });

  it('stay where indices of maxima count through them', () => {
    const text = graph(
      IMAGES,
      TWO_CONVS,
      'h = Conv (x, w) p, i = MaxPool <kernel_shape = [1,1]> (h) q = MaxUnpool <kernel_shape = [1,1]> (p, i) y = Conv (q, v)',
    );
    expect(prunable(text)).toMatchObject({ 'w[0]': 0, 'v[1]': 0 });
    expect(reasons(text, 'w[0]')).toContain('indices of maxima count through it (MaxPool');
  });

  it('stay where they are all there is of a block of pixels', () => {
    const weights = [weight('w', [4, 3, 1, 1])];
    const text = graph(
      '(float[N,3,4,4] x) => (float[N,1,8,8] y)',
      weights,
      'h = Conv (x, w) y = DepthToSpace <blocksize = 2> (h)',
    );
    expect(prunable(text)).toEqual({ 'w[0]': 0, 'w[1]': 0 });
  });

  it('of running statistics that a graph gives out stay', () => {
    const vectors = ['s', 'b', 'm', 'u'].map((name) => weight(name, [4]));
    const nodes = 'h = Conv (x, w) n, rm, rv = BatchNormalization <training_mode = 1> (h, s, b, m, u) y = Conv (n, v)';
    const text = graph(
      '(float[N,3,4,4] x) => (float[N,2,4,4] y, float[4] rm, float[4] rv)',
      [...TWO_CONVS, ...vectors],
      nodes,
    );
    expect(prunable(text)).toMatchObject({ 'w[0]': 0, 'v[1]': 0, 's[0]': 0 });
  });

  it('stay where a subgraph reads them, and where a local function is called like an operator', () => {
    const branch =
      'c = Constant <value_int: int = 1> () t = Cast <to = 9> (c) z = If <then_branch = a () => (float[?,?,?,?] p) { p = Relu (h) }, else_branch = b () => (float[?,?,?,?] q) { q = Abs (h) }> (t)';
    const text = graph(
      '(float[N,3,4,4] x) => (float[N,2,4,4] y, float[?,?,?,?] z)',
      TWO_CONVS,
      `h = Conv (x, w) ${branch} y = Conv (h, v)`,
    );
    expect(prunable(text)).toMatchObject({ 'w[0]': 0 });
    const local = `${graph(IMAGES, TWO_CONVS, 'h = Conv (x, w) r = own.Relu (h) y = Conv (r, v)', 17, ', "own": 1')} <domain: "own", opset_import: ["": 17]> Relu (a) => (b) { b = ReduceMax <axes = [1], keepdims = 1> (a) }`;
    expect(prunable(local)).toMatchObject({ 'w[0]': 0 });
  });

  it('stay where a default that callers may override has them', () => {
    const text = graph(
      '(float[N,3,4,4] x, float[1,4,1,1] s) => (float[N,2,4,4] y)',
      [...TWO_CONVS, weight('s', [1, 4, 1, 1])],
      'h = Conv (x, w) r = Mul (h, s) y = Conv (r, v)',
    );
    expect(prunable(text)).toMatchObject({ 'w[0]': 0 });
  });

  it('stay where their statistics are computed over them, and whole groups may go', () => {
    const norm = [weight('s', [4]), weight('b', [4])];
    const of = (groups: number): Record<string, number> =>
      prunable(
        graph(
          IMAGES,
          [...TWO_CONVS, ...norm],
          `h = Conv (x, w) n = GroupNormalization <num_groups = ${groups}> (h, s, b) y = Conv (n, v)`,
          21,
        ),
      );
    expect(of(1)).toMatchObject({ 'w[0]': 0 });
    expect(of(2)).toMatchObject({ 'w[0]': 4, 'v[1]': 4 });
    const layer = graph(
      '(float[N,3] x) => (float[N,2] y)',
      [weight('w', [3, 4]), weight('v', [4, 2]), weight('s', [4])],
      'h = MatMul (x, w) n = LayerNormalization (h, s) y = MatMul (n, v)',
    );
    expect(prunable(layer)).toMatchObject({ 'w[1]': 0, 's[0]': 0, 'v[0]': 0 });
    expect(prunable(layer, { throughNormalization: true })).toMatchObject({ 'w[1]': 4, 's[0]': 4, 'v[0]': 4 });
  });

  it('stay in weights of four bits', () => {
    const text = graph(
      '(float[N,4] x) => (float[N,2] y)',
      ['int4[4,4] w = {1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4}', weight('v', [4, 2]), 'float s = {0.1}'],
      'd = DequantizeLinear (w, s) h = MatMul (x, d) y = MatMul (h, v)',
      21,
    );
    expect(prunable(text)).toMatchObject({ 'w[1]': 0, 'v[0]': 0 });
    expect(reasons(text, 'w[1]')).toContain('share bytes');
  });

  it('stay where a step of a slice is not known', () => {
    const text = graph(
      '(float[N,3] x, int64[1] k) => (float[N,?] y)',
      [weight('w', [3, 4])],
      'h = MatMul (x, w) a = Constant <value_ints: ints = [0]> () b = Constant <value_ints: ints = [4]> () c = Constant <value_ints: ints = [1]> () y = Slice (h, a, b, c, k)',
    );
    expect(prunable(text)).toMatchObject({ 'w[1]': 0 });
  });

  it('stay where their number is an output of the model', () => {
    const text = graph(
      '(float[N,3,4,4] x) => (float[N,2,4,4] y, int64[4] z)',
      TWO_CONVS,
      'h = Conv (x, w) z = Shape (h) y = Conv (h, v)',
    );
    expect(prunable(text)).toMatchObject({ 'w[0]': 0 });
  });
});

describe('what a cut writes anew', () => {
  it('leaves sizes that are computed with as they were', async () => {
    const nodes =
      'h = Conv (x, w) s = Shape (h) i = Constant <value_int: int = 1> () c = Gather (s, i) f = Cast <to = 1> (c) r = Sqrt (f) d = Div (h, r) y = Conv (d, v)';
    const cut = await exact(graph(IMAGES, TWO_CONVS, nodes));
    expect(cut).toContain('Add');
  });

  it('takes places by Gather where a slice is not evenly spaced any more', async () => {
    const weights = [weight('w', [8, 3, 1, 1]), weight('v', [2, 8, 1, 1]), weight('u', [2, 4, 1, 1])];
    const nodes =
      'h = Conv (x, w) a = Constant <value_ints: ints = [0]> () b = Constant <value_ints: ints = [8]> () c = Constant <value_ints: ints = [1]> () t = Constant <value_ints: ints = [2]> () k = Slice (h, a, b, c, t) y = Conv (k, u) o = Conv (h, v)';
    const text = graph('(float[N,3,4,4] x) => (float[N,2,4,4] y, float[N,2,4,4] o)', weights, nodes);
    expect(await exact(text)).not.toContain('Gather');
    const model = parseModel(text);
    const dependencies = findDependencies(model);
    const second = dependencies.groups
      .flatMap(({ units }) => units)
      .filter(
        ({ parts }) => parts.some(({ indices }) => indices.length === 1 && indices[0] === 1) && parts.length === 3,
      );
    expect(second).toHaveLength(1);
    cutUnits(model, dependencies, second);
    expect(printModel(model)).toContain('{0,1,3,5}');
  });

  it('names the axes that are dropped where another one has become 1', async () => {
    const weights = [weight('w', [3, 2]), weight('v', [2, 2])];
    const cut = await exact(
      graph('(float[1,1,3] x) => (float[?] y)', weights, 'h = MatMul (x, w) q = Squeeze (h) y = MatMul (q, v)'),
    );
    expect(cut).toMatch(/Squeeze \(h, \w+\)/);
  });

  it('counts the groups of a normalization that are left', async () => {
    const weights = [weight('w', [8, 3, 1, 1]), weight('v', [2, 8, 1, 1]), weight('s', [8]), weight('b', [8])];
    const nodes = 'h = Conv (x, w) n = GroupNormalization <num_groups = 4> (h, s, b) y = Conv (n, v)';
    expect(await exact(graph(IMAGES, weights, nodes, 21))).toContain('num_groups: int = 2');
  });

  it('repeats a gate as often as there are channels left', async () => {
    const weights = [...TWO_CONVS, weight('u', [1, 3, 1, 1])];
    const nodes =
      'h = Conv (x, w) o = Conv (x, u) c = Constant <value_ints: ints = [1,4,1,1]> () t = Tile (o, c) m = Mul (h, t) y = Conv (m, v)';
    expect(await exact(graph(IMAGES, weights, nodes))).toContain('{1,2,1,1}');
  });

  it('cuts a constant that two layers read apart from each other, and a weight that they share together', async () => {
    const weights = [
      weight('w', [4, 3]),
      weight('v', [4, 3]),
      weight('b', [4]),
      weight('p', [4, 2]),
      weight('q', [4, 2]),
    ];
    const nodes =
      'a = Gemm <transB = 1> (x, w, b) c = Gemm <transB = 1> (x, v, b) d = Tanh (a) e = MatMul (d, p) f = MatMul (c, q) y = Add (e, f)';
    await exact(graph('(float[N,3] x) => (float[N,2] y)', weights, nodes));
    const tied = [weight('w', [3, 4]), weight('p', [4, 2]), weight('q', [4, 2])];
    const shared = graph(
      '(float[N,3] x) => (float[N,2] y)',
      tied,
      'a = MatMul (x, w) b = Neg (x) c = MatMul (b, w) e = MatMul (a, p) f = MatMul (c, q) y = Add (e, f)',
    );
    expect(findDependencies(parseModel(shared)).groups).toHaveLength(1);
    await exact(shared);
  });
});

/** Batch and heads in one axis, and taken apart again in an order. */
function merged(order: 'kept' | 'turned'): string {
  const weights = ['q', 'k', 'v'].map((name) => weight(name, [6, 6]));
  const project = (name: string): string =>
    `${name}0 = MatMul (x, ${name}) ${name}1 = Reshape (${name}0, split) ${name}2 = Transpose <perm = [0,2,1,3]> (${name}1) ${name}3 = Reshape (${name}2, fold)`;
  const back =
    order === 'kept'
      ? 'unfold = Constant <value_ints: ints = [-1,3,4,2]> ()'
      : 'unfold = Constant <value_ints: ints = [3,-1,4,2]> ()';
  const perm = order === 'kept' ? '[0,2,1,3]' : '[1,2,0,3]';
  const nodes = `split = Constant <value_ints: ints = [0,0,3,2]> () fold = Constant <value_ints: ints = [-1,4,2]> () ${back}
    ${project('q')} ${project('k')} ${project('v')}
    kt = Transpose <perm = [0,2,1]> (k3) s = MatMul (q3, kt) p = Softmax (s) c = MatMul (p, v3)
    u = Reshape (c, unfold) t = Transpose <perm = ${perm}> (u) join = Constant <value_ints: ints = [0,0,6]> () j = Reshape (t, join) y = MatMul (j, o)`;
  return graph('(float[N,4,6] x) => (float[N,4,2] y)', [...weights, weight('o', [6, 2])], nodes);
}

/** As torch's MultiheadAttention is exported at a fixed batch of 2: one weight for all three, split in two steps; 3 heads of 2. */
function packed(): string {
  const view = (name: string, at: number): string =>
    `i${name} = Constant <value_int: int = ${at}> () g${name} = Gather <axis = 0> (z, i${name}) f${name} = Reshape (g${name}, flat)
     t${name} = Transpose <perm = [1,0,2]> (f${name}) ${name} = Reshape (t${name}, apart)`;
  const constants = [
    'three = Constant <value_ints: ints = [4,2,3,6]> ()',
    'first = Constant <value_ints: ints = [0]> ()',
    'last = Constant <value_ints: ints = [-2]> ()',
    'flat = Constant <value_ints: ints = [4,6,2]> ()',
    'apart = Constant <value_ints: ints = [2,3,4,2]> ()',
    'joined = Constant <value_ints: ints = [8,6]> ()',
  ];
  const nodes = `${constants.join(' ')} h = MatMul (x, w) b = Add (h, c) v0 = Reshape (b, three) u = Unsqueeze (v0, first)
    t = Transpose <perm = [3,1,2,0,4]> (u) z = Squeeze (t, last) ${view('q', 0)} ${view('k', 1)} ${view('v', 2)}
    kt = Transpose <perm = [0,1,3,2]> (k) s = MatMul (q, kt) p = Softmax (s) a = MatMul (p, v)
    m = Transpose <perm = [2,0,1,3]> (a) j = Reshape (m, joined) y = Gemm <transB = 1> (j, o)`;
  return graph(
    '(float[4,2,5] x) => (float[8,3] y)',
    [weight('w', [5, 18]), weight('c', [18]), weight('o', [3, 6])],
    nodes,
  );
}

it('follows an added axis whatever the sizes around it are called', () => {
  const text = graph(
    '(float[N,3] x) => (float[N,1,2] y, float[M,4] h)',
    [weight('w', [3, 4]), weight('v', [4, 2])],
    'h = MatMul (x, w) one = Constant <value_ints: ints = [1]> () u = Unsqueeze (h, one) y = MatMul (u, v)',
  );
  expect(reasons(text, 'v[0]')).toBe('graph output "h"');
});

describe('heads', () => {
  it('are cut where queries, keys and values are one weight that is taken apart in two steps', async () => {
    expect(prunable(packed())).toMatchObject({ 'w[1]': 18, 'c[0]': 18, 'o[1]': 6 });
    expect(findDependencies(parseModel(packed())).groups.map(({ units }) => units.length)).toEqual([3]);
    await exact(packed());
  });

  it('are cut where they are one axis with a batch of unknown size', async () => {
    expect(prunable(merged('kept'))).toMatchObject({ 'q[1]': 6, 'k[1]': 6, 'v[1]': 6, 'o[0]': 6 });
    expect(findDependencies(parseModel(merged('kept'))).groups.map(({ units }) => units.length)).toEqual([3]);
    await exact(merged('kept'));
  });

  it('stay where batch and heads are taken apart in another order than they were merged in', () => {
    const text = merged('turned');
    const groups = findDependencies(parseModel(text)).groups.map(({ units }) => units.length);
    expect(groups).not.toContain(3);
  });

  it('give way to the width of each where that is wanted', () => {
    const [group] = findDependencies(parseModel(merged('kept')), { heads: false }).groups;
    expect(group?.units).toHaveLength(2);
  });
});

describe('explaining', () => {
  it('counts constants in subgraphs as weights that stay', () => {
    const text = graph(
      '(bool c, float[N,3] x) => (float[N,2] y)',
      [],
      `y = If <then_branch = a () => (float[?,?] p) <${weight('w', [3, 2])}> { p = MatMul (x, w) }, else_branch = b () => (float[?,?] q) <${weight('v', [3, 2])}> { q = MatMul (x, v) }> (c)`,
    );
    const axes = explainDependencies(parseModel(text));
    expect(axes.map(({ weight: name, axis }) => `${name}[${axis}]`)).toEqual(['w[0]', 'w[1]', 'v[0]', 'v[1]']);
    for (const { reasons: why } of axes) expect(why[0]).toContain('subgraphs are not analyzed');
  });

  it('says of an axis that stands or falls as a whole that nothing would be left', () => {
    const text = graph(
      '(float[N,3] x) => (float[N,2] y)',
      [weight('w', [3, 2])],
      'h = MatMul (x, w) s = Constant <value_ints: ints = [-1,1]> () a, b = Split <axis = 1> (h) c = Add (a, b) y = Concat <axis = 1> (c, c)',
    );
    expect(prunable(text)).toMatchObject({ 'w[1]': 0 });
    const turned = graph(
      '(float[N,3] x) => (float[N,2] y)',
      [weight('w', [3, 4]), weight('v', [4, 2])],
      'h = MatMul (x, w) i = Constant <value_ints: ints = [1,2,3,0]> () g = Gather <axis = 1> (h, i) c = Add (h, g) y = MatMul (c, v)',
    );
    const { groups, frozen } = findDependencies(parseModel(turned));
    expect(groups).toEqual([]);
    expect(
      frozen.map(({ value, axis, reason }) => [value.name, axis, reason.text.includes('nothing would be left')]),
    ).toEqual(
      expect.arrayContaining([
        ['w', 1, true],
        ['v', 0, true],
      ]),
    );
  });
});
