/**
 * From samples to scales, against ONNX Runtime's Python quantizer. `scripts/make-parity-fixtures.py` says what the expected
 * values are; `MODELS` (a folder with cifar10-resnet/ and kws-dscnn/) adds the models that are not among the fixtures.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { quantizationParameters } from '../../src/quantize/scheme.js';
import { calibrate } from '../../src/workflows/calibrate.js';

interface Expected {
  readonly model: string;
  readonly sourceSha256: string;
  readonly batch: number;
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  readonly activations: Readonly<Record<string, readonly [number, number]>>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const PARITY = join(ROOT, 'test', 'parity');
const folders = [join(ROOT, 'fixtures'), ...(process.env.MODELS ? [process.env.MODELS] : [])];

/** Where the model an expectation is about stands; undefined when it is not here. */
function modelPath({ model, sourceSha256 }: Expected): string | undefined {
  return folders
    .map((folder) => join(folder, model))
    .find((path) => existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === sourceSha256);
}

/** Distance in units in the last place of two floats of one sign, one of them given by its bits. */
function ulps(value: number, bits: number): number {
  return Math.abs((new Uint32Array(Float32Array.of(value).buffer)[0] as number) - bits);
}

describe.each(readdirSync(PARITY).filter((name) => name.endsWith('.json')))('%s', (file) => {
  const expected = JSON.parse(readFileSync(join(PARITY, file), 'utf8')) as Expected;
  const path = modelPath(expected);

  it.skipIf(path === undefined)('calibrates to the ranges, scales and zero points of ONNX Runtime', async () => {
    const model = await readModel(path as string);
    try {
      inferTypes(model);
      const { ranges } = await calibrate(model, join(dirname(path as string), 'calib.npz'), {
        tensors: Object.keys(expected.ranges),
        batch: expected.batch,
      });
      expect([...ranges.keys()].sort()).toEqual(Object.keys(expected.ranges).sort());
      for (const [name, [min, max]] of Object.entries(expected.ranges)) {
        const range = ranges.get(name);
        expect([name, ulps(range?.min ?? Number.NaN, min) <= 1, ulps(range?.max ?? Number.NaN, max) <= 1]).toEqual([
          name,
          true,
          true,
        ]);
      }
      for (const [name, [scale, zeroPoint]] of Object.entries(expected.activations)) {
        const range = ranges.get(name);
        const found = quantizationParameters(range?.min ?? 0, range?.max ?? 0, { type: 'u8', symmetric: false });
        expect([name, ulps(found.scale, scale) <= 1, found.zeroPoint]).toEqual([name, true, zeroPoint]);
      }
    } finally {
      model.source?.close();
    }
  });
});
