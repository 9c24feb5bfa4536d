import { describe, expect, it } from 'vitest';
import { bencherMetricFormat, githubActionBenchmark, openMetrics } from '../../../src/report/ci/dashboards.js';
import { CI_FORMATS, ciDocumentPath } from '../../../src/report/ci/formats.js';
import { metricPoints, withoutNoise } from '../../../src/report/ci/metric-points.js';
import { CUT_SHORT, configuration, GATED, hostile, PLAIN, SERVER, SWEPT } from '../bench-reports.js';
import { NAMES, REPORTS } from './hostile.js';

/** `family{name="value",…} number`, escapes as OpenMetrics has them. */
const SAMPLE = /^([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?[\d.e+-]+)$/;

function readMetrics(text: string): readonly { family: string; labels: Map<string, string>; value: number }[] {
  const lines = text.split('\n');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  return lines.slice(0, -2).flatMap((line) => {
    if (/^# (?:TYPE [a-z_]+ gauge|HELP [a-z_]+ .+)$/.test(line)) return [];
    const [, family = '', labels = '', value] = SAMPLE.exec(line) ?? [];
    expect(family, line).not.toBe('');
    const pairs = [...labels.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, key = '', text = '']) => [key, text.replace(/\\(.)/g, '$1')] as const,
    );
    return [{ family, labels: new Map(pairs), value: Number(value) }];
  });
}

describe('withoutNoise', () => {
  it('leaves out digits that no clock has', () => {
    expect([0.06179199999999696, 279512989, 4653056, 0].map(withoutNoise)).toEqual([0.061792, 279512989, 4653056, 0]);
    expect(withoutNoise(Number.NaN)).toBeNaN();
  });
});

describe('githubActionBenchmark', () => {
  it('has what should shrink in one document and what should grow in the other', () => {
    const { smaller, bigger } = githubActionBenchmark(GATED);
    expect(JSON.parse(bigger)).toEqual([
      {
        name: 'model.onnx throughput',
        unit: '/s',
        value: 238.095238095,
        range: '233.3 to 240.5',
        extra: 'serve-opt 0.1.0, Example CPU @ 2.00GHz',
      },
    ]);
    const names = (JSON.parse(smaller) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual([
      'model.onnx latency-p50',
      'model.onnx latency-p90',
      'model.onnx latency-p95',
      'model.onnx latency-p99',
      'model.onnx memory',
      'model.onnx cold-start',
      'model.onnx size',
    ]);
  });

  it('is an empty list where nothing was measured', () => {
    expect(githubActionBenchmark(CUT_SHORT)).toEqual({ smaller: '[]\n', bigger: '[]\n' });
  });

  it('keeps names apart', () => {
    const { smaller } = githubActionBenchmark(SWEPT);
    const names = (JSON.parse(smaller) as { name: string }[]).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('bencherMetricFormat', () => {
  it('gives the median in nanoseconds as Bencher has it, with bounds', () => {
    const { latency, ...rest } = JSON.parse(bencherMetricFormat(PLAIN))['model.onnx'];
    expect(latency.value).toBeCloseTo(4_215_516, -1);
    expect(latency.lower_value).toBeLessThanOrEqual(latency.value);
    expect(latency.upper_value).toBeGreaterThanOrEqual(latency.value);
    expect(Object.keys(rest)).toEqual([
      'latency-p90',
      'latency-p95',
      'latency-p99',
      'throughput',
      'memory',
      'cold-start',
      'file-size',
    ]);
    for (const measure of Object.keys(rest)) expect(measure).toMatch(/^[a-z0-9-]+$/);
  });

  it('takes a name like that of a prototype as a name', () => {
    const text = bencherMetricFormat({ ...PLAIN, configurations: [configuration('__proto__', 4.2)] });
    expect(Object.keys(JSON.parse(text))).toEqual(['__proto__']);
  });
});

describe('openMetrics', () => {
  it('gives seconds and bytes with quantiles as labels', () => {
    const samples = readMetrics(openMetrics(SERVER));
    const p99 = samples.find(
      ({ family, labels }) => family === 'serve_opt_latency_seconds' && labels.get('quantile') === '0.99',
    );
    expect(p99?.value).toBeCloseTo(0.0825, 4);
    expect(samples.find(({ family }) => family === 'serve_opt_first_token_seconds')?.value).toBe(0.012);
    expect(samples.find(({ family }) => family === 'serve_opt_tokens_per_second')?.value).toBe(88);
  });

  it('keeps the lines of one family together', () => {
    const families = readMetrics(openMetrics(SWEPT)).map(({ family }) => family);
    const runs = families.filter((family, index) => family !== families[index - 1]);
    expect(new Set(runs).size).toBe(runs.length);
  });
});

describe('every format', () => {
  it('has a name, an extension and a first document for the path itself', () => {
    expect(CI_FORMATS.map(({ flag }) => flag)).toEqual([
      'junit',
      'markdown',
      'github-benchmark',
      'bencher',
      'openmetrics',
    ]);
    for (const { make, documents, extension } of CI_FORMATS) {
      expect(extension).toMatch(/^\.[a-z]+$/);
      expect(documents[0]).toBe('');
      for (const report of Object.values(REPORTS)) {
        expect(make(report)).toHaveLength(documents.length);
        for (const text of make(report)) expect(text.endsWith('\n')).toBe(true);
      }
    }
  });

  it.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 60), name]))('keeps %s inert', (_title, name) => {
    const report = hostile(name);
    for (const { make } of CI_FORMATS) {
      for (const text of make(report)) {
        expect(text).not.toMatch(/^\s*::|##\[/m);
        expect(text).not.toContain('\u001b');
        expect(text).not.toContain('\u202e');
        expect(/\p{Surrogate}/u.test(text)).toBe(false);
      }
    }
    const points = metricPoints(report).length;
    const { smaller, bigger } = githubActionBenchmark(report);
    expect(JSON.parse(smaller).length + JSON.parse(bigger).length).toBe(points);
    expect(`${smaller}${bigger}`).not.toMatch(/[`|<>]/);
    expect(Object.keys(JSON.parse(bencherMetricFormat(report)))).toHaveLength(1);
    expect(readMetrics(openMetrics(report))).toHaveLength(points);
  });
});

describe('ciDocumentPath', () => {
  it.each([
    ['bench.json', '', 'bench.json'],
    ['out.d/bench.json', '.bigger', 'out.d/bench.bigger.json'],
    ['out.d/bench', '.bigger', 'out.d/bench.bigger'],
    ['C:\\a.b\\bench', '.bigger', 'C:\\a.b\\bench.bigger'],
  ])('puts %s with "%s" at %s', (path, infix, expected) => {
    expect(ciDocumentPath(path, infix)).toBe(expected);
  });
});
