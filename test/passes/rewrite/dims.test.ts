import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { printModel } from '../../../src/ir/text/print-model.js';
import { makeDynamic } from '../../../src/passes/rewrite/make-dynamic.js';
import { setDims } from '../../../src/passes/rewrite/set-dims.js';
import { runModel } from '../../helpers/run-model.js';

const SYMBOLIC = `<ir_version: 8, opset_import: ["": 17]>
g (float[batch,3] x, float[batch,?] z) => (float[batch,3] y, float[batch,m] w)
{
  y = Relu (x)
  w = Abs (z)
}`;

const FIXED = `<ir_version: 8, opset_import: ["": 17]>
g (float[1,2,6] x) => (float[2,6] y, float[1,3,4] z)
<int64[2] flat = {2, 6}, int64[4] heads = {1, 2, 3, 2}, int64[3] wide = {1, 3, 4}, float[6] w = {1, 2, 3, 4, 5, 6}, int64[3] same = {1, 2, 6}>
{
  e = Expand (x, same)
  r = Reshape (e, flat)
  y = Mul (r, w)
  h = Reshape (x, heads)
  t = Transpose <perm = [0, 2, 1, 3]> (h)
  z = Reshape (t, wide)
}`;

async function fixed(dims: Record<string, number>, text = SYMBOLIC): Promise<string> {
  const model = parseModel(text);
  await model.transform(setDims({ dims: new Map(Object.entries(dims)) }));
  return printModel(model);
}

describe('setDims', () => {
  it('fixes a symbol wherever it stands, and an unnamed dimension by input and axis', async () => {
    const text = await fixed({ batch: 4, 'z:1': 7 });
    expect(text).toContain('(float[4,3] x, float[4,7] z) => (float[4,3] y, float[4,m] w)');
  });

  it('accepts the size that is there', async () => {
    expect(await fixed({ 'x:1': 3 })).toBe(printModel(parseModel(SYMBOLIC)));
  });

  it.each([
    [{ bach: 1 }, 'No graph input has a dimension "bach"'],
    [{ batch: 1, 'x:0': 2 }, 'contradict'],
    [{ 'x:1': 4 }, 'contradict'],
    [{ batch: 1.5 }, 'not a whole number'],
  ])('refuses %j', async (dims, message) => {
    await expect(fixed(dims as Record<string, number>)).rejects.toThrow(message);
  });

  it('refuses a size that the graph contradicts, and leaves the model as it was', async () => {
    const text = `<ir_version: 8, opset_import: ["": 17]>
g (float[n,3] x) => (float[n,2] y) <float[3,2] w = {1, 2, 3, 4, 5, 6}, float[4,2] b = {1, 2, 3, 4, 5, 6, 7, 8}>
{
  m = MatMul (x, w)
  y = Add (m, b)
}`;
    const model = parseModel(text);
    await expect(model.transform(setDims({ dims: new Map([['n', 3]]) }))).rejects.toThrow('contradict');
    expect(printModel(model, { innerTypes: false })).toBe(printModel(parseModel(text), { innerTypes: false }));
  });
});

describe('makeDynamic', () => {
  it('lets the batch through Reshape and Expand, and gives one sample what it gave before', async () => {
    const model = parseModel(FIXED);
    await model.transform(makeDynamic({ dims: new Map([['batch', []]]) }));
    const text = printModel(model);
    expect(text).toContain('(float[batch,2,6] x) => (float["2*batch",6] y, float[batch,3,4] z)');
    const feed = new Map([['x', Array.from({ length: 12 }, (_, i) => i)]]);
    const single = parseModel(text.replace('float[batch,2,6] x', 'float[1,2,6] x'));
    expect(await runModel(single, feed)).toEqual(await runModel(parseModel(FIXED), feed));
    const [y] = await runModel(model);
    expect(y?.length).toBe(24);
  });

  it('opens dimensions of different sizes under names of their own', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
g (float[2,6] x, float[5,6] z) => (float[4,3] y, float[10,3] w) <int64[2] four = {4, 3}, int64[2] ten = {10, 3}>
{
  y = Reshape (x, four)
  w = Reshape (z, ten)
}`);
    const dims = new Map([
      ['a', ['x:0']],
      ['b', ['z:0']],
    ]);
    await model.transform(makeDynamic({ dims }));
    expect(printModel(model)).toContain('(float[a,6] x, float[b,6] z) => (float["2*a",3] y, float["2*b",3] w)');
  });

  it('refuses what has the old size elsewhere', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
g (float[2,3] x) => (float[2,3] y) <float[2,3] w = {1, 2, 3, 4, 5, 6}>
{
  y = Concat <axis = 1> (x, w)
}`);
    await expect(model.transform(makeDynamic({ dims: new Map([['batch', []]]) }))).rejects.toThrow('dynamic');
  });

  it('names the nearest input for a mistyped one', async () => {
    const model = parseModel(FIXED);
    await expect(model.transform(makeDynamic({ dims: new Map([['batch', ['xx:0']]]) }))).rejects.toThrow(
      'Unknown input "xx"',
    );
  });
});
