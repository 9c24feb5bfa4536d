import { describe, expect, it } from 'vitest';
import { findLossyLayers, type LossySearchOptions } from '../../../../src/workflows/quantize/float16/lossy-layers.js';

const LAYERS = Array.from({ length: 200 }, (_, i) => `l${i}`);

/** A search over layers whose noise adds up: by default 60 dB each for all of them. */
async function search(
  noise: (isHalf: (layer: number) => boolean) => number,
  options: Partial<LossySearchOptions> = {},
) {
  return findLossyLayers({
    layers: LAYERS,
    readers: (layer) => [`l${Number(layer.slice(1)) + 1}`],
    suspects: [],
    targetDb: 45,
    maxTrials: 60,
    measure: async (wide) => -10 * Math.log10(noise((layer) => !wide.has(`l${layer}`))),
    ...options,
  });
}

/** Rounding of 200 layers: 57 dB together. */
const rounding = (isHalf: (layer: number) => boolean): number =>
  LAYERS.reduce((sum, _, layer) => sum + (isHalf(layer) ? 1e-8 : 0), 1e-12);

describe('the search for layers that lose in FLOAT16', () => {
  it('finds one layer of many in few trials', async () => {
    const found = await search((isHalf) => rounding(isHalf) + (isHalf(137) ? 0.1 : 0));
    expect(found.layers.map(({ name }) => name)).toEqual(['l137']);
    expect(found.trials).toBeLessThan(15);
    expect(found.sqnrDb).toBeGreaterThan(55);
    expect(found.layers[0]?.lossDb).toBeCloseTo(10, 0);
  });

  it('finds layers that overflow, which hide each other', async () => {
    const overflow = (isHalf: (layer: number) => boolean): number =>
      isHalf(20) || isHalf(150) ? Number.POSITIVE_INFINITY : rounding(isHalf);
    const found = await search(overflow);
    expect(found.layers.map(({ name }) => name).sort()).toEqual(['l150', 'l20']);
  });

  it('takes a layer and its reader together where neither brings anything alone', async () => {
    const found = await search((isHalf) => rounding(isHalf) + (isHalf(60) || isHalf(61) ? 0.01 : 0));
    expect(found.layers.map(({ name }) => name)).toEqual(['l60', 'l61']);
  });

  it('gives suspects that bring nothing back to FLOAT16', async () => {
    const suspects = ['l3', 'l4', 'l5'];
    const found = await search((isHalf) => rounding(isHalf) + (isHalf(4) ? 0.1 : 0), { suspects });
    expect(found.layers.map(({ name }) => name)).toEqual(['l4']);
  });

  it('keeps nothing where the loss is spread, and says where half of it comes from', async () => {
    const found = await search((isHalf) => 1000 * rounding(isHalf));
    expect(found.layers).toEqual([]);
    expect(found.spread.length).toBeGreaterThan(0);
  });

  it('ends with the trials that it may make', async () => {
    const found = await search((isHalf) => rounding(isHalf) + (isHalf(137) ? 0.1 : 0), { maxTrials: 4 });
    expect(found.trials).toBeLessThan(8);
    const timed = await search((isHalf) => 1000 * rounding(isHalf), { mayGoOn: () => false });
    expect(timed.trials).toBe(1);
  });
});
