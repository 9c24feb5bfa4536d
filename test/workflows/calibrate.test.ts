import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { calibrate } from '../../src/workflows/calibrate.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp');
const SAMPLES = join(FOLDER, 'calib.npz');

describe('calibrate', () => {
  let model: Model;
  beforeAll(async () => {
    model = await readModel(join(FOLDER, 'model.onnx'));
  });
  afterAll(() => model.source?.close());

  it('runs on the threads and the execution providers that it is given', async () => {
    const plain = await calibrate(model, SAMPLES);
    const chosen = await calibrate(model, SAMPLES, { threads: 1, executionProviders: ['cpu'] });
    expect(plain.ranges.size).toBeGreaterThan(0);
    expect([...chosen.ranges.keys()]).toEqual([...plain.ranges.keys()]);
    expect(chosen.samples).toBe(plain.samples);
  });

  it.each([
    ['is not known', 'abacus', 'SO1006'],
    ['does not work here', process.platform === 'darwin' ? 'cuda' : 'coreml', 'SO5005'],
  ])('refuses an execution provider that %s', async (_what, provider, code) => {
    await expect(calibrate(model, SAMPLES, { executionProviders: [provider] })).rejects.toMatchObject({ code });
  });
});
