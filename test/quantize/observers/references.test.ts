/** Ranges against straightforward calibrators: `scripts/make-observer-references.py` makes the expected values from the same formulas. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entropyWindow } from '../../../src/quantize/observers/entropy.js';
import { type ObserverName, observed, observedRange } from '../../../src/quantize/observers/index.js';
import { TensorStatistics } from '../../../src/quantize/observers/tensor-statistics.js';
import { S8_ACTIVATIONS, U8_ACTIVATIONS } from '../../../src/quantize/scheme.js';

const COUNT = 200_000;
const BINS = 2048;

function uniform(seed: number): Float64Array {
  let state = seed;
  return new Float64Array(COUNT).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

const [u, v, w] = [uniform(1), uniform(2), uniform(3)];
const bell = u.map((each, i) => (each + (v[i] as number) + (w[i] as number) - 1.5) * 2);
const CASES: Readonly<Record<string, Float32Array>> = {
  bell: Float32Array.from(bell),
  rectified: Float32Array.from(bell, (each) => Math.max(each, 0)),
  outliers: Float32Array.from(bell, (each, i) => each * ((u[i] as number) < 0.0005 ? 8 : 1)),
  flat: Float32Array.from(u, (each) => each * 4 - 1),
};

type Expected = Readonly<Record<'percentile' | 'symmetricPercentile' | 'entropy', readonly [number, number]>>;
const EXPECTED = JSON.parse(readFileSync(join(import.meta.dirname, 'references.json'), 'utf8')) as Record<
  string,
  Expected
>;

describe.each(Object.entries(CASES))('%s values', (name, values) => {
  const statistics = new TensorStatistics();
  for (let at = 0; at < COUNT; at += 7919) statistics.observe(values.subarray(at, at + 7919));
  const seen = observed(statistics.data());
  // A bin of the reference spans no more than this.
  const bin = (2 * Math.max(-seen.min, seen.max)) / BINS;

  it.each([
    ['percentile', 'percentile', U8_ACTIVATIONS],
    ['percentile', 'symmetricPercentile', S8_ACTIVATIONS],
    ['entropy', 'entropy', U8_ACTIVATIONS],
  ] as const)('give %s the range of the reference within one bin (%s)', (observer: ObserverName, key, scheme) => {
    const [min, max] = EXPECTED[name]?.[key] ?? [Number.NaN, Number.NaN];
    const range = observedRange(seen, observer, scheme);
    expect(Math.abs(range.max - max)).toBeLessThanOrEqual(bin * 1.001);
    expect(Math.abs(range.min - Math.max(min, seen.min))).toBeLessThanOrEqual(bin * 1.001);
  });
});

describe('entropyWindow', () => {
  it('equals the search window by window and bin by bin', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const noise = uniform(seed);
      const counts = new Float64Array(256).map((_, i) =>
        Math.floor(1000 * Math.exp(-(((i - 128) / (20 * seed)) ** 2)) * (noise[i] as number)),
      );
      expect(entropyWindow(counts, 16)).toBe(slowWindow(counts, 16));
    }
  });
});

/** The definition. */
function slowWindow(counts: Float64Array, levels: number): number {
  const half = counts.length / 2;
  const sum = (values: Iterable<number>) => [...values].reduce((total, each) => total + each, 0);
  let best = half;
  let least = Number.POSITIVE_INFINITY;
  for (let width = levels / 2; width <= half; width++) {
    const inside = [...counts.subarray(half - width, half + width)];
    const p = [...inside];
    p[0] = (p[0] as number) + sum(counts.subarray(0, half - width));
    p[p.length - 1] = (p.at(-1) as number) + sum(counts.subarray(half + width));
    const perLevel = Math.floor(p.length / levels);
    const total = sum(p);
    const within = sum(inside);
    let divergence = within > 0 ? 0 : Number.POSITIVE_INFINITY;
    for (let level = 0; level < levels; level++) {
      const start = level * perLevel;
      const end = level === levels - 1 ? p.length : start + perLevel;
      const used = p.slice(start, end).filter((each) => each > 0);
      const q = Math.max(sum(inside.slice(start, end)) / used.length / within, 1e-10);
      for (const each of used) divergence += (each / total) * Math.log(each / total / q);
    }
    if (divergence < least - 1e-12) {
      least = divergence;
      best = width;
    }
  }
  return best;
}
