import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageMar } from '../../../src/workflows/package/package-mar.js';
import { packageTriton } from '../../../src/workflows/package/triton/package-triton.js';
import { writeText } from '../../helpers/small-models.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-example-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Shapes by input, as the Python of the README makes them, and notes of the report. */
async function triton(text: string, verify = true): Promise<{ shapes: Record<string, string>; notes: string }> {
  await writeText(join(folder, 'm.onnx'), text);
  const report = await packageTriton(join(folder, 'm.onnx'), join(folder, 'models'), { verify });
  const readme = readFileSync(join(folder, 'models/m/README.md'), 'utf8');
  const made = [...readme.matchAll(/^data = (.*)\ninputs\.append\(triton\.InferInput\("(.*?)",/gm)];
  return {
    shapes: Object.fromEntries(made.map(([, data = '', name]) => [name, data])),
    notes: report.notes.join('\n'),
  };
}

const DECODER = `g (int64[N,S] input_ids, int64[N,T] attention_mask, float[N,2,P,3] "past.0.key") => (float[N,2,T,3] y) {
  ids = Cast<to = 1>(input_ids) axes = Constant<value_ints = [1,3]>() wide = Unsqueeze(ids, axes)
  shape = Constant<value_ints = [1,2,1,3]>() new = Expand(wide, shape) all = Concat<axis = 2>("past.0.key", new)
  mask = Cast<to = 1>(attention_mask) tall = Unsqueeze(mask, axes) y = Mul(all, tall) }`;

describe('the requests of a README', () => {
  it('have masks of decoders as long as what is past and what is new', async () => {
    const expected = {
      input_ids: 'np.ones([1, 4], dtype=np.int64)',
      attention_mask: 'np.ones([1, 8], dtype=np.int64)',
      'past.0.key': 'np.ones([1, 2, 4, 3], dtype=np.float32)',
    };
    expect(await triton(DECODER)).toEqual({ shapes: expected, notes: expect.not.stringContaining('made-up') });
    rmSync(join(folder, 'models'), { recursive: true });
    expect((await triton(DECODER, false)).shapes).toEqual(expected);
  });

  it('have sizes that fit sums of names', async () => {
    const { shapes } = await triton(`g (float[N,A] a, float[N,B] b, float["N","A + B"] c) => (float[N,?] y) {
      both = Concat<axis = 1>(a, b) y = Add(both, c) }`);
    expect(shapes.c).toBe('np.ones([1, 8], dtype=np.float32)');
  });

  it('have sizes and scalars that are found by trying', async () => {
    const { shapes, notes } = await triton(`g (float[N,L] x, int64 rate) => (float[N,?,16] y) {
      blocks = Constant<value_ints = [0,-1,16]>() rows = Reshape(x, blocks) indices = Constant<value_ints = [0,0,0]>()
      table = ConstantOfShape(indices) same = Identity(rate) zero = Sub(same, same) float = Cast<to = 1>(zero) y = Add(rows, float) }`);
    expect(Number(/\[1, (\d+)\]/.exec(shapes.x ?? '')?.[1]) % 16).toBe(0);
    expect(notes).not.toContain('made-up');
  });

  it('are said to be made up where the model runs with none of them', async () => {
    const { notes } = await triton(`g (float[N,3] x) => (float[N,3] y) {
      one = Shape<start = 0, end = 1>(x) nothing = Sub(one, one) missing = Constant<value_ints = [7]>() table = Constant<value_floats = [1.0,2.0]>()
      at = Add(nothing, missing) picked = Gather(table, at) y = Add(x, picked) }`);
    expect(notes).toContain('made-up sizes and values');
  });

  it('of an archive are whole', async () => {
    await writeText(
      join(folder, 'm.onnx'),
      'g (float[N,3,9,9] x, bool[N] flag) => (float[N,3,9,9] y, bool[N] z) { y = Neg(x) z = Not(flag) }',
    );
    await packageMar(join(folder, 'm.onnx'), { outputPath: join(folder, 'm'), format: 'folder' });
    const readme = readFileSync(join(folder, 'm/README.md'), 'utf8');
    expect(readme).toContain(
      `python3 -c 'import json; print(json.dumps({"x":[[[1]*9]*9]*3,"flag":True}))' | curl http://127.0.0.1:8080/predictions/m `,
    );
  });
});
