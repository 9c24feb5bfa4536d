import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '../../../../src/ir/graph.js';
import { tensorType } from '../../../../src/ir/type.js';
import type { Value } from '../../../../src/ir/value.js';
import { DataType } from '../../../../src/tensor/dtype.js';
import { createRandom } from '../../../../src/tensor/random.js';
import { Tensor } from '../../../../src/tensor/tensor.js';
import type { QuantizeOptions } from '../../../../src/workflows/options.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { float32 } from '../../../helpers/npy.js';
import { writeGraph } from '../../../helpers/small-models.js';

const [SAMPLES, POSITIONS, WIDTH, INNER] = [64, 8, 64, 128];
const OUTLIERS = 12;

/** A block with norms before products, three of which share one; some channels of the norms are large. @param fused the residual sum and its norm are one node */
function block(graph: Graph, fused: boolean): void {
  const random = createRandom(3, 1);
  const normal = (size: number, scale: number) =>
    Float32Array.from(
      { length: size },
      () => scale * Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float()),
    );
  const weight = (name: string, from: number, to: number): Value =>
    graph.addInitializer(name, Tensor.float32(normal(from * to, 1 / Math.sqrt(from)), [from, to]));
  const gain = (name: string): Value => {
    const values = Float32Array.from({ length: WIDTH }, (_, at) => (at % 16 === 3 ? OUTLIERS : 1));
    return graph.addInitializer(name, Tensor.float32(values, [WIDTH]));
  };
  const shift = (name: string): Value => graph.addInitializer(name, Tensor.float32(normal(WIDTH, 0.1), [WIDTH]));
  const add = (opType: string, inputs: Value[], width: number, domain = ''): Value =>
    graph
      .addNode({
        opType,
        domain,
        inputs,
        outputs: [{ name: `${opType}_${[...graph.nodes].length}`, type: floats(width) }],
      })
      .output();
  const x = graph.newValue('x', floats(WIDTH));
  graph.addInput(x);
  const first = add('LayerNormalization', [x, gain('g1'), shift('b1')], WIDTH);
  const [q, k, v] = ['wq', 'wk', 'wv'].map((name) => add('MatMul', [first, weight(name, WIDTH, WIDTH)], WIDTH));
  const attended = add(
    'Add',
    [add('Mul', [q as Value, add('Sigmoid', [k as Value], WIDTH)], WIDTH), v as Value],
    WIDTH,
  );
  let second: Value;
  if (fused) {
    graph.model.setOpset('com.microsoft', 1);
    second = add('SkipLayerNormalization', [x, attended, gain('g2'), shift('b2')], WIDTH, 'com.microsoft');
  } else second = add('LayerNormalization', [add('Add', [x, attended], WIDTH), gain('g2'), shift('b2')], WIDTH);
  const inner = add('Relu', [add('MatMul', [second, weight('up', WIDTH, INNER)], INNER)], INNER);
  graph.addOutput(add('MatMul', [inner, weight('down', INNER, WIDTH)], WIDTH));
}

const floats = (width: number) => tensorType(DataType.FLOAT, ['N', POSITIONS, width]);

describe('quantizeModel with --method awq', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'awq-'));
    const random = createRandom(9, 1);
    const count = SAMPLES * POSITIONS * WIDTH;
    const values = Array.from({ length: count }, () => random.float() - 0.5);
    writeFileSync(join(folder, 'x.npy'), float32([SAMPLES, POSITIONS, WIDTH], values));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = async (build: (graph: Graph) => void, options: QuantizeOptions) => {
    const path = join(folder, 'model.onnx');
    await writeGraph(path, build);
    const outputPath = join(folder, 'out.onnx');
    const dataPath = join(folder, 'x.npy');
    return quantizeModel(path, { mode: 'int4', outputPath, dataPath, force: true, block: 16, ...options });
  };

  for (const operators of ['portable', 'ort'] as const)
    for (const fused of [false, true])
      it(`folds factors into norms and layers before, where the outputs lose less: ${operators}, fused ${fused}`, async () => {
        const build = (graph: Graph) => block(graph, fused);
        const aware = await run(build, { operators, method: 'awq' });
        const scaled = new Map(aware.weightOnly?.scaled?.map(({ products, ...rest }) => [products.join(), rest]));
        expect([...scaled.keys()]).toEqual(['wq,wk,wv', 'up', 'down']);
        for (const products of ['wq,wk,wv', 'up']) {
          expect(scaled.get(products)?.alpha).toBeGreaterThan(0);
          expect(scaled.get(products)?.errorRatio).toBeLessThan(0.9);
        }
        for (const { errorRatio } of aware.weightOnly?.weights ?? []) expect(errorRatio).toBeLessThanOrEqual(1);
        const nearest = await run(build, { operators, method: 'rtn' });
        const sqnrDb = [aware, nearest].map((report) => report.verification.comparison?.outputs[0]?.sqnrDb ?? 0);
        expect(sqnrDb[0]).toBeGreaterThan((sqnrDb[1] as number) + 1);
      });

  it('says so where nothing can take factors, and rounds', async () => {
    const report = await run(
      (graph) => {
        const x = graph.newValue('x', floats(WIDTH));
        graph.addInput(x);
        const random = createRandom(4, 1);
        const values = Float32Array.from({ length: WIDTH * WIDTH }, () => random.float() - 0.5);
        const weight = graph.addInitializer('w', Tensor.float32(values, [WIDTH, WIDTH]));
        const output = { name: 'y', type: floats(WIDTH) };
        graph.addOutput(graph.addNode({ opType: 'MatMul', inputs: [x, weight], outputs: [output] }).output());
      },
      { operators: 'ort', method: 'awq' },
    );
    expect(report.weightOnly?.scaled).toEqual([]);
    expect(report.warnings?.some((text) => text.startsWith('AWQ scaled nothing: no layer before a product'))).toBe(
      true,
    );
    expect(report.weightOnly?.weights[0]?.reason).toBe('no factors: nothing before it can take them alone');
  });

  it('needs samples', async () => {
    const path = join(folder, 'model.onnx');
    await expect(quantizeModel(path, { mode: 'int4', method: 'awq' })).rejects.toMatchObject({ code: 'SO1002' });
  });
});
