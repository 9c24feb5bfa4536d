import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { whyTooLarge, whyTooLong } from '../../../src/ops/footprint/describe-footprint.js';
import { modelFootprint } from '../../../src/ops/footprint/model-footprint.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { rawByteLength } from '../../../src/tensor/dtype.js';
import { KNOWN_SIZE_BOMBS } from '../../helpers/bombs/size-bombs.js';
import { runModel } from '../../helpers/run-model.js';

const HEAD = '<ir_version: 9, opset_import: ["": 19]>';

/** Nodes that give one tensor each, of what is given. */
const SMALL: Readonly<Record<string, string>> = {
  expand: '<int64[2] s = {3, 2}> { y = Expand (x, s) }',
  tile: '<int64[1] n = {7}> { y = Tile (x, n) }',
  range:
    '<int64 a = {2}, int64 b = {21}, int64 d = {4}> { r = Range (a, b, d) f = Cast <to = 1> (r) m = ReduceMax <keepdims = 0> (f) y = Add (x, m) }',
  pad: '<int64[2] p = {3, 4}> { y = Pad (x, p) }',
  'concat twice': '{ a = Concat <axis = 0> (x, x) y = Concat <axis = 0> (a, a, x) }',
  einsum: '{ y = Einsum <equation = "i,j->ij"> (x, x) }',
  'one-hot': '<int64 depth = {9}, float[2] v = {0, 1}> { i = Cast <to = 7> (x) y = OneHot (i, depth, v) }',
  gather: '<int64[2,3] at = {0, 0, 0, 0, 0, 0}> { y = Gather (x, at) }',
  broadcast: '<float[4,1] c = {1, 2, 3, 4}> { y = Mul (x, c) }',
  eye: '<int64[2] s = {4, 6}> { a = ConstantOfShape (s) y = EyeLike (a) }',
  loop: `<int64 n = {4}, bool go = {1}> { y = Loop <body = b (int64 i, bool on, float[K] v) => (bool more, float[L] w) {
    more = Identity (on) w = Concat <axis = 0> (v, v) }> (n, go, x) }`,
  'loop with a scan output': `<int64 n = {4}, bool go = {1}> { z, y = Loop <body = b (int64 i, bool on, float[K] v) => (bool more, float[L] w, float[L] q) {
    more = Identity (on) w = Neg (v) q = Identity (v) }> (n, go, x) }`,
};

describe('modelFootprint', () => {
  for (const [name, nodes] of Object.entries(SMALL)) {
    it(`knows the sizes that ONNX Runtime gives: ${name}`, async () => {
      const model = parseModel(`${HEAD} net (float[2] x) => (y) ${nodes}`.replace('(y)', '(float[] y)'));
      const { largest } = modelFootprint(model);
      inferTypes(model);
      for (const node of model.graph.nodes)
        for (const output of node.outputs) if (output && !output.isGraphOutput) model.graph.addOutput(output);
      const given = await runModel(model);
      const bytes = new Map<string, number>();
      model.graph.outputs.forEach((value, at) => {
        const dataType = value.type?.kind === 'tensor' ? value.type.dataType : 0;
        const producer = value.producer?.output(0)?.name ?? '';
        bytes.set(producer, (bytes.get(producer) ?? 0) + (rawByteLength(dataType, given[at]?.length ?? 0) ?? 0));
      });
      // The body of a loop makes its last value too.
      expect(largest?.bytes).toBe(Math.max(...bytes.values()));
    });
  }

  it('names for each bomb a node or inputs that are too much, and never wraps around', () => {
    for (const { name, text } of KNOWN_SIZE_BOMBS) {
      if (name === 'quadratic-in-the-batch') continue;
      const footprint = modelFootprint(parseModel(text));
      expect(footprint.peakBytes, name).toBeGreaterThan(2 ** 32 - 1);
      expect(whyTooLarge(footprint, 2 ** 30), name).toMatch(/the limit is 1\.07 GB \(--mem\)$/);
      expect(whyTooLarge(footprint, Number.POSITIVE_INFINITY), name).toBeUndefined();
    }
  });

  it('takes sizes of inputs, by which symbols are known everywhere', () => {
    const model = parseModel(`${HEAD} net (float[N,1] x, float[1,N] z) => (float[N,N] y) { y = Mul (x, z) }`);
    expect(modelFootprint(model).largest).toBeUndefined();
    const inputDims = new Map([
      ['x', [100, 1]],
      ['z', [1, 100]],
    ]);
    expect(modelFootprint(model, { inputDims }).peakBytes).toBe(400 + 400 + 40_000);
  });

  it('counts what is alive at once, and views and results in place of their input not', () => {
    const model = parseModel(`${HEAD} net (float[1000] x) => (float[1000] y) <int64[2] s = {10, 100}> {
      a = Relu (x) b = Reshape (a, s) c = Exp (b) d = Flatten <axis = 0> (c) e = Identity (d) f = Concat <axis = 1> (e, e)
      y = ReduceMax <keepdims = 0> (f) }`);
    // The input, the list of sizes, and at the end e (in the place of a) beside f.
    expect(modelFootprint(model).peakBytes).toBe(4000 + 16 + 4000 + 8000);
  });

  it('counts only the smaller branch of If, and what loops run', () => {
    const branches = parseModel(`${HEAD} net (bool c) => (float y) <int64[1] s = {1000}, float one = {1}> {
      y = If <then_branch = t () => (float p) { e = ConstantOfShape (s) p = ReduceMax <keepdims = 0> (e) },
              else_branch = f () => (float q) { q = Identity (one) }> (c) }`);
    expect(modelFootprint(branches).peakBytes).toBeLessThan(100);
    const loop = parseModel(`${HEAD} net (float[2] x) => (float[2] y) <int64 n = {1000}, bool go = {1}> {
      y = Loop <body = b (int64 i, bool on, float[2] v) => (bool more, float[2] w) { more = Identity (on) w = Neg (v) }> (n, go, x) }`);
    const footprint = modelFootprint(loop);
    expect(footprint.runs).toBe(2001);
    expect(whyTooLong(footprint, 1e6)).toBeUndefined();
    expect(whyTooLong(footprint, 1000)).toBe('Loop "y" runs its body 1,000 times, too many to run');
  });

  it('says that a loop without end has none, and nothing of one that its body may end', () => {
    const text = (more: string) => `${HEAD} net (float[2] x) => (float[2] y) <bool go = {1}> {
      y = Loop <body = b (int64 i, bool on, float[2] v) => (bool more, float[2] w) { ${more} w = Neg (v) }> (, go, x) }`;
    expect(whyTooLong(modelFootprint(parseModel(text('more = Identity (on)'))), 1e6)).toBe('Loop "y" never ends');
    const ends = parseModel(text('m = ReduceMax <keepdims = 0> (v) z = Sub (m, m) more = Cast <to = 9> (z)'));
    expect(modelFootprint(ends).runs).toBeLessThan(10);
  });
});
