/** The answer of `bench` at three widths, from the sample reports. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benchSummary, renderBench } from '../../../src/cli/render/bench-text.js';
import { createStyle } from '../../../src/cli/render/style.js';
import type { BenchReport } from '../../../src/report/bench-types.js';
import type { ProfileReport } from '../../../src/runtime/profile.js';
import {
  CUT_SHORT,
  configuration,
  GATED,
  HOSTILE_NAMES,
  hostile,
  PLAIN,
  SERVER,
  SWEPT,
} from '../../report/bench-reports.js';

const options = { style: createStyle(false), columns: 80, verbosity: 0 } as const;
const REPORTS = { PLAIN, SWEPT, GATED, SERVER, CUT_SHORT } as const;

const profile: ProfileReport = {
  runs: 20,
  providers: [
    { provider: 'CUDAExecutionProvider', nodes: 120, kernelMs: 3 },
    { provider: 'CPUExecutionProvider', nodes: 3, kernelMs: 1 },
  ],
  operators: Array.from({ length: 12 }, (_none, index) => ({
    opType: ['Conv', 'MatMul', 'Softmax'][index % 3] ?? '',
    provider: index === 2 ? 'CPUExecutionProvider' : 'CUDAExecutionProvider',
    nodes: 40 - index,
    msPerRun: 2 / (index + 1),
    share: 0.4 / (index + 1),
  })),
  nodes: [{ name: '/a/Conv', opType: 'Conv', provider: 'CUDAExecutionProvider', msPerRun: 0.2, share: 0.1 }],
};

describe('renderBench', () => {
  it('shows one configuration as a block', async () => {
    expect(await renderBench(PLAIN, options)).toMatchInlineSnapshot(`
      "model.onnx 25.1 MB · cpu · 2 threads · batch 1
      fed input float[1,3,32,32] (synthetic, seed 0)
      one request at a time; closed loop, so percentiles exclude queueing

      Latency      1,000 runs in 5 fresh processes, 780 effective
                        95 % interval
        p50    4.22 ms  4.20–4.22 ms
        p90    4.99 ms  4.94–5.04 ms
        p95    5.30 ms  5.20–5.42 ms
        p99    9.12 ms  7.81–13.9 ms
        p99.9        –  needs 2,995 runs
        2.84 ms ▁▁▁▂▃▄█▇███▇▆▅▄▂▂▁▁▁▁▁▁ ▁   ▁  ▁ ▁▁▁▁▁   8.43 ms, 1.5 % up to 14.8 ms

      Throughput   238/s    95 %: 233–240/s
      Memory       48.0 MB  over the bare runtime: peak 130 MB less 82.0 MB of a
                   process with a tiny session
      Cold start   143 ms   process 62, library 31, session 48, first run 1.9 ms"
    `);
  });

  it('shows several as a table, with the front and a suggestion', async () => {
    expect(await renderBench(SWEPT, options)).toMatchInlineSnapshot(`
      "   configuration          p50      p99  throughput   memory  cold start
         1 thread batch=1   4.22 ms  9.12 ms       238/s  48.0 MB      143 ms
         1 thread batch=8   22.2 ms  48.1 ms       361/s  48.0 MB      143 ms
      ◆  2 threads batch=1  2.59 ms  5.62 ms       387/s  48.0 MB      143 ms
      ◆  2 threads batch=8  13.7 ms  29.6 ms       586/s  48.0 MB      143 ms

      ◆ nothing else is better in latency, throughput and memory at once
      one request at a time; closed loop, so percentiles exclude queueing

      → take 2 threads batch=8: most samples a second; 4 % more memory than the least"
    `);
  });

  it('shows the shapes of latencies on a wide terminal', async () => {
    expect(await renderBench(SWEPT, { ...options, columns: 120 })).toMatchInlineSnapshot(`
      "   configuration          p50      p99  throughput   memory  cold start  latencies
         1 thread batch=1   4.22 ms  9.12 ms       238/s  48.0 MB      143 ms   ▁█▁▁▁▁▁▁
         1 thread batch=8   22.2 ms  48.1 ms       361/s  48.0 MB      143 ms          ▁▁▃▇█▇▄▂
      ◆  2 threads batch=1  2.59 ms  5.62 ms       387/s  48.0 MB      143 ms  ▁█▁▁▁▁
      ◆  2 threads batch=8  13.7 ms  29.6 ms       586/s  48.0 MB      143 ms       ▁▄█▆▂▁▁▁▁▁▁

      ◆ nothing else is better in latency, throughput and memory at once
      one request at a time; closed loop, so percentiles exclude queueing

      → take 2 threads batch=8: most samples a second; 4 % more memory than the least"
    `);
  });

  it('has no columns for what cannot be seen of a server', async () => {
    const { memory, coldStart, ...one } = configuration('digits', 4.2);
    expect([memory, coldStart]).not.toContain(undefined);
    const configurations = [1, 8].map((n) => ({ ...one, label: `concurrency=${n}`, pareto: true }));
    const text = await renderBench({ ...SERVER, configurations }, { ...options, columns: undefined });
    expect(text).not.toMatch(/memory|cold start/);
    expect(text).toContain('nothing else is better in latency and throughput at once');
  });

  it('draws beyond the median where no tail is known', async () => {
    const one = configuration('model.onnx', 4.2);
    if (one.latency === undefined) throw new Error('the sample has latencies');
    const quantiles = one.latency.quantiles.map(({ probability, ...rest }) =>
      probability > 0.5 ? { probability, why: 'needs more runs' } : { probability, ...rest },
    );
    const few = { ...one, latency: { ...one.latency, quantiles } };
    const text = await renderBench({ ...PLAIN, configurations: [few] }, { ...options, columns: undefined });
    const line = text.split('\n').find((each) => each.includes('█'));
    expect(line).toContain('█');
    expect(line).not.toMatch(/\d\d\.\d % up to/);
  });

  it('leaves out columns rather than the ends of names, and draws a shorter line, on a narrow terminal', async () => {
    const narrow = { ...options, columns: 60 };
    const configurations = SWEPT.configurations.map((each) => ({ ...each, label: `model.onnx ${each.label}` }));
    const report = { ...SWEPT, configurations };
    const text = await renderBench(report, narrow);
    expect(text.slice(0, text.indexOf('→'))).toMatchInlineSnapshot(`
      "   configuration                     p50  throughput
         model.onnx 1 thread batch=1   4.22 ms       238/s
         model.onnx 1 thread batch=8   22.2 ms       361/s
      ◆  model.onnx 2 threads batch=1  2.59 ms       387/s
      ◆  model.onnx 2 threads batch=8  13.7 ms       586/s

      ◆ nothing else is better in latency, throughput and memory
        at once
      no room for p99, memory, cold start: add -v, or widen the
        terminal
      one request at a time; closed loop, so percentiles exclude
        queueing

      "
    `);
    const all = await renderBench(report, { ...narrow, columns: 100 });
    expect(all).toContain('cold start');
    expect(all).not.toContain('no room for');
    const lines = (await renderBench(PLAIN, narrow)).split('\n');
    expect(lines.find((line) => line.includes('█'))).toMatchInlineSnapshot(
      `"  2.84 ms ▁▁▃▇▇█▆▄▂▁▁▁▁  ▁▁▁▁▁  8.43 ms, 1.5 % up to 14.8 ms"`,
    );
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  it('ends in gates and an unmistakable verdict', async () => {
    const text = await renderBench(GATED, options);
    expect(text.slice(text.indexOf('Budgets'))).toMatchInlineSnapshot(`
      "Budgets
           budget              measured  95 % interval  verdict
        ✗  p99 ≤ 10ms           12.5 ms  11.9–13.1 ms   FAIL
            31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed
        ✓  throughput ≥ 200/s     238/s  231–244/s      pass
            at least 231/s with 95 % confidence
        ▲  p99.9 ≤ 20ms               –                 inconclusive
            0 of 1,000 runs over; needs 2,995 runs
        ✗  size ≤ 25MB          25.1 MB                 FAIL

      Against the baseline
                                         latency  95 % interval    verdict
        ✗  model.onnx against base.onnx  +10.1 %  +9.4 to +10.9 %  FAIL
            10.1 % slower (95 %: 9.4-10.9 %); noise 0.8 %, counts from 3 %

      ✗ FAIL  2 of 4 budgets broken, 1 inconclusive; slower than the baseline"
    `);
  });

  it('keeps each gate on one line of a pipe', async () => {
    const text = await renderBench(GATED, { ...options, columns: undefined });
    expect(text.slice(text.indexOf('Budgets'))).toMatchInlineSnapshot(`
      "Budgets
           budget              measured  95 % interval  verdict
        ✗  p99 ≤ 10ms           12.5 ms  11.9–13.1 ms   FAIL          31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed
        ✓  throughput ≥ 200/s     238/s  231–244/s      pass          at least 231/s with 95 % confidence
        ▲  p99.9 ≤ 20ms               –                 inconclusive  0 of 1,000 runs over; needs 2,995 runs
        ✗  size ≤ 25MB          25.1 MB                 FAIL

      Against the baseline
                                         latency  95 % interval    verdict
        ✗  model.onnx against base.onnx  +10.1 %  +9.4 to +10.9 %  FAIL     10.1 % slower (95 %: 9.4-10.9 %); noise 0.8 %, counts from 3 %

      ✗ FAIL  2 of 4 budgets broken, 1 inconclusive; slower than the baseline"
    `);
  });

  it('shows tokens, answers and what an open loop counts', async () => {
    const text = await renderBench(SERVER, options);
    expect(text).toContain('tiny 25.1 MB · openai at http://127.0.0.1:8000');
    expect(text).toContain('open loop, latency from the time a request was due');
    expect(text).toContain('First token  12.0 ms        p50, p99 30.0 ms');
    expect(text).toContain('Tokens       88/s           in one response, 95 %: 80–93/s; 12,000 in all');
    expect(text).toContain('Responses    200: 990 · 503: 10');
  });

  it('says first that it was interrupted', async () => {
    expect(await renderBench(CUT_SHORT, options)).toMatchInlineSnapshot(`
      "▲ interrupted: these are partial results

      cuda · batch 1
      one request at a time; closed loop, so percentiles exclude queueing

      ✗ SO5005 Execution provider cuda is not available"
    `);
    expect(await renderBench({ ...CUT_SHORT, configurations: [] }, options)).toContain('Nothing was measured.');
  });

  it('adds the machine, processes, outliers and warm-up with -v', async () => {
    const text = await renderBench(GATED, { ...options, verbosity: 1 });
    expect(text).toContain('outliers 21 mild, 9 severe (kept); lag-1 autocorrelation 0.12');
    expect(text).toContain('p50 of each process: 4.22 ms, ');
    expect(text).toContain('warm-up 31 runs, 120 ms');
    expect(text).toContain("5 starts, 143–143 ms; files in the system's cache");
    expect(text).toContain('Machine      Example CPU @ 2.00GHz · 8 logical cores, 2 to use · quota of 2 ·');
    expect(text).toContain('2 processes: +10.0 % (itself +0.3 %), +10.3 % (itself −0.2 %)');
    expect(text.split('\n').at(-1)).toMatch(/^✗ FAIL {2}/);
  });

  it('shows where the graph ran and what took the time', async () => {
    const { noise: _, ...cuda } = configuration('model.onnx cuda', 0.42, {
      executionProviders: ['cuda'],
      providersUsed: profile.providers,
      profile,
    });
    const text = await renderBench({ ...PLAIN, configurations: [cuda] }, options);
    expect(text).toContain('Ran on       CUDA 120 nodes · CPU 3 nodes\n');
    expect(text.slice(text.indexOf('Profile'))).toMatchInlineSnapshot(`
      "Profile of 20 runs, operators by time
        operator  nodes  on      a run   share
        Conv         40  CUDA  2.00 ms  40.0 %  ██████▍
        MatMul       39  CUDA  1.00 ms  20.0 %  ███▎
        Softmax      38  CPU    667 µs  13.3 %  ██▏
        Conv         37  CUDA   500 µs  10.0 %  █▋
        MatMul       36  CUDA   400 µs     8 %  █▎
        Softmax      35  CUDA   333 µs   6.7 %  █▏
        Conv         34  CUDA   286 µs   5.7 %  ▉
        MatMul       33  CUDA   250 µs     5 %  ▊
        Softmax      32  CUDA   222 µs   4.4 %  ▊
        Conv         31  CUDA   200 µs     4 %  ▋
        and 2 more"
    `);
    const inVain = { ...cuda, providersUsed: profile.providers.slice(1) };
    const other = await renderBench({ ...PLAIN, configurations: [inVain] }, options);
    expect(other).toContain('CPU 3 nodes: nothing ran on the requested provider');
  });

  it('says in sentences what the sensors of noise mean, and only then', async () => {
    expect(await renderBench(PLAIN, options)).not.toContain('▲');
    const one = configuration('model.onnx', 4.2, {
      threads: 1,
      noise: { cpuPerWall: 0.61, involuntarySwitches: 900, throttledPeriods: 14 },
      warmUp: { runs: 80, ms: 10_000, settled: false },
    });
    if (one.latency === undefined) throw new Error('the sample has latencies');
    const noisy = {
      ...one,
      latency: {
        ...one.latency,
        failures: 3,
        autocorrelation: 0.61,
        effectiveRuns: 240,
        stable: false,
        processes: [
          { runs: 500, p50Ms: 4.1 },
          { runs: 500, p50Ms: 4.9 },
        ],
      },
    };
    const text = await renderBench({ ...PLAIN, configurations: [noisy] }, { ...options, columns: undefined });
    expect(text.split('\n').filter((line) => line.startsWith('▲'))).toMatchInlineSnapshot(`
      [
        "▲ 3 of 1,000 requests failed; each counts as over every budget",
        "▲ it had 0.61 CPUs for 1 thread: something else ran here, and latencies are higher than on a quiet machine",
        "▲ the container was throttled in 14 periods: the tail shows its CPU quota, not the model",
        "▲ warm-up did not settle in 80 runs: early runs may be slower than later ones",
        "▲ not stable: medians of the last three windows differ by over 10 %; measure longer, or on a quieter machine",
        "▲ noise came in bursts: 1,000 runs carry only as much information as 240 independent ones",
        "▲ processes differ: p50 from 4.10 to 4.90 ms; compare models over several processes only",
      ]
    `);
    const table = await renderBench({ ...SWEPT, configurations: [noisy, one] }, options);
    expect(table).toContain('▲ model.onnx: 3 of 1,000 requests failed');
    expect(table).toContain('more such findings: add -v');
  });

  it('does not say that windows differ where there are too few runs to fill them', async () => {
    const one = configuration('model.onnx', 4.2);
    if (one.latency === undefined) throw new Error('the sample has latencies');
    const few = { ...one, latency: { ...one.latency, runs: 2, effectiveRuns: 2, stable: false } };
    const text = await renderBench({ ...PLAIN, configurations: [few] }, { ...options, columns: undefined });
    expect(text).toContain('too few runs (2) to decide whether latency is stable');
    expect(text).not.toContain('last three windows');
  });

  it('asks for the model where an earlier report cannot tell, and not for more time', async () => {
    const regressions = GATED.regressions.map(
      (each) => ({ ...each, kind: 'report', verdict: 'inconclusive' }) as const,
    );
    const report = { ...GATED, budgets: [], regressions, verdict: 'inconclusive' } as const;
    expect(await renderBench(report, { ...options, columns: undefined })).toContain('give the model as --baseline');
    const both = { ...report, regressions: regressions.map((each) => ({ ...each, kind: 'model' }) as const) };
    expect(await renderBench(both, { ...options, columns: undefined })).toContain('a larger --max-time');
    const other = regressions.map(({ ratio, noise, ...rest }) => ({ ...rest, verdict: 'not-comparable' }) as const);
    const apart = { ...report, regressions: other, verdict: 'inconclusive' } as const;
    expect(await renderBench(apart, { ...options, columns: undefined })).not.toContain('counts from');
    const cut = { ...both, interrupted: true } as const;
    expect(await renderBench(cut, { ...options, columns: undefined })).toContain('too little data, it was interrupted');
  });

  it('says that processes differ where that is what makes runs worth less', async () => {
    const one = configuration('model.onnx', 4.2);
    if (one.latency === undefined) throw new Error('the sample has latencies');
    const apart = { ...one, latency: { ...one.latency, runs: 200_000, effectiveRuns: 44 } };
    const text = await renderBench({ ...PLAIN, configurations: [apart] }, options);
    expect(text).toContain('200,000 runs in 5 processes, which differ: 44 effective');
  });

  it('keeps an error in the row of its configuration, with what was measured before', async () => {
    const error = { code: 'SO5003', message: 'The process that ran the model died with signal SIGSEGV after 31 runs' };
    const configurations = [
      ...SWEPT.configurations,
      ...CUT_SHORT.configurations,
      configuration(`${'long/'.repeat(20)}model.onnx`, 2, { error }),
    ];
    const text = await renderBench({ ...SWEPT, configurations }, options);
    expect(text).toContain('   cuda\n      ✗ SO5005 Execution provider cuda is not available\n');
    expect(text).toMatch(/long\/long\S*… +2\.01 ms .*\n {6}✗ SO5003 The process that ran/);
    const pipe = await renderBench({ ...SWEPT, configurations }, { ...options, columns: undefined });
    expect(pipe).toMatch(/\n {3}cuda +✗ SO5005 Execution provider cuda is not available\n/);
  });

  it.each([
    ['pass', '✓ PASS  all 4 budgets met; not slower than the baseline'],
    ['inconclusive', '▲ INCONCLUSIVE  4 of 4 budgets inconclusive; unclear against the baseline'],
    ['fail', '✗ FAIL  4 of 4 budgets broken; slower than the baseline'],
  ] as const)('ends in the verdict %s', async (verdict, words) => {
    const report: BenchReport = {
      ...GATED,
      budgets: GATED.budgets.map((budget) => ({ ...budget, verdict })),
      regressions: GATED.regressions.map((each) => ({ ...each, verdict })),
      verdict,
    };
    const last = (await renderBench(report, { ...options, columns: undefined })).split('\n').at(-1);
    expect(last?.startsWith(words)).toBe(true);
  });

  it('does without block characters where they may be missing', async () => {
    const text = await renderBench(PLAIN, { ...options, ascii: true });
    expect(text).not.toMatch(/[▁-█]/);
    expect(text).toMatch(/2\.84 ms [.:\-=+*#@ ]{40} 8\.43 ms/);
  });

  const everything: readonly (readonly [string, BenchReport])[] = [
    ...Object.entries(REPORTS),
    ...HOSTILE_NAMES.map((name) => [JSON.stringify(name), hostile(name)] as const),
  ];
  it.each(everything)('keeps %s within 80 and 120 columns, and escapes what it was given', async (_title, report) => {
    for (const columns of [80, 120]) {
      for (const verbosity of [0, 1]) {
        const text = await renderBench(report, { style: createStyle(true), columns, verbosity });
        const lines = stripVTControlCharacters(text).split('\n');
        // A word longer than a line is left to the terminal.
        const wide = lines.filter((line) => [...line].length > columns && line.trim().includes(' '));
        expect(wide.filter((line) => !/\S{40}/.test(line))).toEqual([]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
        expect(lines.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }
    }
  });

  it('draws reports of any numbers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1e7, noNaN: false }), async (ms) => {
        const text = await renderBench({ ...GATED, configurations: [configuration('m', ms)] }, options);
        expect(text).not.toMatch(/undefined|NaN/);
      }),
      { numRuns: 30 },
    );
  });
});

describe('benchSummary', () => {
  it.each([
    [PLAIN, 'model.onnx · p50 4.22 ms · p99 9.12 ms · 238/s · 48.0 MB'],
    [SWEPT, '4 configurations · 2 threads batch=8 · p50 13.7 ms · p99 29.6 ms · 586/s · 48.0 MB'],
    [
      GATED,
      'model.onnx · p50 4.22 ms · p99 9.12 ms · 238/s · 48.0 MB · fail: 2 of 4 budgets broken, 1 inconclusive; slower than the baseline',
    ],
    [SERVER, 'tiny · p50 38.1 ms · p99 82.5 ms · 26.3 tokens/s · 48.0 MB'],
    [CUT_SHORT, 'interrupted · cuda · Execution provider cuda is not available'],
    [{ ...PLAIN, configurations: [] }, 'nothing was measured'],
  ])('is one line of the figures that count', (report, line) => {
    expect(benchSummary(report)).toBe(line);
  });
});
