import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { calibrate } from '../../src/workflows/calibrate.js';

const model = () =>
  parseModel(`<ir_version: 8, opset_import: ["" : 17]> g (float[N, 2] x) => (float[N, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
    y = MatMul (x, w) }`);
const SEEDED = { seed: 0, samples: 4 } as const;
const tensors = ['x', 'y'];

describe('calibrate', () => {
  it('runs on the threads and the execution providers that it is given', async () => {
    const plain = await calibrate(model(), SEEDED, { tensors });
    const chosen = await calibrate(model(), SEEDED, { tensors, threads: 1, executionProviders: ['cpu'] });
    expect(chosen.ranges).toEqual(plain.ranges);
    expect([...plain.ranges.keys()].sort()).toEqual(tensors);
  });

  it.each([
    ['is not known', 'abacus', 'SO1006'],
    ['does not work here', process.platform === 'darwin' ? 'cuda' : 'coreml', 'SO5005'],
  ])('refuses an execution provider that %s', async (_what, provider, code) => {
    await expect(calibrate(model(), SEEDED, { tensors, executionProviders: [provider] })).rejects.toMatchObject({
      code,
    });
  });
});
