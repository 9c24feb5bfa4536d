import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attribute } from '../../../../src/ir/attribute.js';
import { readModel } from '../../../../src/ir/read-model.js';
import { tensorType } from '../../../../src/ir/type.js';
import type { Value } from '../../../../src/ir/value.js';
import { allNodes } from '../../../../src/ir/walk.js';
import type { QuantizeRepairReport } from '../../../../src/report/repair-types.js';
import { repairLines } from '../../../../src/report/repair-words.js';
import { DataType } from '../../../../src/tensor/dtype.js';
import { createRandom } from '../../../../src/tensor/random.js';
import { Tensor } from '../../../../src/tensor/tensor.js';
import { produceModel } from '../../../../src/workflows/produce/produce-model.js';
import { quantizeCommand, quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { float32 } from '../../../helpers/npy.js';
import { writeGraph } from '../../../helpers/small-models.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-repair-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two convolutions with channels of very different sizes between them, and samples for it. */
async function unequalChannels(): Promise<{ path: string; dataPath: string }> {
  const [path, dataPath] = [join(folder, 'unequal.onnx'), join(folder, 'unequal.npy')];
  const random = createRandom(7);
  const weight = (count: number, scale: (at: number) => number): Float32Array =>
    Float32Array.from({ length: count }, (_, at) => random.normal() * scale(at));
  await writeGraph(path, (graph) => {
    const x = graph.newValue('x', tensorType(DataType.FLOAT, ['N', 3, 8, 8]));
    graph.addInput(x);
    const layer = (input: Value, name: string, dims: readonly number[], data: Float32Array, relu: boolean): Value => {
      const constant = graph.addInitializer(`${name}_w`, Tensor.float32(data, dims));
      const bias = graph.addInitializer(`${name}_b`, Tensor.float32(new Float32Array(dims[0] ?? 0).fill(0.1)));
      const shape = ['N', dims[0] as number, 8, 8];
      const out = graph
        .addNode({
          opType: 'Conv',
          name,
          inputs: [input, constant, bias],
          outputs: [{ name: relu ? `${name}_out` : 'y', type: tensorType(DataType.FLOAT, shape) }],
          attributes: [attribute('pads', [1, 1, 1, 1])],
        })
        .output();
      if (!relu) return out;
      const type = tensorType(DataType.FLOAT, shape);
      return graph.addNode({ opType: 'Relu', inputs: [out], outputs: [{ name: `${name}_relu`, type }] }).output();
    };
    const channel = (at: number): number => Math.floor(at) % 8;
    // Channel c of the first layer is 3^(c mod 8) times larger, and read by weights that are as much smaller.
    const first = layer(
      x,
      'first',
      [32, 3, 3, 3],
      weight(864, (at) => 3 ** (channel(at / 27) - 4)),
      true,
    );
    const second = layer(
      first,
      'second',
      [16, 32, 3, 3],
      weight(4608, (at) => 3 ** (4 - channel(at / 9))),
      false,
    );
    graph.addOutput(second);
  });
  const count = 64;
  writeFileSync(
    dataPath,
    float32(
      [count, 3, 8, 8],
      Float32Array.from({ length: count * 192 }, () => random.normal()),
    ),
  );
  return { path, dataPath };
}

describe('the repair of static INT8', () => {
  it('evens out channels of very different sizes, and says what each step gave', async () => {
    const { path, dataPath } = await unequalChannels();
    const [plain, repaired] = [
      await quantizeModel(path, { dataPath, allowSlower: true, effort: 'low', outputPath: join(folder, 'plain.onnx') }),
      await quantizeModel(path, { dataPath, allowSlower: true, outputPath: join(folder, 'repaired.onnx') }),
    ];
    const sqnr = ({ verification }: typeof plain): number => verification.comparison?.outputs[0]?.sqnrDb ?? Number.NaN;
    expect(plain.repair).toBeUndefined();
    expect(sqnr(repaired)).toBeGreaterThan(sqnr(plain) + 6);
    const steps = repaired.repair?.steps ?? [];
    expect(steps.map(({ step }) => step)).toEqual([
      'head split',
      'cross-layer equalization',
      'SmoothQuant',
      'weight rounding',
      'bias correction',
    ]);
    expect(steps[1]?.kept).toBe(true);
    for (const { kept, sqnrBeforeDb = 0, sqnrAfterDb = 0 } of steps)
      if (kept) expect(sqnrAfterDb).toBeGreaterThan(sqnrBeforeDb);
    expect(repaired.quantized.length).toBe(2);
    const layers = repaired.repair?.layers ?? [];
    expect(layers.map(({ name }) => name)).toEqual(['first', 'second']);
    const { sqnrBeforeDb = Number.NaN, sqnrAfterDb = Number.NaN } = layers[1] ?? {};
    expect(sqnrAfterDb).toBeGreaterThan(sqnrBeforeDb + 6);
    // The same bytes each time, without a trace of the marks on its layers.
    const again = await quantizeModel(path, { dataPath, allowSlower: true, outputPath: join(folder, 'again.onnx') });
    expect(again.output.sha256).toBe(repaired.output.sha256);
    const made = await readModel(join(folder, 'again.onnx'));
    for (const node of allNodes(made)) expect([...node.metadataProps.keys()]).not.toContain('serve_opt.repair');
    made.source?.close();
  });

  it('does nothing with too few samples to keep some apart', async () => {
    const { path, dataPath } = await unequalChannels();
    const report = await quantizeModel(path, {
      dataPath,
      allowSlower: true,
      samples: 8,
      outputPath: join(folder, 'few.onnx'),
    });
    expect(report.repair).toBeUndefined();
    expect(report.mode).toBe('static');
  });

  it('is given up where the process ends during it, and the result stands', async () => {
    const { path, dataPath } = await unequalChannels();
    const command = quantizeCommand();
    let childPid: number | undefined;
    const report = await produceModel(
      path,
      { dataPath, allowSlower: true, outputPath: join(folder, 'given-up.onnx') },
      {
        onProgress: (event) => {
          if (event.kind !== 'start' || event.stage !== 'repair' || childPid === undefined) return;
          process.kill(childPid, 'SIGKILL');
          childPid = undefined;
        },
      },
      {
        ...command,
        prepare: async (run) => {
          const work = await command.prepare(run);
          childPid = (await run.runtime.host()).childPid;
          return work;
        },
      },
    );
    expect(childPid).toBeUndefined();
    expect(report.repair).toEqual({
      effort: 'medium',
      fitted: 0,
      heldOut: 0,
      steps: [],
      givenUp: 'ONNX Runtime ended during it',
    });
    expect(report.mode).toBe('static');
    expect(report.verification).toMatchObject({ loads: 'passed', runs: 'passed' });
    expect(repairLines(report.repair as QuantizeRepairReport)).toEqual([
      'Repair: given up, and nothing of it is kept: ONNX Runtime ended during it',
    ]);
  });
});
