/** Reports of `bench` for what draws and writes them: plain, swept, gated, hostile, of a server, cut short. */

import type { LatencyReport, QuantileReport, SegmentReport } from '../../src/bench/results.js';
import type { BenchReport, ConfigurationReport } from '../../src/report/bench-types.js';
import type { EnvironmentReport } from '../../src/runtime/environment.js';
import { createRandom } from '../../src/tensor/random.js';

const ENVIRONMENT: EnvironmentReport = {
  os: 'linux 6.1',
  architecture: 'x64',
  cpuModel: 'Example CPU @ 2.00GHz',
  logicalCores: 8,
  availableParallelism: 2,
  cpuQuota: 2,
  governor: 'performance',
  loadAverage: 0.35,
  memoryBytes: 16 * 2 ** 30,
  nodeVersion: '20.20.2',
  timerUs: 0.04,
};

/** Log-normal latencies of five processes around a median, with a slow start of the third. */
export function segmentsOf(medianMs: number, runs = 200, seed = 1): SegmentReport[] {
  return Array.from({ length: 5 }, (_, round) => {
    const random = createRandom(seed, round);
    const startMs: number[] = [];
    const latencyMs: number[] = [];
    let at = 0;
    for (let i = 0; i < runs; i++) {
      const slow = round === 2 && i < 20 ? 1.8 : 1;
      const ms = medianMs * slow * Math.exp(0.12 * random.normal()) * (random.integer(100) === 0 ? 3 : 1);
      startMs.push(at);
      latencyMs.push(ms);
      at += ms;
    }
    return { round, stream: 0, every: 1, startMs, latencyMs };
  });
}

