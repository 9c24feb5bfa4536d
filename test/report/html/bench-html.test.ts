import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LatencyReport, SegmentReport } from '../../../src/bench/results.js';
import type { BenchReport, ConfigurationReport } from '../../../src/report/bench-types.js';
import { benchHtml } from '../../../src/report/html/bench-html.js';
import { safeText } from '../../../src/report/safe-text.js';
import { createRandom } from '../../../src/tensor/random.js';
import { checkPage, drawingsOf, skeletonOf } from '../../helpers/check-page.js';
import { elementsNamed, textOf } from '../../helpers/read-markup.js';
import {
  CUT_SHORT,
  configuration,
  GATED,
  HOSTILE_NAMES,
  hostile,
  PLAIN,
  SERVER,
  SWEPT,
  segmentsOf,
} from '../bench-reports.js';

const ALL: readonly (readonly [string, BenchReport])[] = [
  ['plain', PLAIN],
  ['swept', SWEPT],
  ['gated', GATED],
  ['server', SERVER],
  ['cut short', CUT_SHORT],
  ['hostile', hostile('x')],
];

describe('benchHtml', () => {
  it.each(ALL)('writes a sound page: %s', (_name, report) => {
    checkPage(benchHtml(report));
  });

  it('writes the same bytes again', () => {
    expect(benchHtml(GATED)).toBe(benchHtml(structuredClone(GATED)));
  });

  it('forbids all but its one style sheet', () => {
    const page = checkPage(benchHtml(PLAIN));
    const [style] = elementsNamed(page, 'style');
    const hash = createHash('sha256').update(String(style?.children[0])).digest('base64');
    const policy = elementsNamed(page, 'meta').find(({ attributes }) => attributes.has('http-equiv'));
    expect(policy?.attributes.get('content')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
  });

  it('tells the verdict, each budget and each regression with its words', () => {
    const text = textOf(checkPage(benchHtml(GATED)));
    expect(text).toContain('Fail2 of 4 budgets broken, 1 inconclusive; slower than the baseline.');
    for (const { why, budget } of GATED.budgets) {
      expect(text).toContain(why);
      expect(text).toContain(budget);
    }
    expect(text).toContain('✗ fail');
    expect(text).toContain('✓ pass');
    expect(text).toContain('? inconclusive');
    expect(text).toContain('1.094–1.109');
  });

  it('names in the banner the gates that were broken, and no others', () => {
    const [header] = elementsNamed(checkPage(benchHtml(GATED)), 'header');
    if (header === undefined) throw new Error('the page has a header');
    const lines = elementsNamed(header, 'li').map(textOf);
    expect(lines).toContain(
      'p99 ≤ 10ms: measured 12.5 ms (95 %: 11.9–13.1 ms); 31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed',
    );
    expect(lines).toContain('size ≤ 25MB: measured 25.1 MB');
    expect(lines).toContain('model.onnx against base.onnx: 10.1 % slower (95 %: 9.4-10.9 %)');
    expect(lines.filter((line) => /throughput|p99\.9/.test(line))).toEqual([]);
  });

  it('names what could not be decided where that is the verdict', () => {
    const budgets = GATED.budgets.filter(({ verdict }) => verdict !== 'fail');
    const open = { ...GATED, budgets, regressions: [], verdict: 'inconclusive' } as const;
    const text = textOf(checkPage(benchHtml(open)));
    expect(text).toContain('p99.9 ≤ 20ms: 0 of 1,000 runs over; needs 2,995 runs');
    expect(text).not.toContain('throughput ≥ 200/s: ');
  });

  it('says why there is no verdict where the baseline is not comparable', () => {
    const why = 'it was measured on another CPU';
    const regression = { baseline: 'report.json', kind: 'report', minEffect: 0.03, rounds: [], why } as const;
    const regressions = [{ ...regression, configuration: 'model.onnx', verdict: 'not-comparable' } as const];
    const text = textOf(checkPage(benchHtml({ ...PLAIN, regressions })));
    expect(text).toContain('No verdict: not comparable with the baseline.');
    expect(text).toContain(why);
    expect(text).not.toContain('neither a budget nor a baseline');
  });

  it('draws what there is of one configuration', () => {
    expect(drawingsOf(checkPage(benchHtml(GATED)))).toEqual([
      'Latency of model.onnx over that of base.onnx',
      'Histogram of latencies of model.onnx',
      'Percentiles of latency of model.onnx',
      'Latency over time of model.onnx',
      'Latency over time of model.onnx',
      'Cold starts of model.onnx by part',
    ]);
  });

  it('draws no 99th percentile that is not known', () => {
    const lines = (report: BenchReport): number => benchHtml(report).split('class="p99"').length - 1;
    const [first, ...others] = SWEPT.configurations;
    if (first?.latency === undefined) throw new Error('the sample has latencies');
    const quantiles = first.latency.quantiles.map((each) =>
      each.probability < 0.99 ? each : { probability: each.probability, why: 'needs 299 runs' },
    );
    const few = { ...SWEPT, configurations: [{ ...first, latency: { ...first.latency, quantiles } }, ...others] };
    expect(lines(few)).toBe(lines(SWEPT) - 1);
  });

  it('compares several configurations first, and then opens the first only', () => {
    const page = checkPage(benchHtml(SWEPT));
    expect(drawingsOf(page).slice(0, 2)).toEqual([
      'Throughput over latency of all configurations',
      'Histograms of latency of the first configurations',
    ]);
    expect(elementsNamed(page, 'details').map(({ attributes }) => attributes.has('open'))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(textOf(page)).toContain('suggested');
  });

  it('shows what only a server has', () => {
    const page = checkPage(benchHtml(SERVER));
    const text = textOf(page);
    for (const part of [
      'window 1',
      'in 5 windows',
      'http://127.0.0.1:8000',
      'Poisson arrivals',
      '12,000',
      '503',
      '10 · 1 %',
    ]) {
      expect(text).toContain(part);
    }
    expect(drawingsOf(page)).toContain('Responses of tiny by status');
  });

  it('says that it was interrupted, and why nothing was measured', () => {
    const text = textOf(checkPage(benchHtml(CUT_SHORT)));
    expect(text).toContain('Nothing was measured');
    expect(text).toContain('Interrupted.');
    expect(text).toContain('Execution provider cuda is not available (SO5005)');
  });

  it('names the environment in full, with what few machines have', () => {
    const gpus = [{ name: 'Example GPU', driver: '550.1', memoryBytes: 80e9 }];
    const text = textOf(checkPage(benchHtml({ ...PLAIN, environment: { ...PLAIN.environment, gpus } })));
    for (const part of [
      'Example CPU @ 2.00GHz',
      'performance',
      '17.2 GB',
      '20.20.2',
      '0.04 µs',
      'Example GPU',
      '550.1',
    ]) {
      expect(text).toContain(part);
    }
  });
});

describe('benchHtml of hostile names', () => {
  const harmless = skeletonOf(checkPage(benchHtml(hostile('harmless'))));

  it.each(HOSTILE_NAMES)('is inert with %j', (name) => {
    const html = benchHtml(hostile(name));
    const page = checkPage(html);
    expect(skeletonOf(page)).toEqual(harmless);
    expect(textOf(page)).toContain(safeText(name));
    expect(html).not.toMatch(/[^\P{C}\n]/u);
  });

  it('is inert where JSON has other things than text', () => {
    const odd = { toString: () => '<script>', '#text': '<script>' } as unknown as string;
    const page = checkPage(benchHtml({ ...PLAIN, source: odd, notes: [odd] }));
    expect(textOf(page)).toContain('Notes<script>');
    expect(skeletonOf(page)).toEqual(skeletonOf(checkPage(benchHtml({ ...PLAIN, source: 'text', notes: ['text'] }))));
  });
});

describe('benchHtml of odd data', () => {
  const withLatency = (
    latency: Partial<LatencyReport>,
    segments: readonly SegmentReport[],
    more: Partial<ConfigurationReport> = {},
  ): BenchReport => {
    const one = configuration('odd', 4, { segments, ...more });
    const whole = one.latency;
    if (whole === undefined) throw new Error('no latency');
    return { ...PLAIN, configurations: [{ ...one, latency: { ...whole, ...latency } }] };
  };
  const segment = (latencyMs: readonly number[], startMs = latencyMs.map((_, i) => i)): SegmentReport => ({
    round: 0,
    stream: 0,
    every: 1,
    startMs,
    latencyMs,
  });

  it.each<readonly [string, BenchReport]>([
    ['one sample', withLatency({ runs: 1 }, [segment([3])])],
    ['no sample', withLatency({ runs: 0, quantiles: [], processes: [] }, [segment([])])],
    ['equal samples', withLatency({}, [segment(Array.from({ length: 50 }, () => 2.5))])],
    ['samples of no duration', withLatency({ minMs: 0, maxMs: 0 }, [segment([0, 0, 0], [0, 0, 0])])],
    ['one far outlier', withLatency({}, [segment([1, 1.1, 1.2, 1.1, 5e6])])],
    ['tiny times', withLatency({}, [segment([1e-5, 2e-5, 1.5e-5])])],
    [
      'not numbers',
      withLatency({ meanMs: Number.NaN, maxMs: Number.POSITIVE_INFINITY }, [
        segment([1, Number.NaN, 2, Number.POSITIVE_INFINITY, -1]),
      ]),
    ],
    ['nulls of JSON', withLatency({}, [segment([1, null as unknown as number, 2])])],
    ['quantiles without values', withLatency({ quantiles: [{ probability: 0.99, why: 'needs 299 runs' }] }, [])],
    [
      'an interval open upwards',
      withLatency(
        {
          quantiles: [
            { probability: 0.5, ms: 2, lowMs: 1 },
            { probability: 0.9, ms: 3, lowMs: 2 },
          ],
        },
        [segment([1, 2, 3])],
      ),
    ],
    [
      'an open loop of several streams',
      withLatency({}, [segment([1, 2]), { ...segment([2, 3]), stream: 1, every: 10 }]),
    ],
    [
      'no memory, no start, no noise',
      { ...PLAIN, configurations: [{ label: 'bare', executionProviders: [], batchSize: 1, dims: [], inputs: [] }] },
    ],
    ['no configuration', { ...PLAIN, configurations: [] }],
    [
      'empty starts',
      withLatency({}, [], {
        coldStart: {
          starts: [],
          median: { processMs: Number.NaN, libraryMs: 0, sessionMs: 0, firstRunMs: 0, totalMs: Number.NaN },
        },
      }),
    ],
    ['an empty profile', withLatency({}, [], { profile: { runs: 0, providers: [], operators: [], nodes: [] } })],
    [
      'shares of nothing',
      withLatency({}, [], {
        profile: {
          runs: 1,
          providers: [{ provider: 'CPU', nodes: 0, kernelMs: 0 }],
          operators: [{ opType: 'Add', provider: 'CPU', nodes: 0, msPerRun: Number.NaN, share: Number.NaN }],
          nodes: [],
        },
      }),
    ],
    [
      'a regression without a ratio',
      {
        ...GATED,
        regressions: [
          {
            configuration: 'a',
            baseline: 'b',
            kind: 'report',
            minEffect: 0.03,
            rounds: [],
            verdict: 'not-comparable',
            why: 'another CPU',
          },
        ],
      },
    ],
    [
      'a ratio of no number',
      {
        ...GATED,
        regressions: GATED.regressions.map((each) => ({ ...each, ratio: { value: Number.NaN }, noise: Number.NaN })),
      },
    ],
    [
      'a ratio of exactly 1',
      {
        ...GATED,
        regressions: GATED.regressions.map((each) => ({
          ...each,
          ratio: { value: 1, low: 1, high: 1 },
          minEffect: 0,
          noise: 0,
          rounds: [],
        })),
      },
    ],
    [
      'a throughput of no number',
      {
        ...SWEPT,
        configurations: SWEPT.configurations.map((each) => ({
          ...each,
          throughput: { value: Number.POSITIVE_INFINITY },
        })),
      },
    ],
    [
      'equal points',
      {
        ...SWEPT,
        configurations: Array.from({ length: 12 }, (_, i) => ({
          ...configuration(`same ${i}`, 4),
          throughput: { value: 5 },
        })),
      },
    ],
    [
      'budgets of no number',
      {
        ...GATED,
        budgets: GATED.budgets.map((each) => ({
          ...each,
          limit: Number.NaN,
          measured: Number.NaN,
          low: Number.NEGATIVE_INFINITY,
        })),
      },
    ],
    [
      'labels of 200 characters',
      {
        ...SWEPT,
        configurations: SWEPT.configurations.map((each, i) => ({ ...each, label: `${'long-'.repeat(40)}${i}` })),
      },
    ],
  ])('draws %s', (_name, report) => {
    const page = checkPage(benchHtml(report));
    expect(textOf(page)).not.toMatch(/undefined|\[object|NaN ms|null/);
  });

  it('keeps why a percentile has no value', () => {
    const report = withLatency({ quantiles: [{ probability: 0.99, why: 'needs 299 runs' }] }, []);
    expect(textOf(checkPage(benchHtml(report)))).toContain('needs 299 runs');
  });

  it('stays small with 100,000 samples', () => {
    const random = createRandom(7);
    const segments = Array.from({ length: 5 }, (_, round) => {
      const latencyMs = Array.from({ length: 20_000 }, () => 4 * Math.exp(0.2 * random.normal()));
      let at = 0;
      const startMs = latencyMs.map((ms) => {
        at += ms;
        return at - ms;
      });
      return { round, stream: 0, every: 1, startMs, latencyMs };
    });
    expect(benchHtml(withLatency({}, segments)).length).toBeLessThan(150_000);
  });

  it('stays small with 50 configurations', () => {
    const configurations = Array.from({ length: 50 }, (_, i) =>
      configuration(`${'long-'.repeat(40)}${1 + i} threads`, 2 + i, {
        segments: segmentsOf(2 + i, 400, i),
        profile: {
          runs: 20,
          providers: [{ provider: 'CPUExecutionProvider', nodes: 100, kernelMs: 30 }],
          operators: Array.from({ length: 30 }, (_, k) => ({
            opType: `Operator${k}`,
            provider: 'CPUExecutionProvider',
            nodes: 3,
            msPerRun: 1 / (k + 1),
            share: 0.2 / (k + 1),
          })),
          nodes: Array.from({ length: 100 }, (_, k) => ({
            name: `/encoder/layer.${k}/attention/self/query/MatMul`,
            opType: 'MatMul',
            provider: 'CPUExecutionProvider',
            msPerRun: 1 / (k + 1),
            share: 0.2 / (k + 1),
          })),
        },
        pareto: i < 3,
      }),
    );
    const html = benchHtml({ ...SWEPT, configurations });
    checkPage(html);
    expect(html.length).toBeLessThan(1_500_000);
  });
});
