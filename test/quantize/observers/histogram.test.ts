import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedKernels } from '../../../scripts/gen-kernels.js';
import { Histogram } from '../../../src/quantize/observers/histogram.js';
import { histogramKernels } from '../../../src/tensor/histogram-kernels.js';
import { createRandom } from '../../../src/tensor/random.js';

describe('the loops of histograms', () => {
  it('are compiled from histogram.wat', async () => {
    const text = readFileSync(new URL('../../../src/tensor/histogram.generated.ts', import.meta.url), 'utf8');
    expect(text, 'run `node scripts/gen-kernels.js`').toBe(await generatedKernels('histogram'));
  });

  it('are those of SIMD here', () => {
    expect(histogramKernels()).toBeDefined();
  });
});

/** Numbers so many that they are counted in blocks, with what is rare among them. */
const CASES: Readonly<Record<string, (random: ReturnType<typeof createRandom>, index: number) => number>> = {
  'both signs': (random) => random.normal(),
  'no sign': (random) => Math.max(0, random.normal()),
  'rising sizes': (random, index) => random.normal() * 2 ** Math.floor(index / 5000),
  'all sizes': (random) => random.normal() * 2 ** (random.integer(250) - 125),
  'subnormal numbers': (random) => (random.integer(2001) - 1000) * 2 ** -149,
  'the largest numbers': (random) => (random.integer(2) === 0 ? 1 : -1) * 3.4028234663852886e38,
  zeros: (_, index) => (index % 2 === 0 ? 0 : -0),
  'numbers that are none': (random, index) =>
    index % 7919 === 0 ? Number.NaN : index % 6007 === 0 ? Number.NEGATIVE_INFINITY : random.normal(),
  'edges of bins': (random) => (random.integer(65537) - 32768) * 2 ** -15,
};

describe('a histogram of many numbers', () => {
  it.each(Object.keys(CASES))('is that of their parts: %s', (name) => {
    const random = createRandom(name.length);
    const values = Float32Array.from({ length: 70_003 }, (_, index) =>
      (CASES[name] as (typeof CASES)[string])(random, index),
    );
    const whole = new Histogram();
    const parts = new Histogram();
    const seen = whole.observe(values);
    const nan = values.filter(Number.isNaN).length;
    const finite = [...values.filter(Number.isFinite)];
    expect(seen).toEqual({
      min: finite.reduce((a, b) => Math.min(a, b)),
      max: finite.reduce((a, b) => Math.max(a, b)),
      nan,
      infinite: values.length - nan - finite.length,
    });
    for (let from = 0; from < values.length; from += 1000) parts.observe(values.subarray(from, from + 1000));
    expect(whole.data()).toEqual(parts.data());
    // And the loop for other types of numbers, which says what a bin is in so many words.
    const plain = new Histogram();
    plain.observe(Float64Array.from(values));
    expect(whole.data()).toEqual(plain.data());
    expect(whole.data().counts.reduce((sum, count) => sum + count, 0)).toBe(finite.length);
  });
});
