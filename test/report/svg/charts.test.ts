import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binSamples } from '../../../src/report/svg/bins.js';
import { histogram } from '../../../src/report/svg/histogram.js';
import { placeLabels } from '../../../src/report/svg/label-places.js';
import { percentileCurve } from '../../../src/report/svg/percentile-curve.js';
import { ratioPlot } from '../../../src/report/svg/ratio-plot.js';
import { sortedLatencies } from '../../../src/report/svg/samples.js';
import { stackedBars } from '../../../src/report/svg/stacked-bars.js';
import { timeline } from '../../../src/report/svg/timeline.js';
import { tradeOff } from '../../../src/report/svg/trade-off.js';
import { allElements, type ReadElement, readMarkup, textOf } from '../../helpers/read-markup.js';

function drawn(markup: object): ReadElement {
  return readMarkup(`<!doctype html>\n${markup}`);
}

function withClass(drawing: ReadElement, style: string): readonly ReadElement[] {
  return allElements(drawing).filter(({ attributes }) => (attributes.get('class') ?? '').split(' ').includes(style));
}

function numberOf(element: ReadElement | undefined, attribute: string): number {
  return Number(element?.attributes.get(attribute));
}

describe('sortedLatencies', () => {
  it('leaves out what is no time', () => {
    const latencyMs = [3, Number.NaN, 1, -1, Number.POSITIVE_INFINITY, null as unknown as number, 2];
    expect([...sortedLatencies([{ round: 0, stream: 0, every: 1, startMs: [], latencyMs }])]).toEqual([1, 2, 3]);
  });
});

describe('binSamples', () => {
  it('counts every sample once, on either axis', () => {
    const samples = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(samples, fc.constantFrom('linear' as const, 'log' as const), (values, kind) => {
        const sorted = Float64Array.from(values).sort();
        const { bins } = binSamples(sorted, kind);
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(sorted.length);
        expect(bins.length).toBeLessThanOrEqual(60);
        expect(bins[0]?.low).toBeCloseTo(sorted[0] ?? 0, 6);
      }),
    );
  });

  it('puts equal samples into one bin', () => {
    expect(binSamples(Float64Array.of(2, 2, 2), 'linear').bins).toEqual([{ low: 2, high: 2, count: 3 }]);
  });
});

describe('histogram', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, i) => 4 + i / 100);

  it('draws percentiles and budgets at their place, whatever the order', () => {
    const drawing = drawn(
      histogram({
        label: 'h',
        sorted,
        marks: [
          { name: 'budget', ms: 4.9, style: 'budget' },
          { name: 'p50', ms: 4.5, style: 'quantile' },
        ],
      }),
    );
    const [bar] = withClass(drawing, 'mark');
    const place = (style: string): number =>
      Number(
        /^M([\d.]+)/.exec(
          allElements(withClass(drawing, style)[0] ?? drawing)
            .find(({ name }) => name === 'path')
            ?.attributes.get('d') ?? '',
        )?.[1],
      );
    expect(place('quantile')).toBeGreaterThan(numberOf(bar, 'x'));
    expect(place('budget')).toBeGreaterThan(place('quantile'));
    expect(textOf(drawing)).toContain('budget');
  });

  it('leaves out a budget that is far away, rather than press the samples together', () => {
    const mark = { name: 'budget', ms: 1000, style: 'budget' } as const;
    expect(withClass(drawn(histogram({ label: 'h', sorted, marks: [mark] })), 'budget')).toEqual([]);
  });

  it('lets no line run over a name that stands to its left', () => {
    const drawing = drawn(
      histogram({
        label: 'h',
        sorted,
        marks: [
          { name: 'p99', ms: 4.9, style: 'quantile' },
          { name: 'a long budget', ms: 4.985, style: 'budget' },
        ],
      }),
    );
    const height = (text: string): number =>
      numberOf(
        allElements(drawing).find((each) => each.name === 'text' && textOf(each) === text),
        'y',
      );
    expect(height('a long budget')).toBeLessThan(height('p99'));
  });

  it('keeps names of lines apart', () => {
    const marks = [4.5, 4.51, 4.52, 4.9].map((ms, i) => ({ name: `mark ${i}`, ms, style: 'quantile' as const }));
    const drawing = drawn(histogram({ label: 'h', sorted, marks }));
    const names = allElements(drawing).filter((each) => each.name === 'text' && textOf(each).startsWith('mark'));
    expect(new Set(names.slice(1).map((name) => name.attributes.get('y'))).size).toBe(3);
  });
});