function latencyOf(segments: readonly SegmentReport[]): LatencyReport {
  const all = segments.flatMap(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const at = (p: number): number => all[Math.max(0, Math.ceil(p * all.length) - 1)] ?? 0;
  const quantile = (probability: number): QuantileReport =>
    probability > 0.99
      ? { probability, why: 'needs 2,995 runs' }
      : {
          probability,
          ms: at(probability),
          lowMs: at(probability - 0.01),
          highMs: at(Math.min(1, probability + 0.008)),
        };
  return {
    runs: all.length,
    failures: 0,
    minMs: all[0] ?? 0,
    meanMs: all.reduce((sum, ms) => sum + ms, 0) / all.length,
    maxMs: all.at(-1) ?? 0,
    quantiles: [0.5, 0.9, 0.95, 0.99, 0.999].map(quantile),
    autocorrelation: 0.12,
    effectiveRuns: Math.round(all.length * 0.78),
    outliers: { mild: 21, severe: 9 },
    stable: true,
    processes: segments.map(({ latencyMs }) => ({
      runs: latencyMs.length,
      p50Ms: [...latencyMs].sort((a, b) => a - b)[latencyMs.length >> 1] ?? 0,
    })),
  };
}

/** One measured configuration. */
export function configuration(
  label: string,
  medianMs: number,
  more: Partial<ConfigurationReport> = {},
): ConfigurationReport {
  const segments = segmentsOf(medianMs);
  const start = { processMs: 62, libraryMs: 31, sessionMs: 48, firstRunMs: 1.9, totalMs: 142.9 };
  return {
    label,
    model: { name: 'model.onnx', sizeBytes: 25_100_000, sha256: 'a'.repeat(64) },
    executionProviders: ['cpu'],
    threads: 2,
    batchSize: 1,
    dims: [{ name: 'batch', size: 1 }],
    inputs: [{ name: 'input', type: 'float[1,3,32,32]' }],
    warmUp: { runs: 31, ms: 120, settled: true },
    latency: latencyOf(segments),
    throughput: { value: 1000 / medianMs, low: 980 / medianMs, high: 1010 / medianMs },
    coldStart: { starts: Array.from({ length: 5 }, () => start), median: start },
    memory: { peakBytes: 130_000_000, bareBytes: 82_000_000, modelBytes: 48_000_000 },
    noise: { cpuPerWall: 1.93, involuntarySwitches: 12, throttledPeriods: 0 },
    segments,
    ...more,
  };
}

const BASE: BenchReport = {
  schemaVersion: 2,
  command: 'bench',
  version: '0.1.0',
  onnxRuntimeVersion: '1.30.0',
  subject: 'models',
  environment: ENVIRONMENT,
  scenario: { kind: 'single-stream' },
  seed: 0,
  source: 'synthetic',
  configurations: [configuration('model.onnx', 4.2)],
  budgets: [],
  regressions: [],
  warnings: [],
  notes: [],
};

/** One configuration, no gates. */
export const PLAIN: BenchReport = BASE;

/** A sweep of threads and batch sizes with a Pareto front. */
export const SWEPT: BenchReport = {
  ...BASE,
  configurations: [1, 2].flatMap((threads) =>
    [1, 8].map((batchSize) =>
      configuration(
        `${threads} thread${threads > 1 ? 's' : ''} batch=${batchSize}`,
        (4.2 * batchSize ** 0.8) / threads ** 0.7,
        {
          threads,
          batchSize,
          dims: [{ name: 'batch', size: batchSize }],
          throughput: { value: (1000 * batchSize ** 0.2 * threads ** 0.7) / 4.2 },
          pareto: threads === 2,
        },
      ),
    ),
  ),
  suggestion: { configuration: '2 threads batch=8', why: 'most samples a second; 4 % more memory than the least' },
  warnings: ['4 threads are more than the 2 CPUs this process may use.'],
};

/** Gates of every verdict, and a regression. */
export const GATED: BenchReport = {
  ...BASE,
  budgets: [
    {
      configuration: 'model.onnx',
      metric: 'p99',
      budget: '10ms',
      limit: 10,
      unit: 'ms',
      wants: 'low',
      measured: 12.5,
      low: 11.9,
      high: 13.1,
      verdict: 'fail',
      why: '31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed',
    },
    {
      configuration: 'model.onnx',
      metric: 'throughput',
      budget: '200/s',
      limit: 200,
      unit: '/s',
      wants: 'high',
      measured: 238,
      low: 231,
      high: 244,
      verdict: 'pass',
      why: 'at least 231/s with 95 % confidence',
    },
    {
      configuration: 'model.onnx',
      metric: 'p99.9',
      budget: '20ms',
      limit: 20,
      unit: 'ms',
      wants: 'low',
      verdict: 'inconclusive',
      why: '0 of 1,000 runs over; needs 2,995 runs',
    },
    {
      configuration: 'model.onnx',
      metric: 'size',
      budget: '25MB',
      limit: 25e6,
      unit: 'bytes',
      wants: 'low',
      measured: 25_100_000,
      verdict: 'fail',
      why: '25.1 MB',
    },
  ],
  regressions: [
    {
      configuration: 'model.onnx',
      baseline: 'base.onnx',
      kind: 'model',
      ratio: { value: 1.101, low: 1.094, high: 1.109 },
      noise: 0.008,
      minEffect: 0.03,
      rounds: [
        { ratio: 1.1, selfRatio: 1.003, pairs: 60 },
        { ratio: 1.103, selfRatio: 0.998, pairs: 60 },
      ],
      hodgesLehmann: 1.1,
      wilcoxonP: 1e-9,
      verdict: 'fail',
      why: '10.1 % slower (95 %: 9.4-10.9 %)',
    },
  ],
  verdict: 'fail',
};

/** Names as an attacker would choose them. */
export const HOSTILE_NAMES = [
  '::error title=pwned::x',
  '##[command]rm -rf /',
  '</title><script>alert(1)</script>',
  ']]><failure/>',
  '\u001b[31mred\u001b]0;title\u0007',
  'a|b`c`\n\n# heading ![x](http://example.invalid/x.png) @everyone <!-- -->',
  '%0A::set-output name=x::y',
  '__proto__',
  'zero\u0000byte \u202egnp.exe \ud800',
  'javascript:alert(1)" onload="alert(1)',
] as const;

/** Every place where a name of a stranger can stand holds one of them. */
export function hostile(name: string): BenchReport {
  const one = configuration(name, 4.2, {
    model: { name, sizeBytes: 10, sha256: 'b'.repeat(64) },
    dims: [{ name, size: 3 }],
    inputs: [{ name, type: `float[${name}]` }],
    profile: {
      runs: 20,
      providers: [{ provider: name, nodes: 3, kernelMs: 1 }],
      operators: [{ opType: name, provider: name, nodes: 3, msPerRun: 1, share: 1 }],
      nodes: [{ name, opType: name, provider: name, msPerRun: 1, share: 1 }],
    },
    error: { code: 'SO5002', message: name },
  });
  return {
    ...GATED,
    source: name,
    configurations: [one],
    budgets: GATED.budgets.map((budget) => ({ ...budget, configuration: name, why: name })),
    regressions: GATED.regressions.map((each) => ({ ...each, configuration: name, baseline: name, why: name })),
    suggestion: { configuration: name, why: name },
    warnings: [name],
    notes: [name],
  };
}

/** A server of completions under an open loop. */
export const SERVER: BenchReport = {
  ...BASE,
  subject: 'server',
  scenario: { kind: 'server', ratePerSecond: 100, arrivals: 'poisson' },
  server: { protocol: 'openai', model: 'tiny', url: 'http://127.0.0.1:8000' },
  configurations: [
    configuration('tiny', 38, {
      executionProviders: [],
      tokens: {
        firstTokenMs: [
          { probability: 0.5, ms: 12 },
          { probability: 0.99, ms: 30 },
        ],
        perSecond: { value: 88, low: 80, high: 93 },
        total: 12_000,
      },
      responses: [
        { status: '200', count: 990 },
        { status: '503', count: 10 },
      ],
    }),
  ],
};

/** Stopped by a signal before anything was measured, and one that the runtime refused. */
export const CUT_SHORT: BenchReport = {
  ...BASE,
  configurations: [
    {
      label: 'cuda',
      executionProviders: ['cuda'],
      batchSize: 1,
      dims: [],
      inputs: [],
      error: { code: 'SO5005', message: 'Execution provider cuda is not available' },
    },
  ],
  interrupted: true,
};
