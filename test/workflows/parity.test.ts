/**
 * From samples to scales, against ONNX Runtime's Python quantizer. `scripts/make-parity-fixtures.py` says what the expected
 * values are; models that are not among the fixtures come from the folder of `models-folder.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { quantizationParameters, U8_ACTIVATIONS } from '../../src/quantize/scheme.js';
import { calibrate } from '../../src/workflows/calibrate.js';
import { findKnownModel, type KnownModel } from '../helpers/models-folder.js';
import { skipWhere } from '../helpers/skip-where.js';

interface Expected extends KnownModel {
  readonly batch: number;
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  readonly activations: Readonly<Record<string, readonly [number, number]>>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const PARITY = join(ROOT, 'test', 'parity');

/** Distance in units in the last place of two floats of one sign, one of them given by its bits. */
function ulps(value: number, bits: number): number {
  return Math.abs((new Uint32Array(Float32Array.of(value).buffer)[0] as number) - bits);
}

describe.each(readdirSync(PARITY).filter((name) => name.endsWith('.json')))('%s', (file) => {
  const expected = JSON.parse(readFileSync(join(PARITY, file), 'utf8')) as Expected;
  const path = findKnownModel(ROOT, expected);
  const whereFound = skipWhere(path === undefined, `${expected.model} is no fixture, and there is no folder of models`);

  whereFound.it('calibrates to the ranges, scales and zero points of ONNX Runtime', async () => {
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
        const found = quantizationParameters(range?.min ?? 0, range?.max ?? 0, U8_ACTIVATIONS);
        expect([name, ulps(found.scale, scale) <= 1, found.zeroPoint]).toEqual([name, true, zeroPoint]);
      }
    } finally {
      model.source?.close();
    }
  });
});
