import { describe, expect, it } from 'vitest';
import { rankingSamples, splitSamples } from '../../src/workflows/workbench/sample-split.js';

describe('splitSamples', () => {
  it.each([
    [100, 128, 1, 80, 20],
    [200, 128, 1, 128, 72],
    [19, 128, 1, 19, undefined],
    [40, 128, 4, 32, 8],
    [30, 128, 4, 24, 6],
    // One run: an axis of time as well as a batch.
    [20, 128, 20, 20, undefined],
    [40, 128, 20, 20, 20],
  ])('of %i samples, %i to calibrate, in runs of %i', (count, limit, block, calibrated, judged) => {
    const split = splitSamples('data.npz', count, limit, { holdOut: true, block });
    expect(split.calibration).toMatchObject({ first: 0, count: calibrated });
    expect(split.heldOut).toBe(judged !== undefined);
    expect(split.judging).toMatchObject({ first: judged === undefined ? 0 : calibrated, count: judged ?? count });
  });
});

describe('rankingSamples', () => {
  it.each([
    [100, true, { first: 80, count: 20 }],
    [40, true, { first: 32, count: 8 }],
    // Seven would be too few.
    [35, false, { first: 0, count: 28 }],
    [10, false, { first: 0, count: 10 }],
  ])('of %i samples are held out: %s', (count, heldOut, range) => {
    const split = splitSamples('data.npz', count, 128, { holdOut: true });
    expect(rankingSamples(split)).toMatchObject({ heldOut, source: { kind: 'data', path: 'data.npz', ...range } });
  });

  it('are those of the judging where there are no data', () => {
    const judging = { kind: 'seeded', seed: 0, count: 16 } as const;
    expect(rankingSamples({ calibration: undefined, judging, heldOut: false })).toEqual({
      source: judging,
      heldOut: false,
    });
  });
});
