import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileBytes } from '../../../src/codec/byte-source.js';
import type { Model } from '../../../src/ir/model.js';
import { readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { FragmentEvaluator } from '../../../src/workflows/optimize/constant-evaluator.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runtime: LazyRuntime;
let evaluator: FragmentEvaluator;
beforeEach(() => {
  runtime = new LazyRuntime();
  evaluator = new FragmentEvaluator(runtime);
});
afterEach(async () => {
  await evaluator.close();
  await runtime.close();
});

const fragment = (outputs: string, body: string, head = '') =>
  parseModel(`<ir_version: 8, opset_import: ["" : 17]> g () => (${outputs}) ${head} { ${body} }`);

function setTensor(model: Model, name: string, tensor: Tensor): void {
  const value = model.graph.values.get(name);
  if (value) value.tensor = tensor;
}

async function tensors(outputs: string, body: string, head = ''): Promise<ReadonlyMap<string, Tensor>> {
  const outcome = await evaluator.evaluate(fragment(outputs, body, head));
  if (typeof outcome === 'string') throw new Error(outcome);
  return outcome;
}

describe('FragmentEvaluator', () => {
  it('starts no process before something is evaluated', async () => {
    expect(runtime.started).toBe(false);
    await tensors('float y', 'y = Neg (x)', '<float x = {1}>');
    expect(runtime.started).toBe(true);
  });

  it.each([
    ['float', DataType.FLOAT, '0000c03f'],
    ['double', DataType.DOUBLE, '000000000000f83f'],
    ['float16', DataType.FLOAT16, '003e'],
    ['int64', DataType.INT64, '0100000000000000'],
    ['uint8', DataType.UINT8, '01'],
    ['int32', DataType.INT32, '01000000'],
    ['bool', DataType.BOOL, '01'],
  ])('gives %s tensors bit for bit', async (name, dataType, bytes) => {
    const outputs = await tensors(`${name}[1,1] y`, `y = Cast <to = ${dataType}> (x)`, '<float[1,1] x = {1.5}>');
    const y = outputs.get('y');
    expect(y).toMatchObject({ dataType, dims: [1, 1] });
    expect(Buffer.from(y?.bytes() ?? []).toString('hex')).toBe(bytes);
  });

  it('keeps NaN, infinities and the sign of zero', async () => {
    const outputs = await tensors(
      'float[4] y',
      'y = Div (a, b)',
      '<float[4] a = {0, 1, -1, 0}, float[4] b = {0, 0, 0, -5}>',
    );
    const values = [...(outputs.get('y')?.float32Array() ?? [])];
    expect(values.slice(0, 3)).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(Object.is(values[3], -0)).toBe(true);
  });

  it('gives strings, empty tensors and several outputs', async () => {
    const outputs = await tensors(
      'string[2] s, float[0] e, int64[1] n',
      's = Identity (words) e = Identity (none) n = Shape (words)',
      '<string[2] words = {"a", "ü"}, float[0] none = {}>',
    );
    const text = outputs
      .get('s')
      ?.stringElements()
      .map((bytes) => new TextDecoder().decode(bytes));
    expect(text).toEqual(['a', 'ü']);
    expect(outputs.get('e')).toMatchObject({ dims: [0] });
    expect(outputs.get('n')?.integers()).toEqual([2]);
  });

  it('says why a fragment cannot be run', async () => {
    expect(await evaluator.evaluate(fragment('float y', 'y = Unheard (x)', '<float x = {1}>'))).toContain('Unheard');
    expect(
      await evaluator.evaluate(fragment('float[3] y', 'y = Reshape (x, s)', '<float[2] x = {1, 2}, int64[1] s = {3}>')),
    ).toContain('ONNX Runtime');
    expect(await evaluator.evaluate(fragment('bfloat16 y', 'y = Cast <to = 16> (x)', '<float x = {1}>'))).toMatch(
      /bfloat16|ONNX Runtime/,
    );
  });

  it('runs the same fragment once', async () => {
    const one = await tensors('float y', 'y = Neg (x)', '<float x = {1}>');
    const two = await tensors('float y', 'y = Neg (x)', '<float x = {1}>');
    expect(two.get('y')).toBe(one.get('y'));
  });

  it('leaves large results in a file, reads large weights where they stand, and removes its folder', async () => {
    const path = join(folder, 'weights.onnx');
    const model = fragment('float[1000, 600] y', 'y = Transpose <perm = [1, 0]> (w)', '<float[1] w = {0}>');
    const weights = Float32Array.from({ length: 600_000 }, (_, i) => i);
    setTensor(model, 'w', Tensor.float32(weights, [600, 1000]));
    await writeModel(model, path);
    const read = await readModel(path);
    const outcome = await evaluator.evaluate(read);
    if (typeof outcome === 'string') throw new Error(outcome);
    const y = outcome.get('y') as Tensor;
    expect([...y.float32Array().subarray(0, 3)]).toEqual([0, 1000, 2000]);
    const { span } = y.data as FileBytes;
    expect(existsSync(span.source.path ?? '')).toBe(true);
    // A large result can be read where it stands by the next fragment.
    const next = fragment('float[1, 600] z', 'z = ReduceMax <axes = [0]> (y)', '<float[1] y = {0}>');
    setTensor(next, 'y', y);
    const again = await evaluator.evaluate(next);
    if (typeof again === 'string') throw new Error(again);
    expect(again.get('z')?.float32Array()[599]).toBe(599_999);
    read.source?.close();
    await evaluator.close();
    expect(existsSync(dirname(span.source.path ?? ''))).toBe(false);
  });

  it('makes a reason of a dead process, and goes on with a new one', async () => {
    await tensors('float y', 'y = Neg (x)', '<float x = {1}>');
    const host = await runtime.host();
    const request = host.request.bind(host);
    host.request = (...words) => {
      const reply = request(...words);
      process.kill(host.childPid, 'SIGKILL');
      return reply;
    };
    const dying = evaluator.evaluate(
      fragment(
        'float y',
        `y = Loop (trips, yes, x) <body = b (int64 i, bool go, float v) => (bool on, float w) { on = Identity (go) w = Sin (v) }>`,
        '<float x = {1}, int64 trips = {9223372036854775807}, bool yes = {1}>',
      ),
    );
    expect(await dying).toContain('process ended');
    const outputs = await tensors('float y', 'y = Abs (x)', '<float x = {-3}>');
    expect(outputs.get('y')?.float32Array()[0]).toBe(3);
    expect(runtime.generation).toBe(1);
  });
});
