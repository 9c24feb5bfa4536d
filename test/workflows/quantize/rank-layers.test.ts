import { expect, it } from 'vitest';
import type { ComparisonResult } from '../../../src/evaluate/comparison.js';
import { Model } from '../../../src/ir/model.js';
import type { LayerChoice } from '../../../src/workflows/quantize/layer-choice.js';
import { rankLayers } from '../../../src/workflows/quantize/rank-layers.js';
import { SearchTime } from '../../../src/workflows/quantize/search/search-time.js';
import type { TrialSamples } from '../../../src/workflows/workbench/trials.js';

/** A ranking of ten layers where each trial takes a second of a clock of its own. */
async function ranked(limitMs: number, macs?: number) {
  let now = 0;
  const layers = Array.from({ length: 10 }, (_, at) => ({
    key: `k${at}`,
    name: `n${at}`,
    opType: 'Gemm',
    weightBytes: 1,
  }));
  const choice = { layers, unoptimized: false, candidate: async () => new Model() } as unknown as LayerChoice;
  const score = async (): Promise<ComparisonResult> => {
    now += 1000;
    return { source: { kind: 'seeded', seed: 0 }, samples: 1, outputs: [] } as never;
  };
  const samples = { count: 100, score } as unknown as TrialSamples;
  return rankLayers(samples, choice, { calibrationSamples: 8, macs, time: new SearchTime(limitMs, () => now) });
}

it('ranks neighbours together where the time does not do for each alone', async () => {
  const { layers, trials } = await ranked(4000);
  expect(trials).toBeLessThanOrEqual(4);
  expect(new Set(layers.map(({ key }) => key)).size).toBe(10);
  expect(Math.max(...layers.map(({ together }) => together))).toBeGreaterThan(1);
});

it('ranks each alone where there is time', async () => {
  const { layers, trials } = await ranked(60_000);
  expect(trials).toBe(10);
  expect(layers.every(({ together }) => together === 1)).toBe(true);
});

it('tries small models on more samples', async () => {
  expect((await ranked(60_000)).samples).toBe(25);
  expect((await ranked(60_000, 5e9)).samples).toBe(25);
  expect((await ranked(60_000, 1e8)).samples).toBe(50);
  expect((await ranked(60_000, 1e6)).samples).toBe(100);
});
