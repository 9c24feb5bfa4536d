import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { checkQdqRules, QDQ_RULES, type QdqRuleName } from '../../../src/targets/tensorrt/qdq-rules.js';

interface Parts {
  readonly zeroPoint?: string;
  readonly scale?: string;
  readonly otherScale?: string;
  readonly weightScale?: string;
  readonly weightZero?: string;
  readonly axis?: number;
  readonly data?: string;
  readonly weight?: string;
}

/** A convolution with a quantized skip connection, correct by default. */
function model({
  zeroPoint = 'int8 zp = {0}',
  scale = 'float s = {0.1}',
  otherScale = 's',
  weightScale = 'float[2] ws = {0.1, 0.2}',
  weightZero = 'int8[2] wz = {0, 0}',
  axis = 0,
  data = 'd',
  weight = 'wd',
}: Parts = {}) {
  return parseModel(`<ir_version: 8, opset_import: ["": 17]>
  g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
  <
    ${scale}, float t = {0.2}, ${zeroPoint}, ${weightScale}, ${weightZero},
    int8[2, 2, 1, 1] wq = {1, 2, 3, 4}, float[2, 2, 1, 1] wf = {1, 2, 3, 4}
  >
  {
    q = QuantizeLinear(x, s, zp)
    d = DequantizeLinear(q, ${otherScale}, zp)
    wd = DequantizeLinear<axis = ${axis}>(wq, ws, wz)
    c = Conv(${data}, ${weight})
    y = Add(c, d)
  }`);
}

const rules = (parts: Parts): readonly QdqRuleName[] => checkQdqRules(model(parts)).map(({ rule }) => rule);

/** A product with a weight whose scales come in blocks of two along its rows. */
const blocked = (integers: string, scales = 'float[2, 2] ws = {0.1, 0.2, 0.3, 0.4}') =>
  checkQdqRules(
    parseModel(`<ir_version: 10, opset_import: ["": 21]>
  g (float[1, 4] x) => (float[1, 2] y) <${integers}[4, 2] wq = {1, 2, 3, 4, 5, 6, 7, 0}, ${scales}>
  {
    w = DequantizeLinear<axis = 0, block_size = 2>(wq, ws)
    y = MatMul(x, w)
  }`),
  ).map(({ rule }) => rule);

describe('rules of explicit quantization', () => {
  it('let weights of 4 bits have scales by blocks, and data in float', () => {
    expect(blocked('int4')).toEqual([]);
    expect(blocked('int4', 'float[3, 2] ws = {1, 1, 1, 1, 1, 1}')).toEqual(['block']);
    expect(blocked('int8')).toEqual(['block', 'inputs']);
  });

  it('hold for a correct graph', () => {
    expect(checkQdqRules(model())).toEqual([]);
  });

  it.each<[QdqRuleName, Parts]>([
    ['zero-point', { zeroPoint: 'int8 zp = {3}' }],
    ['zero-point', { weightZero: 'int8[2] wz = {0, 1}' }],
    ['scale', { scale: 'float s = {-0.1}' }],
    ['scale', { weightScale: 'float[2] ws = {0.1, 0}' }],
    ['type', { zeroPoint: 'uint8 zp = {0}' }],
    ['activation', { scale: 'float[2] s = {0.1, 0.2}', zeroPoint: 'int8[2] zp = {0, 0}' }],
    ['axis', { axis: 1 }],
    ['axis', { weightScale: 'float[3] ws = {1, 2, 3}', weightZero: 'int8[3] wz = {0, 0, 0}' }],
    ['pair', { otherScale: 't' }],
    ['inputs', { data: 'x' }],
    ['inputs', { weight: 'wf' }],
  ])('find a break of %s', (rule, parts) => {
    expect(rules(parts)).toContain(rule);
  });

  it('find a skip connection in float', () => {
    const text = `<ir_version: 8, opset_import: ["": 17]>
    g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
    <float s = {0.1}, int8 zp = {0}, float[2] ws = {0.1, 0.2}, int8[2] wz = {0, 0}, int8[2, 2, 1, 1] wq = {1, 2, 3, 4}>
    {
      q = QuantizeLinear(x, s, zp)
      d = DequantizeLinear(q, s, zp)
      wd = DequantizeLinear<axis = 0>(wq, ws, wz)
      c = Conv(d, wd)
      y = Add(c, x)
    }`;
    expect(checkQdqRules(parseModel(text))).toEqual([{ rule: 'residual', node: 'y', message: '"x" is not quantized' }]);
  });

  it('find a bias in INT32', () => {
    const text = `<ir_version: 8, opset_import: ["": 17]>
    g (float[1] x) => (float[2] y)
    <int32[2] b = {1, 2}, float s = {0.1}, int32 z = {0}>
    { y = DequantizeLinear(b, s, z) }`;
    expect(checkQdqRules(parseModel(text)).map(({ message }) => message)).toEqual(['it quantizes a bias to INT32']);
  });

  it('each say whether TensorRT refuses the graph', () => {
    for (const { severity, rule } of Object.values(QDQ_RULES)) {
      expect(['refused', 'slower']).toContain(severity);
      expect(rule).not.toMatch(/[.]$/);
    }
  });
});
