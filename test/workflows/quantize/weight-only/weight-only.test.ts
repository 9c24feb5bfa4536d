import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attribute, floatAttribute } from '../../../../src/ir/attribute.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { readModel } from '../../../../src/ir/read-model.js';
import { tensorType } from '../../../../src/ir/type.js';
import type { Value } from '../../../../src/ir/value.js';
import { DataType } from '../../../../src/tensor/dtype.js';
import { createRandom } from '../../../../src/tensor/random.js';
import { Tensor } from '../../../../src/tensor/tensor.js';
import type { QuantizeOptions } from '../../../../src/workflows/options.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { writeGraph } from '../../../helpers/small-models.js';

const VOCABULARY = 96;
const WIDTH = 64;
const random = createRandom(5, 1);
const weights = (...dims: number[]): Tensor => {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return Tensor.float32(
    Float32Array.from({ length: size }, () => (random.float() - 0.5) / 4),
    dims,
  );
};
const floats = (...shape: (number | string)[]) => tensorType(DataType.FLOAT, shape);

/**
 * A model that reads weights in every way: a tied table, a table of its own, MatMul, Gemm by rows with factors, one weight for two layers,
 * behind a Cast and behind a Transpose, and a stack of matrices.
 */
function everyWay(graph: Graph): void {
  const ids = graph.newValue('ids', tensorType(DataType.INT64, ['B', 'S']));
  graph.addInput(ids);
  let count = 0;
  const add = (
    opType: string,
    inputs: Value[],
    shape: (number | string)[],
    attributes: ReturnType<typeof attribute>[] = [],
  ) => {
    const name = `${opType}_${count++}`;
    return graph.addNode({ opType, name, inputs, outputs: [{ name, type: floats(...shape) }], attributes }).output();
  };
  const tied = graph.addInitializer('tied', weights(VOCABULARY, WIDTH));
  const own = graph.addInitializer('own', weights(VOCABULARY, WIDTH));
  const shape = ['B', 'S', WIDTH];
  let x = add('Add', [add('Gather', [tied, ids], shape), add('Gather', [own, ids], shape)], shape);
  x = add(
    'Tanh',
    [add('MatMul', [x, graph.addInitializer('plain', weights(WIDTH, 72))], ['B', 'S', 72])],
    ['B', 'S', 72],
  );
  const rows = graph.addInitializer('rows', Tensor.int64([-1, 72], [2]));
  const flat = add('Reshape', [x, rows], ['R', 72]);
  const bias = graph.addInitializer('bias', weights(WIDTH));
  const gemm = add(
    'Gemm',
    [flat, graph.addInitializer('by_rows', weights(WIDTH, 72)), bias],
    ['R', WIDTH],
    [attribute('transB', 1), floatAttribute('alpha', 0.5), floatAttribute('beta', 2)],
  );
  const like = add('Shape', [x], []);
  like.type = tensorType(DataType.INT64, [3]);
  const ids3 = graph.addInitializer('two', Tensor.int64([0, 1], [2]));
  const leading = add('Gather', [like, ids3], []);
  leading.type = tensorType(DataType.INT64, [2]);
  const last = graph.addInitializer('last', Tensor.int64([WIDTH], [1]));
  const target = add('Concat', [leading, last], [], [attribute('axis', 0)]);
  target.type = tensorType(DataType.INT64, [3]);
  x = add('Tanh', [add('Reshape', [gemm, target], shape)], shape);
  const shared = graph.addInitializer('shared', weights(WIDTH, WIDTH));
  x = add('Tanh', [add('MatMul', [add('Tanh', [add('MatMul', [x, shared], shape)], shape), shared], shape)], shape);
  const stack = graph.addInitializer('stack', weights(2, WIDTH, WIDTH));
  const axes = graph.addInitializer('axes', Tensor.int64([1], [1]));
  const wide = add('Unsqueeze', [x, axes], ['B', 1, 'S', WIDTH]);
  const stacked = add('MatMul', [wide, stack], ['B', 2, 'S', WIDTH]);
  const mean = add('ReduceMean', [stacked], shape, [attribute('axes', [1]), attribute('keepdims', 0)]);
  x = add('Tanh', [mean], shape);
  const turned = add('Transpose', [tied], [WIDTH, VOCABULARY], [attribute('perm', [1, 0])]);
  graph.addOutput(add('MatMul', [x, turned], ['B', 'S', VOCABULARY]));
}

