import { describe, expect, it } from 'vitest';
import type { ComparisonResult } from '../../../src/evaluate/comparison.js';
import { Model } from '../../../src/ir/model.js';
import type { LayerChoice } from '../../../src/workflows/quantize/layer-choice.js';
import type { LayerRanking } from '../../../src/workflows/quantize/rank-layers.js';
import { type Judged, keepAccuracy, type Search } from '../../../src/workflows/quantize/search/keep-accuracy.js';
import { SearchTime } from '../../../src/workflows/quantize/search/search-time.js';
import type { TrialSamples } from '../../../src/workflows/workbench/trials.js';

const RESULT: ComparisonResult = { source: { kind: 'seeded', seed: 0, first: 0 }, samples: 1, outputs: [] } as never;

/** A search over layers of which so many have to stay; each trial takes a second of a clock of its own. */
async function search(
  layers: number,
  judgeKept: (kept: number) => Judged,
  limitMs = Number.POSITIVE_INFINITY,
): Promise<Search> {
  let [now, kept] = [0, 0];
  const all = Array.from({ length: layers }, (_, at) => ({
    key: `k${at}`,
    name: `n${at}`,
    opType: 'Gemm',
    weightBytes: 1,
  }));
  const choice = {
    layers: all,
    unoptimized: false,
    candidate: async (which: ReadonlyMap<string, string>) => {
      kept = which.size;
      return new Model();
    },
  } as unknown as LayerChoice;
  const samples = {
    score: async () => {
      now += 1000;
      return RESULT;
    },
  } as unknown as TrialSamples;
  const ranking: LayerRanking = {
    layers: all.map((layer) => ({ ...layer, sqnrDb: 1, together: 1 })),
    samples: 1,
    trials: layers,
    passes: 1,
  };
  const time = new SearchTime(limitMs, () => now);
  return keepAccuracy(choice, { samples, judge: () => judgeKept(kept) }, async () => ranking, { time });
}

const atLeast =
  (needed: number) =>
  (kept: number): Judged => ({ verdict: kept >= needed ? 'pass' : 'fail', why: 'w' });

describe('the search for the fewest layers in FP32', () => {
  it('finds them without a limit of time, and leaves nothing out', async () => {
    const { kept, met, notTried } = await search(100, atLeast(23));
    expect([kept.length, met, notTried]).toEqual([23, true, undefined]);
  });

  it('takes larger steps where time is short, and says what it did not try', async () => {
    const { kept, met, notTried, steps } = await search(400, atLeast(23), 4000);
    expect(met).toBe(true);
    expect(kept.length).toBeGreaterThanOrEqual(23);
    expect(kept.length).toBeLessThan(400);
    expect(steps.length).toBeLessThanOrEqual(4);
    expect(notTried).toMatch(/^\d+ to \d+ layers in FP32$/);
  });

  it('delivers what would do where no choice is beyond doubt', async () => {
    const { kept, met, steps } = await search(8, (count) =>
      count >= 2 ? { verdict: 'fail', why: 'doubtful', wouldDo: true } : { verdict: 'fail', why: 'w' },
    );
    expect(met).toBe(true);
    expect(kept).toHaveLength(2);
    expect(steps.every(({ verdict }) => verdict === 'fail')).toBe(true);
  });

  it('ends unmet where nothing keeps the goal', async () => {
    const { met, kept } = await search(8, () => ({ verdict: 'fail', why: 'w' }));
    expect([met, kept.length]).toEqual([false, 8]);
  });
});