describe('percentileCurve', () => {
  it('draws the points that have values, and dashes what has too few runs', () => {
    const sorted = Float64Array.from({ length: 1000 }, (_, i) => 1 + i / 1000);
    const quantiles = [
      { probability: 0.5, ms: 1.5, lowMs: 1.4, highMs: 1.6 },
      { probability: 0.99, ms: 1.99, lowMs: 1.98 },
      { probability: 0.999, why: 'needs 2,995 runs' },
    ];
    const drawing = drawn(percentileCurve({ label: 'p', sorted, quantiles }));
    expect(withClass(drawing, 'point')).toHaveLength(2);
    expect(withClass(drawing, 'curve')).toHaveLength(2);
    expect(withClass(drawing, 'unsure')).toHaveLength(1);
    expect(withClass(drawing, 'band')).toHaveLength(1);
    expect(textOf(drawing)).toContain('p99: 1.99 ms (95 %: ≥ 1.98 ms)');
    expect(textOf(drawing)).toContain('99.9');
  });
});

describe('the band of a percentile curve', () => {
  it('holds the curve between two percentiles, however that bends', () => {
    const sorted = Float64Array.from({ length: 2000 }, (_, i) => (i < 1900 ? 1 + i / 1e5 : 8 + i / 1e4));
    const at = (p: number): number => sorted[Math.ceil(p * 2000) - 1] ?? 0;
    const quantiles = [0.5, 0.9, 0.99].map((probability) => {
      const ms = at(probability);
      return { probability, ms, lowMs: ms * 0.9, highMs: ms * 1.2 };
    });
    const drawing = drawn(percentileCurve({ label: 'p', sorted, quantiles }));
    const pointsOf = (style: string): readonly (readonly [number, number])[] =>
      [...(withClass(drawing, style)[0]?.attributes.get('d') ?? '').matchAll(/([\d.]+) ([\d.]+)/g)].map(
        ([, x, y]) => [Number(x), Number(y)] as const,
      );
    const band = pointsOf('band');
    const half = band.length / 2;
    const [upper, lower] = [band.slice(0, half), band.slice(half).reverse()];
    const curve = pointsOf('curve');
    let compared = 0;
    for (const [i, [x, top]] of upper.entries()) {
      const near = curve.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));
      if (Math.abs(near[0] - x) > 0.5) continue;
      compared++;
      expect(near[1]).toBeGreaterThanOrEqual(top - 0.1);
      expect(near[1]).toBeLessThanOrEqual((lower[i]?.[1] ?? 0) + 0.1);
    }
    expect(compared).toBeGreaterThan(quantiles.length);
  });
});

describe('timeline', () => {
  const many = Array.from({ length: 50_000 }, (_, i) => (i === 31_234 ? 90 : 4 + (i % 7) / 10));
  const segment = { round: 0, stream: 0, every: 1, startMs: many.map((_, i) => i * 4), latencyMs: many };

  it('thins many requests and loses no outlier', () => {
    const [path] = withClass(
      drawn(timeline({ label: 't', segments: [segment], kind: 'linear', roundName: 'process' })),
      'envelope',
    );
    const data = path?.attributes.get('d') ?? '';
    expect(data.length).toBeLessThan(15_000);
    const tops = [...data.matchAll(/V([\d.]+)/g)].map(([, top]) => Number(top));
    // One column reaches the upper end of the axis.
    expect(tops.filter((top) => top < 60)).toHaveLength(1);
  });

  it('draws few requests one by one, and processes apart', () => {
    const few = (round: number) => ({ round, stream: 0, every: 1, startMs: [0, 5, 10], latencyMs: [5, 5, 6] });
    const drawing = drawn(timeline({ label: 't', segments: [few(1), few(0)], kind: 'linear', roundName: 'process' }));
    const paths = withClass(drawing, 'dots').map(({ attributes }) => attributes.get('d') ?? '');
    expect(paths.map((data) => data.match(/h0/g)?.length)).toEqual([3, 3]);
    const [first, second] = withClass(drawing, 'ground');
    expect(textOf(first ?? drawing)).toBe('process 1: 3 requests in 16 ms');
    expect(numberOf(second, 'x')).toBeGreaterThan(numberOf(first, 'x') + numberOf(first, 'width'));
  });

  it('puts streams of one process over each other', () => {
    const stream = (number: number) => ({ round: 0, stream: number, every: 1, startMs: [0, 5], latencyMs: [5, 5] });
    expect(
      withClass(
        drawn(timeline({ label: 't', segments: [stream(0), stream(1)], kind: 'linear', roundName: 'process' })),
        'ground',
      ),
    ).toHaveLength(1);
  });
});

describe('stackedBars', () => {
  it('puts parts side by side, as long as they are', () => {
    const drawing = drawn(
      stackedBars({
        label: 's',
        parts: ['a', 'b'],
        bars: [
          { name: 'one', values: [10, 30], total: 41 },
          { name: 'broken', values: [Number.NaN, -5] },
        ],
        format: (value) => `${value} in all`,
        axis: { name: 'ms', format: String },
      }),
    );
    const [a, b, ...others] = withClass(drawing, 'mark');
    expect(others).toEqual([]);
    expect(numberOf(b, 'x')).toBeCloseTo(numberOf(a, 'x') + numberOf(a, 'width'));
    expect(numberOf(b, 'width')).toBeCloseTo(3 * numberOf(a, 'width'));
    expect(textOf(drawing)).toContain('41 in all');
  });
});

