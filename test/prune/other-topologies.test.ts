/** Small networks with the habits of other exporters and families: each is cut, explained, and the function of its zeroed twin. */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { explainDependencies } from '../../src/prune/explain-dependencies.js';
import { createRandom } from '../../src/tensor/random.js';
import { compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import { seededFeeds } from '../helpers/seeded-feeds.js';
import { VARIANTS } from '../helpers/topologies/variants.js';

const runtime = await FuzzRuntime.load();
const random = createRandom(3);

/** A weight of random numbers. */
function weight(name: string, ...dims: readonly number[]): string {
  const numbers = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (random.float() - 0.5).toFixed(3));
  return `float[${dims.join(',')}] ${name} = {${numbers.join(',')}}`;
}

/** Sizes or positions. */
function integers(name: string, ...values: readonly number[]): string {
  return `int64[${values.length}] ${name} = {${values.join(',')}}`;
}

function graph(io: string, constants: readonly string[], nodes: string): Model {
  return parseModel(`<ir_version: 8, opset_import: ["": 17]> g ${io} <${constants.join(', ')}> { ${nodes} }`);
}

const NETWORKS: Readonly<Record<string, () => Model>> = {
  'Inception (branches, concat, pool projection)': () =>
    graph(
      '(float[N,3,12,12] x) => (float[N,5] y)',
      [
        weight('a', 16, 3, 3, 3),
        weight('b1', 8, 16, 1, 1),
        weight('b2', 8, 16, 1, 1),
        weight('b3', 12, 8, 3, 3),
        weight('b4', 4, 16, 1, 1),
        weight('c', 16, 24, 1, 1),
        weight('f', 16, 5),
      ],
      's = Conv <pads=[1,1,1,1]> (x,a) r = Relu (s) p1 = Conv (r,b1) p2a = Conv (r,b2) p2r = Relu (p2a) p2 = Conv <pads=[1,1,1,1]> (p2r,b3) mp = MaxPool <kernel_shape=[3,3], pads=[1,1,1,1]> (r) p4 = Conv (mp,b4) cat = Concat <axis=1> (p1,p2,p4) h = Conv (cat,c) gp = GlobalAveragePool (h) fl = Flatten (gp) y = MatMul (fl,f)',
    ),
  'YOLO C2f (split, bottleneck, concat, SPPF, SiLU)': () =>
    graph(
      '(float[N,3,16,16] x) => (float[N,6,8,8] y)',
      [
        weight('a', 16, 3, 3, 3),
        weight('b', 16, 16, 1, 1),
        weight('m1', 8, 8, 3, 3),
        weight('m2', 8, 8, 3, 3),
        weight('c', 16, 24, 1, 1),
        weight('q', 8, 16, 1, 1),
        weight('o', 6, 32, 1, 1),
        integers('sp', 8, 8),
      ],
      's = Conv <pads=[1,1,1,1], strides=[2,2]> (x,a) sg = Sigmoid (s) r = Mul (s,sg) t = Conv (r,b) t1,t2 = Split <axis=1> (t,sp) u1 = Conv <pads=[1,1,1,1]> (t2,m1) ur = Relu (u1) u2 = Conv <pads=[1,1,1,1]> (ur,m2) u = Add (t2,u2) cat = Concat <axis=1> (t1,t2,u) h = Conv (cat,c) z = Conv (h,q) z1 = MaxPool <kernel_shape=[5,5], pads=[2,2,2,2]> (z) z2 = MaxPool <kernel_shape=[5,5], pads=[2,2,2,2]> (z1) z3 = MaxPool <kernel_shape=[5,5], pads=[2,2,2,2]> (z2) zc = Concat <axis=1> (z,z1,z2,z3) y = Conv (zc,o)',
    ),
  'FPN/HRNet fuse (upsample, add, stride)': () =>
    graph(
      '(float[N,3,16,16] x) => (float[N,4,16,16] y)',
      [
        weight('a', 8, 3, 3, 3),
        weight('d', 16, 8, 3, 3),
        weight('l', 8, 16, 1, 1),
        weight('o', 4, 8, 3, 3),
        'float[4] sc = {1,1,2,2}',
      ],
      's = Conv <pads=[1,1,1,1]> (x,a) r = Relu (s) d1 = Conv <pads=[1,1,1,1], strides=[2,2]> (r,d) dr = Relu (d1) l1 = Conv (dr,l) up = Resize <mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"> (l1, , sc) su = Add (r,up) rr = Relu (su) y = Conv <pads=[1,1,1,1]> (rr,o)',
    ),
  'channel shuffle by DepthToSpace CRD head': () =>
    graph(
      '(float[N,3,8,8] x) => (float[N,2,16,16] y)',
      [weight('a', 16, 3, 3, 3), weight('b', 16, 16, 3, 3), weight('o', 2, 4, 3, 3)],
      's = Conv <pads=[1,1,1,1]> (x,a) r = Relu (s) t = Conv <pads=[1,1,1,1]> (r,b) u = DepthToSpace <blocksize=2, mode="CRD"> (t) y = Conv <pads=[1,1,1,1]> (u,o)',
    ),
  'RegNet (grouped, SE)': () =>
    graph(
      '(float[N,3,8,8] x) => (float[N,4] y)',
      [
        weight('a', 16, 3, 3, 3),
        weight('b', 16, 4, 3, 3),
        weight('e1', 4, 16, 1, 1),
        weight('e2', 16, 4, 1, 1),
        weight('c', 16, 16, 1, 1),
        weight('f', 4, 16),
      ],
      's = Conv <pads=[1,1,1,1]> (x,a) r = Relu (s) t = Conv <pads=[1,1,1,1], group=4> (r,b) tr = Relu (t) gp = GlobalAveragePool (tr) e = Conv (gp,e1) er = Relu (e) ee = Conv (er,e2) eg = Sigmoid (ee) m = Mul (tr,eg) cc = Conv (m,c) su = Add (cc,r) q = GlobalAveragePool (su) fl = Flatten (q) y = Gemm <transB=1> (fl,f)',
    ),
  'Gemm with transA and weight on the left': () =>
    graph(
      '(float[6,8] x) => (float[4,6] y)',
      [weight('a', 8, 16), weight('b', 4, 16)],
      'h = MatMul (x,a) r = Relu (h) t = Transpose <perm=[1,0]> (r) y = Gemm (b,t)',
    ),
  'weight tying (embedding and output)': () =>
    graph(
      '(int64[N,5] x) => (float[N,5,11] y)',
      [weight('e', 11, 16), weight('w1', 16, 32), weight('w2', 32, 16)],
      'h = Gather (e,x) a = MatMul (h,w1) r = Relu (a) b = MatMul (r,w2) su = Add (h,b) et = Transpose <perm=[1,0]> (e) y = MatMul (su,et)',
    ),
  'GRU, two layers, bidirectional': () =>
    graph(
      '(float[5,N,4] x) => (float[5,N,3] y)',
      [
        weight('w1', 2, 24, 4),
        weight('r1', 2, 24, 8),
        weight('w2', 1, 24, 16),
        weight('r2', 1, 24, 8),
        weight('o', 8, 3),
        integers('sh', 0, 0, -1),
        integers('ax', 1),
      ],
      'h,hn = GRU <hidden_size=8, direction="bidirectional", linear_before_reset=1> (x,w1,r1) t = Transpose <perm=[0,2,1,3]> (h) f = Reshape (t,sh) k,kn = GRU <hidden_size=8> (f,w2,r2) q = Squeeze (k,ax) y = MatMul (q,o)',
    ),
  'T5-like relative bias, 4 heads': () =>
    graph(
      '(float[N,6,16] x, int64[6,6] b) => (float[N,6,16] y)',
      [
        weight('q', 16, 16),
        weight('k', 16, 16),
        weight('v', 16, 16),
        weight('o', 16, 16),
        weight('rb', 8, 4),
        integers('sh', 0, -1, 4, 4),
        integers('back', 0, -1, 16),
        integers('ax', 0),
      ],
      'qq = MatMul (x,q) kk = MatMul (x,k) vv = MatMul (x,v) q1 = Reshape (qq,sh) k1 = Reshape (kk,sh) v1 = Reshape (vv,sh) q2 = Transpose <perm=[0,2,1,3]> (q1) k2 = Transpose <perm=[0,2,3,1]> (k1) v2 = Transpose <perm=[0,2,1,3]> (v1) sc = MatMul (q2,k2) rg = Gather (rb,b) rt = Transpose <perm=[2,0,1]> (rg) ru = Unsqueeze (rt,ax) sb = Add (sc,ru) p = Softmax <axis=-1> (sb) c = MatMul (p,v2) ct = Transpose <perm=[0,2,1,3]> (c) cr = Reshape (ct,back) y = MatMul (cr,o)',
    ),
  'Conformer convolution module (GLU, depthwise)': () =>
    graph(
      '(float[N,16,10] x) => (float[N,16,10] y)',
      [
        weight('a', 32, 16, 1),
        weight('d', 16, 1, 3),
        weight('bs', 16),
        weight('bb', 16),
        weight('bm', 16),
        'float[16] bv = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}',
        weight('c', 16, 16, 1),
        integers('sp', 16, 16),
      ],
      'p = Conv (x,a) l,r = Split <axis=1> (p,sp) sg = Sigmoid (r) m = Mul (l,sg) dw = Conv <group=16, pads=[1,1]> (m,d) bn = BatchNormalization (dw,bs,bb,bm,bv) s2 = Sigmoid (bn) sw = Mul (bn,s2) z = Conv (sw,c) y = Add (z,x)',
    ),
  'CLIP text (learned positions, quick GELU)': () =>
    graph(
      '(int64[N,6] x) => (float[N,6,12] y)',
      [
        weight('e', 9, 16),
        weight('pos', 6, 16),
        weight('w1', 16, 32),
        weight('b1', 32),
        weight('w2', 32, 16),
        weight('o', 16, 12),
        'float k = {1.702}',
      ],
      'h0 = Gather (e,x) h = Add (h0,pos) a0 = MatMul (h,w1) a = Add (a0,b1) ka = Mul (a,k) sg = Sigmoid (ka) gl = Mul (a,sg) b = MatMul (gl,w2) su = Add (h,b) y = MatMul (su,o)',
    ),
  'MobileViT unfold (reshape, transpose of patches)': () =>
    graph(
      '(float[1,3,8,8] x) => (float[1,4,8,8] y)',
      [
        weight('a', 16, 3, 3, 3),
        weight('w1', 16, 32),
        weight('w2', 32, 16),
        weight('c', 4, 16, 1, 1),
        integers('s1', 1, 16, 4, 2, 4, 2),
        integers('s2', 4, 16, 16),
        integers('s3', 2, 2, 4, 4, 16),
        integers('s4', 1, 16, 8, 8),
      ],
      's = Conv <pads=[1,1,1,1]> (x,a) u = Reshape (s,s1) t = Transpose <perm=[0,3,5,2,4,1]> (u) p = Reshape (t,s2) f1 = MatMul (p,w1) fr = Relu (f1) f2 = MatMul (fr,w2) ad = Add (p,f2) q = Reshape (ad,s3) qt = Transpose <perm=[4,2,0,3,1]> (q) v = Reshape (qt,s4) y = Conv (v,c)',
    ),
  'EfficientNet edge (asymmetric Pad, depthwise, HardSwish)': () =>
    graph(
      '(float[N,3,9,9] x) => (float[N,4] y)',
      [
        weight('a', 8, 3, 3, 3),
        weight('e', 24, 8, 1, 1),
        weight('d', 24, 1, 3, 3),
        weight('p', 8, 24, 1, 1),
        weight('f', 8, 4),
        integers('pd', 0, 0, 0, 0, 0, 0, 1, 1),
      ],
      's = Conv <pads=[1,1,1,1]> (x,a) e1 = Conv (s,e) hs = HardSwish (e1) pp = Pad (hs,pd) dw = Conv <group=24, strides=[2,2]> (pp,d) h2 = HardSwish (dw) pr = Conv (h2,p) m = ReduceMean <axes=[2,3], keepdims=0> (pr) y = MatMul (m,f)',
    ),
  'two towers and their dot product': () =>
    graph(
      '(float[N,6] u, float[N,7] v) => (float[N] y)',
      [weight('a', 6, 16), weight('b', 7, 16), weight('c', 16, 12), weight('d', 16, 12), integers('last', -1)],
      'au = MatMul (u,a) ar = Tanh (au) p = MatMul (ar,c) bv = MatMul (v,b) br = Tanh (bv) q = MatMul (br,d) m = Mul (p,q) y = ReduceSum <keepdims=0> (m,last)',
    ),
};

