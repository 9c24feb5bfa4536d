import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { allNodes } from '../../../src/ir/walk.js';
import { convertToFloat16 } from '../../../src/passes/quantize/convert-to-float16.js';
import { DataType } from '../../../src/tensor/dtype.js';

const WEIGHTS =
  'float[4,4] w = {1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8}, float[2,4] table = {1,2,3,4,5,6,7,8}, float two = {2}, float half = {0.5}';

/** Operators that stay in FLOAT, in order, of a graph whose inputs and outputs are given. */
async function kept(signature: string, body: string, more = ''): Promise<string[]> {
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> g ${signature} <${WEIGHTS}${more}> { ${body} }`);
  await model.transform(convertToFloat16());
  const isFloat = (type: unknown) => (type as { dataType?: number } | undefined)?.dataType === DataType.FLOAT;
  return [...allNodes(model)]
    .filter((node) => !node.is('Cast') && !node.is('Identity') && node.inputs.some((input) => isFloat(input?.type)))
    .map((node) => node.opType);
}

describe('values that end as indices', () => {
  it('keeps the arithmetic from an input to a Cast to integers', async () => {
    const body = `a = Sub (x, half) b = Div (a, two) c = Floor (b) i = Cast <to = 7> (c) e = Gather (table, i) y = MatMul (e, w)`;
    expect(await kept('(float[3] x) => (float[3,4] y)', body)).toEqual(['Sub', 'Div', 'Floor']);
  });

  it('keeps rows and columns that are put together to an index', async () => {
    const body = `a = Mul (r, two) f = Add (a, c) i = Cast <to = 6> (f) e = Gather (table, i) y = MatMul (e, w)`;
    expect(await kept('(float[3] r, float[3] c) => (float[3,4] y)', body)).toEqual(['Mul', 'Add']);
  });

  it('keeps what Equal, OneHot, ArgMax and Range read', async () => {
    const equal = `a = Mul (x, half) q = Equal (a, two) f = Where (q, x, a) y = MatMul (f, w)`;
    expect(await kept('(float[4,4] x) => (float[4,4] y)', equal)).toEqual(['Mul', 'Equal']);
    const chosen = `a = Mul (x, half) i = ArgMax <axis = 1, keepdims = 0> (a) e = Gather (table, i) y = MatMul (e, w)`;
    expect(await kept('(float[4,4] x) => (float[4,4] y)', chosen)).toEqual(['Mul', 'ArgMax']);
    const hot = `a = Add (x, half) h = OneHot (a, d, v) y = MatMul (h, w)`;
    const values = ', int64 d = {4}, float[2] v = {0, 1}';
    expect(await kept('(float[3] x) => (float[3,4] y)', hot, values)).toContain('OneHot');
  });

  it('keeps positions that are counted with CumSum', async () => {
    const body = `n = Cast <to = 1> (mask) s = CumSum (n, axis) p = Sub (s, half) i = Cast <to = 7> (p) e = Gather (table, i) y = MatMul (e, w)`;
    expect(await kept('(int64[6] mask) => (float[6,4] y)', body, ', int64 axis = {0}')).toEqual(['CumSum', 'Sub']);
  });

  it('keeps comparisons of amounts, but not of what a layer computes', async () => {
    const amounts = `a = Mul (x, half) q = Less (a, two) f = Where (q, x, a) y = MatMul (f, w)`;
    expect(await kept('(float[4,4] x) => (float[4,4] y)', amounts)).toEqual(['Mul']);
    const scores = `a = MatMul (x, w) q = Less (a, two) f = Where (q, x, a) y = MatMul (f, w)`;
    expect(await kept('(float[4,4] x) => (float[4,4] y)', scores)).toEqual([]);
  });

  it('ends at the layer that computes the values, and leaves what is before it in float16', async () => {
    const body = `h = MatMul (x, w) r = Relu (h) l = MatMul (r, w) s = Mul (l, two) i = Cast <to = 7> (s) y = Cast <to = 1> (i)`;
    expect(await kept('(float[4,4] x) => (float[4,4] y)', body)).toEqual(['MatMul', 'Mul']);
  });

  it('ends at a residual sum, so that a whole network does not stay in float', async () => {
    const body = `h = MatMul (x, w) g = MatMul (h, w) r = Add (h, g) i = ArgMax <axis = 1> (r) y = MatMul (r, w)`;
    expect(await kept('(float[4,4] x) => (int64[4,1] i, float[4,4] y)', body)).toEqual(['Add', 'ArgMax']);
  });

  it('follows what a Loop carries', async () => {
    const body = `n = Identity (trips)
      last, all = Loop (n, go, x) <body = b (int64 i, bool in, float[1] s) => (bool out, float[1] next, float[1,4] row) {
        out = Identity (in)
        next = Add (s, half)
        k = Cast <to = 7> (next)
        row = Gather (table, k)
      }>
      y = Relu (last)`;
    const constants = ', int64 trips = {3}, bool go = {1}';
    expect(await kept('(float[1] x) => (float[1] y, float[3,1,4] all)', body, constants)).toEqual(
      expect.arrayContaining(['Loop', 'Add']),
    );
  });
});
