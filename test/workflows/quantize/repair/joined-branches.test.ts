/** Branches of different sizes that a Concat joins, and a layer that reads all of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../../src/ir/write-model.js';
import type { QuantizeReport } from '../../../../src/report/types.js';
import { createRandom } from '../../../../src/tensor/random.js';
import type { QuantizeOptions } from '../../../../src/workflows/options.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { float32 } from '../../../helpers/npy.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-joined-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = createRandom(5);
const numbers = (count: number, scale: (at: number) => number): string =>
  Array.from({ length: count }, (_, at) => (random.normal() * scale(at)).toPrecision(5)).join(', ');
/** Boxes are a thousand times as large as scores; the layer behind makes up for it. */
const behind = (channel: number): number => (channel < 4 ? 0.01 : 10);
const TEXT = (outputs: string): string => `<ir_version: 8, opset_import: ["": 17]>
g (float[n,3,8,8] x) => (${outputs}) <
  float[16,3,3,3] w = {${numbers(432, () => 0.3)}}, float[16] b = {${numbers(16, () => 0.1)}},
  float[4,16,1,1] bw = {${numbers(64, () => 10)}}, float[4] bb = {${numbers(4, () => 5)}},
  float[6,16,1,1] sw = {${numbers(96, () => 0.01)}}, float[6] sb = {${numbers(6, () => 0.005)}},
  float[8,10,1,1] pw = {${numbers(80, (at) => behind(at % 10))}}, float[8] pb = {${numbers(8, () => 1)}}
> {
  [body] a = Conv <pads: ints = [1, 1, 1, 1]> (x, w, b)
  f = Relu (a)
  [boxes] bo = Conv (f, bw, bb)
  [scores] so = Conv (f, sw, sb)
  y = Concat <axis: int = 1> (bo, so)
  [post] z = Conv (y, pw, pb)
}`;

async function quantized(name: string, outputs: string, options: QuantizeOptions): Promise<QuantizeReport> {
  const [path, dataPath] = [join(folder, `${name}.onnx`), join(folder, `${name}.npy`)];
  await writeModel(parseModel(TEXT(outputs)), path);
  const count = 64;
  const values = Float32Array.from({ length: count * 192 }, () => random.normal());
  writeFileSync(dataPath, float32([count, 3, 8, 8], values));
  const outputPath = join(folder, `${name}.int8.onnx`);
  return quantizeModel(path, { dataPath, allowSlower: true, maxGrowth: '200%', outputPath, ...options });
}

describe('branches of different sizes that are joined', () => {
  it('lose no channel where they leave the model, with a layer reading them, too', async () => {
    const report = await quantized('leaving', 'float[n,10,8,8] y, float[n,8,8,8] z', { effort: 'low' });
    expect(report.quantized).toHaveLength(4);
    const [y] = report.verification.comparison?.outputs ?? [];
    expect(y?.worstChannel?.sqnrDb).toBeGreaterThan(25);
  });

  it('are repaired by one layer in FP32, whose weights and biases are those of before', async () => {
    const report = await quantized('inside', 'float[n,8,8,8] z', {});
    expect(report.leftInFloat.map(({ name }) => name)).toEqual(['post']);
    expect(report.search).toMatchObject({ met: true, kept: 1 });
    const [z] = report.verification.comparison?.outputs ?? [];
    expect(z?.sqnrDb).toBeGreaterThan(30);
  });
});