describe('ratioPlot', () => {
  it('draws the interval, 1, the bands and each round', () => {
    const drawing = drawn(
      ratioPlot('r', {
        ratio: { value: 1.1, low: 1.05, high: 1.15 },
        noise: 0.01,
        minEffect: 0.03,
        rounds: [
          { ratio: 1.1, selfRatio: 1, pairs: 60 },
          { ratio: 1.11, pairs: 60 },
        ],
      }),
    );
    const marks = (style: string): number => withClass(drawing, style).filter(({ name }) => name !== 'g').length;
    expect([marks('round-dot'), marks('self-dot'), marks('one'), withClass(drawing, 'interval').length]).toEqual([
      2, 1, 1, 1,
    ]);
    const bands = allElements(drawing).filter(({ name, children }) => name === 'rect' && children.length > 0);
    const widths = bands.map((band) => numberOf(band, 'width'));
    expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(Math.log(1.03) / Math.log(1.01), 1);
  });

  it.each([
    ['noise above 100 %', { ratio: { value: 1.1, low: 0.4, high: 3 }, noise: 1.6, rounds: [{ ratio: 2, pairs: 3 }] }],
    ['a result twenty times as fast', { ratio: { value: 0.05 }, noise: 0.02, rounds: [] }],
    ['a result twenty times as slow', { ratio: { value: 20 }, minEffect: 0.03, rounds: [] }],
  ])('has an axis of ratios above 0: %s', (_name, data) => {
    const drawing = drawn(ratioPlot('r', data));
    const axis = withClass(drawing, 'axis').map(textOf).join(' ');
    expect(axis).not.toMatch(/[-−]\d|(^|\D)0(?![.\d])/);
    for (const band of allElements(drawing).filter(({ name }) => name === 'rect'))
      expect(numberOf(band, 'x')).toBeGreaterThanOrEqual(0);
  });

  it('draws half and twice as far from 1', () => {
    const drawing = drawn(ratioPlot('r', { rounds: [0.5, 1, 2].map((ratio) => ({ ratio, pairs: 1 })) }));
    const [half = 0, one = 0, twice = 0] = withClass(drawing, 'round-dot').map((dot) => numberOf(dot, 'cx'));
    expect(one - half).toBeCloseTo(twice - one, 1);
  });
});

describe('tradeOff', () => {
  const point = (number: number, latencyMs: number, perSecond: number, isBest: boolean) => ({
    number,
    label: `setting ${number}`,
    latencyMs,
    perSecond,
    memoryBytes: number * 1e6,
    isBest,
    isSuggested: number === 2,
  });

  it('connects the front and marks what is suggested', () => {
    const drawing = drawn(tradeOff('t', [point(1, 1, 10, true), point(2, 2, 20, true), point(3, 3, 15, false)]));
    expect(withClass(drawing, 'front')[0]?.attributes.get('d')).toMatch(/^M[\d. ]+L[\d. ]+$/);
    expect(withClass(drawing, 'best')).toHaveLength(2);
    expect(withClass(drawing, 'suggested')).toHaveLength(1);
    for (const number of [1, 2, 3]) expect(textOf(drawing)).toContain(`setting ${number}`);
  });

  it('labels what it can of very many, and says all in tooltips', () => {
    const points = Array.from({ length: 60 }, (_, i) => point(i + 1, 5 + (i % 8) / 10, 50 + (i % 9), false));
    const drawing = drawn(tradeOff('t', points));
    expect(withClass(drawing, 'spot')).toHaveLength(60);
    expect(textOf(drawing)).toContain('#60 setting 60: p50');
  });
});

describe('placeLabels', () => {
  it('never puts one over another, nor outside', () => {
    const place = fc.record({ x: fc.integer({ min: 0, max: 500 }), y: fc.integer({ min: 0, max: 300 }) });
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 30 }), (places) => {
        const wishes = places.map((at, i) => ({ ...at, radius: 5, texts: [`a longer label ${i}`, `#${i}`] }));
        const labels = placeLabels(wishes, { left: 0, right: 500, top: 0, bottom: 300 }).flatMap(
          (label) => label ?? [],
        );
        const boxes = labels.map(({ text, x, y, anchor }) => {
          const width = text.length * 8;
          const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
          return { left, right: left + width, top: y - 10, bottom: y + 2 };
        });
        for (const [i, a] of boxes.entries()) {
          expect(a.left >= 0 && a.right <= 500 && a.top >= 0 && a.bottom <= 300).toBe(true);
          for (const b of boxes.slice(i + 1)) {
            expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
          }
        }
      }),
    );
  });

  it('keeps off a line', () => {
    const line = [
      { x: 0, y: 50 },
      { x: 300, y: 50 },
    ];
    const [label] = placeLabels(
      [{ x: 100, y: 50, radius: 4, texts: ['on the line'] }],
      { left: 0, right: 300, top: 0, bottom: 100 },
      line,
    );
    expect(Math.abs((label?.y ?? 50) - 50)).toBeGreaterThan(8);
  });
});
