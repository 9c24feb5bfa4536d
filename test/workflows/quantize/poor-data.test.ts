import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { createRandom } from '../../../src/tensor/random.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';
import { npy } from '../../helpers/npy.js';
import { zip } from '../../helpers/zip.js';

const [WIDTH, CLASSES, SAMPLES] = [16, 4, 40];
let folder: string;
let path: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  path = join(folder, 'model.onnx');
  const random = createRandom(3);
  const weights = Array.from({ length: WIDTH * CLASSES }, () => (random.float() * 2 - 1).toFixed(4)).join(', ');
  await writeModel(
    parseModel(`<ir_version: 8, opset_import: ["" : 17]> g (float[N, ${WIDTH}] x) => (float[N, ${CLASSES}] y)
      <float[${WIDTH}, ${CLASSES}] w = {${weights}}> { m = MatMul (x, w) y = Softmax <axis = -1> (m) }`),
    path,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = createRandom(5);
const VARIED = Float32Array.from({ length: SAMPLES * WIDTH }, () => random.float() * 2 - 1);

/** An archive of samples, with labels where they are given. */
function samples(name: string, values: Float32Array, labels?: readonly number[]): string {
  const file = join(folder, `${name}.npz`);
  const entries = [{ name: 'x.npy', data: npy('<f4', [values.length / WIDTH, WIDTH], values) }];
  if (labels)
    entries.push({ name: 'labels.npy', data: npy('<i8', [labels.length], BigInt64Array.from(labels, BigInt)) });
  writeFileSync(file, zip(entries));
  return file;
}

const quantize = (dataPath: string, evalPath?: string) =>
  quantizeModel(path, {
    dataPath,
    ...(evalPath ? { evalPath } : {}),
    mode: 'static',
    effort: 'low',
    allowSlower: true,
    maxGrowth: 'unlimited',
    dryRun: true,
  });

describe('samples that say too little', () => {
  it.each([
    ['one value', new Float32Array(VARIED.length).fill(0.25), /Input "x" is 0\.25 throughout the samples of flat\.npz/],
    [
      'one sample many times',
      VARIED.map((_, i) => VARIED[i % WIDTH] as number),
      /Input "x" has the same values in every sample of flat\.npz/,
    ],
  ])('are told where they hold %s', async (_, values, says) => {
    const { warnings, mode } = await quantize(samples('flat', values));
    expect(mode).toBe('static');
    expect(warnings.join(' ')).toMatch(says);
  });

  it('are told where one sample is all there is', async () => {
    const { warnings } = await quantize(samples('single', VARIED.slice(0, WIDTH)));
    expect(warnings.join(' ')).toMatch(/measured on one sample.*Too few samples to hold some out/);
    expect(warnings.join(' ')).not.toContain('same values');
  });

  it('are told where labels are of one class', async () => {
    const one = Array.from({ length: SAMPLES }, () => 2);
    const { warnings } = await quantize(samples('plain', VARIED), samples('class', VARIED, one));
    expect(
      warnings.filter((each) => each === 'Every label is 2: the metric says nothing of other classes.'),
    ).toHaveLength(1);
  });

  it('are nothing to tell of where they vary', async () => {
    const labels = Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
    const { warnings } = await quantize(samples('good', VARIED), samples('labelled', VARIED, labels));
    expect(warnings.join(' ')).not.toMatch(/throughout|same values|Every label/);
  });

  it.each([
    [
      'NaN',
      VARIED.map((value, i) => (i === 20 ? Number.NaN : value)),
      undefined,
      'SO4001',
      /NaN or infinite.*sample 1/,
    ],
    ['no sample', new Float32Array(0), undefined, 'SO4004', /no samples/],
    ['more labels than samples', VARIED, SAMPLES + 3, 'SO4005', /number of labels, 43, is not the number of samples/],
  ])('are refused with %s', async (_, values, count, code, says) => {
    const labels = count === undefined ? undefined : Array.from({ length: count }, (__, i) => i % CLASSES);
    const error: unknown = await quantize(samples('refused', values, labels)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(says);
  });
});