describe('quantizeModel with weights alone', () => {
  let folder = '';
  let path = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weight-only-'));
    path = join(folder, 'model.onnx');
    await writeGraph(path, everyWay);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = async (options: QuantizeOptions) => {
    const outputPath = join(folder, 'out.onnx');
    const report = await quantizeModel(path, { outputPath, force: true, ...options });
    const model = await readModel(outputPath);
    const operators = [...model.graph.nodes].map(({ opType }) => opType);
    const opset = model.opset();
    model.source?.close();
    return { report, operators, opset };
  };

  for (const operators of ['portable', 'ort'] as const)
    for (const asymmetric of [false, true])
      it(`computes what the original does with 8 bits: ${operators}, asymmetric ${asymmetric}`, async () => {
        const { report, ...made } = await run({ mode: 'int8-weights', operators, asymmetric, block: 16 });
        expect(report.mode).toBe('int8-weights');
        const [output] = report.verification.comparison?.outputs ?? [];
        expect(output?.sqnrDb).toBeGreaterThan(40);
        const found = (type: string): number => made.operators.filter((each) => each === type).length;
        if (operators === 'ort') {
          expect(found('GatherBlockQuantized')).toBe(2);
          expect(found('MatMulNBits')).toBe(5);
          expect(report.leftInFloat.find(({ reason }) => reason.includes('stack of matrices'))).toBeDefined();
        } else {
          expect(made.opset).toBe(21);
          expect(found('MatMulNBits')).toBe(0);
          // One for each product, and one for each lookup.
          expect(found('DequantizeLinear')).toBe(8);
          expect(report.leftInFloat.filter(({ opType }) => opType !== 'Gather')).toEqual([]);
        }
        expect(report.weightOnly?.weights.find(({ name }) => name === 'shared')?.layers).toHaveLength(2);
        expect(report.weightOnly?.weights.find(({ name }) => name === 'tied')?.layers).toHaveLength(2);
      });

  it('keeps the table that gives the scores at 8 bits, and takes 4 elsewhere', async () => {
    const { report } = await run({ mode: 'int4', operators: 'ort' });
    const bits = new Map(report.weightOnly?.weights.map(({ name, bits }) => [name, bits]));
    expect(bits.get('tied')).toBe(8);
    expect(bits.get('own')).toBe(4);
    expect(bits.get('plain')).toBe(4);
    expect(report.weightOnly?.method).toBe('kquant');
    expect([1, 4]).toContain(report.weightOnly?.accuracyLevel?.level);
    expect(report.verification.comparison?.outputs[0]?.sqnrDb).toBeGreaterThan(10);
  });

  it('runs with 2 bits in operators of ONNX Runtime, and says what it needs in others', async () => {
    const { report } = await run({ mode: 'int2', operators: 'ort', method: 'hqq' });
    expect(report.weightOnly?.symmetric).toBe(false);
    expect(report.verification.runs).toBe('passed');
    await expect(run({ mode: 'int2' })).rejects.toMatchObject({ code: 'SO1002', hint: 'add --operators ort' });
  });

  it('says that nothing is left where all is quantized already', async () => {
    await run({ mode: 'int8-weights', operators: 'ort' });
    const again = join(folder, 'again.onnx');
    const options = { mode: 'int4', operators: 'ort', outputPath: again, force: true } as const;
    const report = await quantizeModel(join(folder, 'out.onnx'), options);
    expect(report.mode).toBe('none');
    expect(report.notes).toContain('Weights are quantized already: 7 nodes read weights in blocks.');
  });

  it('counts layers with FLOAT16 weights', async () => {
    const half = join(folder, 'half.onnx');
    await quantizeModel(path, { mode: 'fp16', outputPath: half, force: true, verify: false });
    const outputPath = join(folder, 'out.onnx');
    const options = { mode: 'int8-weights', operators: 'ort', outputPath, force: true, verify: false } as const;
    const { quantized, leftInFloat } = await quantizeModel(half, options);
    expect(quantized).toHaveLength(7);
    expect(leftInFloat.map(({ reason }) => reason)).toEqual([expect.stringContaining('stack of matrices')]);
  });

  it('refuses blocks that are none, and methods without samples', async () => {
    await expect(run({ mode: 'int4', block: 33 })).rejects.toMatchObject({ code: 'SO1006' });
    await expect(run({ mode: 'int4', method: 'gptq' })).rejects.toMatchObject({ code: 'SO1002' });
    await expect(run({ mode: 'dynamic', block: 32 })).rejects.toMatchObject({ code: 'SO1002' });
  });
});