describe('cutting a network of another family', () => {
  for (const [name, build] of Object.entries({ ...NETWORKS, ...VARIANTS }))
    it(`leaves ${name} the function of the network that does not see what is cut`, async () => {
      const model = build();
      const feeds = seededFeeds(model);
      for (const [seed, amount] of [0.2, 0.5, 0.8].entries()) {
        const { relative, groups, silent } = await compareCut(model, { amount, seed, feeds }, runtime);
        expect(groups).toBeGreaterThan(0);
        expect(relative).toBeLessThan(1e-5);
        expect(silent).toBe(false);
      }
      for (const { prunable, size, reasons } of explainDependencies(model))
        if (prunable < size) expect(reasons.length).toBeGreaterThan(0);
    });

  it('takes the scales of Resize for no weight', () => {
    const build = NETWORKS['FPN/HRNet fuse (upsample, add, stride)'] as () => Model;
    expect(explainDependencies(build()).filter(({ operator }) => operator === 'Resize')).toEqual([]);
  });

  it('cuts what a dot product sums over, and leaves statistics', () => {
    const whole = (nodes: string): string[] =>
      explainDependencies(
        graph(
          '(float[N,6] x) => (float[N,4] y)',
          [weight('a', 6, 16), weight('b', 6, 16), weight('c', 16, 4), 'float share = {0.0625}', integers('last', -1)],
          `p = MatMul (x,a) q = MatMul (x,b) ${nodes} s = ReduceSum <keepdims=1> (m,last) r = Sub (p,s) y = MatMul (r,c)`,
        ),
      ).flatMap(({ weight: name, axis, prunable }) => (prunable === 0 && axis === 1 ? name : []));
    expect(whole('m = Mul (p,q)')).toEqual(['c']);
    expect(whole('m = Mul (p,p)')).toEqual(['a', 'c']);
    expect(whole('m = Mul (p,share)')).toEqual(['a', 'c']);
  });
});
