import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sensitivity } from '../../src/workflows/sensitivity.js';
import { writePoisonedModel } from '../helpers/poisoned-model.js';

let folder: string;
let path: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  ({ path, data } = await writePoisonedModel(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sensitivity', () => {
  it('ranks the layer first that loses most, of eight', async () => {
    const report = await sensitivity(path, { dataPath: data });
    expect(report.mode).toBe('static');
    expect(report.layers).toHaveLength(8);
    expect(report.layers[0]).toMatchObject({ name: 'layer4', together: 1 });
    const [first, second] = report.layers;
    expect(first?.sqnrDb).toBeLessThan((second?.sqnrDb ?? 0) - 6);
    expect(report.trials.passes).toBeLessThanOrEqual(8);
    expect(report.trials).toMatchObject({ heldOut: true, samples: 8 });
    expect(report.allTogether?.samples).toBe(8);
  });

  it.each(['dynamic', 'fp16'] as const)(
    'ranks for %s without samples, and says that synthetic inputs are rough',
    async (mode) => {
      const report = await sensitivity(path, { mode });
      expect(report).toMatchObject({ mode, syntheticInputs: { seed: 0 } });
      expect(report.layers).toHaveLength(8);
      expect(report.notes.join(' ')).toContain('--data');
      for (const { sqnrDb } of report.layers) expect(sqnrDb).toBeGreaterThan(0);
    },
  );

  it('says why there is nothing to rank', async () => {
    const report = await sensitivity(path, { dataPath: data, exclude: ['*'] });
    expect(report.layers).toEqual([]);
    expect(report.leftInFloat).toHaveLength(8);
    expect(report.notes.join(' ')).toContain('no layer');
  });
});
