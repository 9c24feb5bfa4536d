import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScale, linearScale, logScale, scaleKind } from '../../../src/report/svg/scale.js';

describe('scales', () => {
  it('place the ends at the ends, and cut off what lies outside', () => {
    const scale = linearScale(2, 12, [0, 100]);
    expect([2, 7, 12, 20, -5].map(scale.at)).toEqual([0, 50, 100, 100, 0]);
    expect(logScale(1, 100, [0, 100]).at(10)).toBeCloseTo(50);
    expect(linearScale(0, 10, [100, 0]).at(2.5)).toBe(75);
  });

  it('have round numbers as ticks', () => {
    expect(linearScale(0, 1, [0, 1]).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearScale(0.93, 1.12, [0, 1], 6).ticks).toEqual([0.95, 1, 1.05, 1.1]);
    expect(logScale(1, 200, [0, 1]).ticks).toEqual([1, 3, 10, 30, 100]);
    expect(logScale(1.5, 12, [0, 1]).ticks).toEqual([2, 5, 10]);
    expect(logScale(1e-3, 1e9, [0, 1], 5).ticks).toEqual([1e-3, 1, 1e3, 1e6, 1e9]);
    expect(logScale(4.2, 4.9, [0, 1], 4).ticks).toEqual([4.2, 4.4, 4.6, 4.8]);
  });

  it('have a length even for one value', () => {
    for (const value of [0, 5, -3, Number.NaN]) {
      const { low, high, at } = linearScale(value, value, [0, 10]);
      expect(low).toBeLessThan(high);
      expect(Number.isFinite(at((low + high) / 2))).toBe(true);
    }
    expect(logScale(5, 5, [0, 10]).at(5)).toBeCloseTo(5);
  });

  it('come to an end where two values differ by rounding only', () => {
    for (const kind of ['linear', 'log'] as const) {
      const { ticks, at } = createScale(kind, 1e12, 1e12 + 1e-3, [0, 10]);
      expect(ticks.length).toBeLessThan(8);
      expect(at(1e12)).toBeCloseTo(5, 0);
    }
  });

  it('are logarithmic for a long tail only', () => {
    expect(scaleKind(1, 1.2, 3)).toBe('linear');
    expect(scaleKind(1, 1.2, 30)).toBe('log');
    expect(scaleKind(0, 1.2, 30)).toBe('linear');
    expect(createScale('log', 0, 10, [0, 1]).kind).toBe('linear');
  });

  it('keep ticks few and within their ends', () => {
    const positive = fc.double({ min: 1e-9, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(
        positive,
        positive,
        fc.constantFrom('linear', 'log'),
        fc.integer({ min: 3, max: 8 }),
        (a, b, kind, n) => {
          const scale = createScale(kind, Math.min(a, b), Math.max(a, b), [0, 100], n);
          expect(scale.ticks.length).toBeLessThanOrEqual(n + 2);
          for (const tick of scale.ticks) {
            expect(tick).toBeGreaterThanOrEqual(scale.low - (scale.high - scale.low) * 1e-6);
            expect(tick).toBeLessThanOrEqual(scale.high + (scale.high - scale.low) * 1e-6);
          }
        },
      ),
    );
  });
});
