import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { createRandom } from '../../../src/tensor/random.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';
import { float32 } from '../../helpers/npy.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-chosen-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('quantizes a convolution that was chosen without the Relu behind it', async () => {
  const random = createRandom(2);
  const numbers = (count: number): string => Array.from({ length: count }, () => random.normal().toFixed(4)).join(', ');
  const [path, dataPath] = [join(folder, 'chosen.onnx'), join(folder, 'chosen.npy')];
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
g (float[n,3,8,8] x) => (float[n,8,8,8] y) <float[16,3,3,3] w = {${numbers(432)}}, float[8,16,3,3] v = {${numbers(1152)}}> {
  [first] a = Conv <pads: ints = [1, 1, 1, 1]> (x, w)
  r = Relu (a)
  [second] y = Conv <pads: ints = [1, 1, 1, 1]> (r, v)
}`);
  await writeModel(model, path);
  const values = Float32Array.from({ length: 24 * 192 }, () => random.normal());
  writeFileSync(dataPath, float32([24, 3, 8, 8], values));
  const options = { dataPath, allowSlower: true, maxGrowth: '100%', outputPath: join(folder, 'out.onnx') } as const;
  const report = await quantizeModel(path, { ...options, include: ['first'], mode: 'static' });
  expect(report.quantized.map(({ name }) => name)).toEqual(['first']);
  // Its range is that of the Relu, which its integers clip.
  expect(report.calibration?.tensors?.map(({ name }) => name)).toEqual(['x', 'r']);
});
