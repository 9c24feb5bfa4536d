import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { graphTypes, type PreflightOptions, preflight } from '../../../src/targets/tensorrt/preflight.js';
import { parseVersion } from '../../../src/targets/tensorrt/version.js';

function check(body: string, version: string, options: Partial<PreflightOptions> = {}, opset = 17, functions = '') {
  const model = parseModel(
    `<ir_version: 10, opset_import: ["": ${opset}, "com.microsoft": 1, "my.own": 1]>\n${body}\n${functions}`,
  );
  inferTypes(model);
  const parsed = parseVersion(version);
  if (!parsed) throw new Error(`${version} is no version`);
  return preflight(model, parsed, { hasPlugins: false, fileBytes: 1000, ...options });
}

const refusals = (...given: Parameters<typeof check>): readonly string[] =>
  check(...given).flatMap(({ severity, node, message }) => (severity === 'refused' ? [`${node}: ${message}`] : []));
const warned = (...given: Parameters<typeof check>): readonly string[] =>
  check(...given).flatMap(({ severity, message }) => (severity === 'warning' ? [message] : []));

const RELU = 'g (float[2] x) => (float[2] y) { y = Relu(x) }';

describe('checks before a build', () => {
  it('find nothing in what every version takes', () => {
    for (const version of ['8.0', '8.6', '10.0', '10.16', '11.1'])
      expect(check(RELU, version, {}, 13), version).toEqual([]);
  });

  it('know when an operator came', () => {
    const gelu = 'g (float[2] x) => (float[2] y) { y = Gelu(x) }';
    expect(refusals(gelu, '8.6', {}, 20)).toEqual([
      'y: TensorRT 8.6.0 does not import Gelu: it came with TensorRT 10.0',
    ]);
    expect(refusals(gelu, '10.0', {}, 20)).toEqual([]);
    const nonzero = 'g (float[2] x) => (int64[1, n] y) { y = NonZero(x) }';
    expect(refusals(nonzero, '8.4')[0]).toContain('it came with TensorRT 8.5');
    expect(warned(nonzero, '10.0')[0]).toContain('depends on data');
  });

  it('point to quantization for TensorRT where the operators are those of another one', () => {
    const body = `g (uint8[2, 2] x) => (int32[2, 2] y) <uint8[2, 2] w = {1, 2, 3, 4}> { y = MatMulInteger(x, w) }`;
    const [problem] = check(body, '10.16');
    expect(problem).toMatchObject({ severity: 'refused', mend: expect.stringContaining('--for tensorrt') });
  });

  it('name operators of other domains, which a plugin may have', () => {
    const own = 'g (float[2] x) => (float[2] y) { y = my.own.Thing(x) }';
    expect(refusals(own, '10.16')[0]).toBe('y: TensorRT has no operator my.own::Thing');
    expect(refusals(own, '10.16', { hasPlugins: true })).toEqual([]);
    expect(warned(own, '10.16', { hasPlugins: true })[0]).toContain('a plugin must have it');
    const microsoft = 'g (float[2] x) => (float[2] y) { y = com.microsoft.Gelu(x) }';
    expect(check(microsoft, '10.16')[0]?.mend).toContain('--operators ort');
  });

  it('count nodes of one kind', () => {
    const body = 'g (float[2] x) => (float[2] y) { a = my.own.Thing(x) b = my.own.Thing(a) y = my.own.Thing(b) }';
    expect(refusals(body, '10.16')).toEqual(['a: TensorRT has no operator my.own::Thing (3 nodes)']);
  });

  it('know types that TensorRT does not have, and those it narrows', () => {
    expect(refusals('g (uint16[2] x) => (uint16[2] y) { y = Identity(x) }', '10.16')[0]).toContain('no type uint16');
    expect(refusals('g (bfloat16[2] x) => (bfloat16[2] y) { y = Identity(x) }', '8.6')[0]).toContain(
      'no type bfloat16',
    );
    expect(refusals('g (bfloat16[2] x) => (bfloat16[2] y) { y = Identity(x) }', '10.0')).toEqual([]);
    const int64 = 'g (int64[2] x) => (int64[2] y) { y = Identity(x) }';
    expect(warned(int64, '8.6')[0]).toContain('narrowed to INT32');
    expect(warned(int64, '10.0')).toEqual([]);
    expect(warned('g (double[2] x) => (double[2] y) { y = Identity(x) }', '11.1')[0]).toContain('narrowed to FLOAT');
    expect(refusals('g (seq(float[2]) x) => (float[2] y) <int64 i = {0}> { y = SequenceAt(x, i) }', '10.16')).toContain(
      'x: it is a sequence, and TensorRT has tensors only',
    );
  });

  it('know what the parser refuses of operators that it has', () => {
    const pool =
      'g (float[1, 1, 8, 8] x) => (float[1, 1, 6, 6] y) { y = MaxPool<kernel_shape = [2, 2], dilations = [2, 2]>(x) }';
    expect(refusals(pool, '10.16')[0]).toContain('it has dilations');
    const indices =
      'g (float[1, 1, 4, 4] x) => (float[1, 1, 3, 3] y, int64[1, 1, 3, 3] i) { y, i = MaxPool<kernel_shape = [2, 2]>(x) }';
    expect(refusals(indices, '10.16')[0]).toContain('indices is used');
    const sum = 'g (float[4] x, int64 a) => (float[4] y) { y = CumSum(x, a) }';
    expect(refusals(sum, '10.0')[0]).toContain('its axis is not constant');
    expect(refusals(sum, '10.8')).toEqual([]);
  });

  it('know the limits of the file and of the opset', () => {
    expect(refusals(RELU, '10.16', { fileBytes: 2 ** 31 })[0]).toContain('larger than 2 GiB');
    expect(warned(RELU, '8.6', {}, 21)[0]).toContain('supports up to 17');
    expect(warned(RELU, '10.16', {}, 8)[0]).toContain('supports 9 and newer');
  });

  it('know local functions', () => {
    const body = 'g (float[2] x) => (float[2] y) { y = my.own.Twice(x) }';
    const twice = '<domain: "my.own", opset_import: ["": 17]> Twice (x) => (y) { y = Add(x, x) }';
    expect(refusals(body, '8.6', {}, 17, twice)[0]).toContain('it has local functions');
    expect(refusals(body, '9.0', {}, 17, twice)).toEqual([]);
  });

  it('know pairs that TensorRT refuses, and INT8 constants before TensorRT 10', () => {
    const pair = (zero: string) =>
      `g (float[2] x) => (float[2] y) <float s = {0.1}, ${zero}> { q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) }`;
    expect(refusals(pair('int8 z = {0}'), '10.16')).toEqual([]);
    expect(refusals(pair('int8 z = {5}'), '10.16')[0]).toContain('its zero point is not 0');
    expect(refusals(pair('uint8 z = {0}'), '10.16')[0]).toContain('unsigned');
    const constant =
      'g (float[2] x) => (float[2] y) <int8[2] w = {1, 2}, float s = {1}, int8 z = {0}> { d = DequantizeLinear(w, s, z) y = Add(x, d) }';
    expect(refusals(constant, '8.6')[0]).toContain('INT8 constant');
    expect(refusals(constant, '10.0')).toEqual([]);
  });
});

describe('types of a graph', () => {
  it('tell how it has to be built', () => {
    const types = (body: string) => graphTypes(parseModel(`<ir_version: 10, opset_import: ["": 21]>\n${body}`));
    expect(types(RELU)).toEqual({ float16: false, bfloat16: false, int8Pairs: false, float8Pairs: false });
    expect(types('g (float16[2] x) => (float16[2] y) { y = Relu(x) }').float16).toBe(true);
    expect(
      types(
        'g (float[2] x) => (float[2] y) <int8[2] w = {1, 2}, float s = {1}> { d = DequantizeLinear(w, s) y = Add(x, d) }',
      ).int8Pairs,
    ).toBe(true);
  });
});
