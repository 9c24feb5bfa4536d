/** The tables of the three main commands, drawn from reports made by hand. */
import { describe, expect, it } from 'vitest';
import type { LatencyComparison } from '../../../src/bench/results.js';
import { renderCompare } from '../../../src/cli/render/compare-text.js';
import { renderInspect } from '../../../src/cli/render/inspect-text.js';
import { quantizeSummary, renderQuantize } from '../../../src/cli/render/quantize-text.js';
import { createStyle } from '../../../src/cli/render/style.js';
import type { ComparisonResult } from '../../../src/evaluate/comparison.js';
import type { CompareReport, InspectReport, QuantizeReport } from '../../../src/report/types.js';

const options = { style: createStyle(false), columns: undefined, verbosity: 0 };

const comparison: ComparisonResult = {
  source: { kind: 'data', name: 'calib.npz', first: 128 },
  samples: 64,
  outputs: [
    {
      name: 'logits',
      dataTypeA: 'float',
      dataTypeB: 'float',
      elements: 640,
      exactEqual: 0.1,
      shapeMismatches: 0,
      nonFinite: { a: 0, b: 2, lost: 2 },
      maxAbs: 0.1234,
      meanAbs: 0.0123,
      rmse: 0.02,
      sqnrDb: 31.24,
      cosine: 0.99987,
      top1Agreement: { value: 0.984375, n: 64, low: 0.92, high: 0.997 },
    },
  ],
  unmatched: { a: [], b: ['extra\x1b[2J'] },
  metrics: [
    {
      metric: 'top-1 accuracy',
      output: 'logits',
      higherIsBetter: true,
      a: { value: 0.9363, n: 1020, low: 0.92, high: 0.95 },
      b: { value: 0.9343, n: 1020, low: 0.92, high: 0.95 },
      difference: -0.002,
      explanation: 'labels are classes',
    },
  ],
  warnings: [],
};

const slower: LatencyComparison = {
  p50MsA: 10,
  p50MsB: 13,
  ratio: 1.3,
  ratioLow: 1.2,
  ratioHigh: 1.4,
  runs: 60,
  threads: 2,
  batchSize: 1,
};

const header = { schemaVersion: 2, version: '0.1.0', warnings: [], notes: [] } as const;

const quantizeReport: QuantizeReport = {
  ...header,
  command: 'quantize',
  requestedMode: 'auto',
  mode: 'static',
  input: { name: 'resnet50.onnx', sizeBytes: 97_800_000 },
  output: { name: 'resnet50.int8.onnx', sizeBytes: 25_100_000 },
  steps: [
    { pass: 'fold-batch-normalization', changes: 46, nodesBefore: 122, nodesAfter: 76 },
    { pass: 'quantize-static', changes: 0, nodesBefore: 76, nodesAfter: 76 },
  ],
  quantized: [
    { name: 'a', opType: 'Conv', weightBytes: 1_000_000 },
    { name: 'b', opType: 'MatMul', weightBytes: 500_000 },
    { name: 'c', opType: 'Conv', weightBytes: 1_000_000 },
  ],
  leftInFloat: [
    { name: 'head', opType: 'Gemm', weightBytes: 4000, reason: 'its weight is not constant' },
    { name: 'd', opType: 'Conv', weightBytes: 10, reason: 'excluded' },
    { name: 'e', opType: 'Conv', weightBytes: 20, reason: 'excluded' },
  ],
  calibration: { source: 'calib.npz', samples: 128, method: 'min-max' },
  verification: { structure: 'passed', loads: 'passed', runs: 'passed', comparison },
  accuracy: comparison,
  latency: { ...slower, p50MsA: 42.6, p50MsB: 14.8, ratio: 0.347, ratioLow: 0.33, ratioHigh: 0.36 },
};

describe('renderQuantize', () => {
  it('shows one table, what stays in float, the checks and the path', async () => {
    const text = await renderQuantize(quantizeReport, { ...options, outputPath: 'out/resnet50.int8.onnx' });
    expect(text).toMatchInlineSnapshot(`
      "resnet50.onnx    before  static INT8
      size            97.8 MB      25.1 MB  −74 %
      nodes               122           76  −38 %
      p50 latency     42.6 ms      14.8 ms  2.88× faster (95 %: 2.78–3.03)
      top-1 accuracy   93.6 %       93.4 %  −0.2 pt on 1020
      agreement                     98.4 %  same top-1 on 64 held-out samples, SQNR 31.2 dB, cosine 0.99987, 2 values lost to NaN or infinity

      Quantized 3 layers (Conv 2, MatMul 1) with 2.50 MB of weights
      Ranges of activations: min-max over 128 samples of calib.npz
      Stays in FP32:
        head (Gemm), 4.00 kB: its weight is not constant
        2 × Conv, 30 B: excluded
      Scored: labels are classes. Choose otherwise with --metric and --output-name.
      ✓ verified: read back, loaded and run beside the original in ONNX Runtime

      out/resnet50.int8.onnx"
    `);
  });

  it('lists every layer with -v', async () => {
    const text = await renderQuantize(quantizeReport, { ...options, verbosity: 1, outputPath: undefined });
    expect(text).toContain('  d (Conv), 10 B: excluded');
    expect(text).toContain('  e (Conv), 20 B: excluded');
  });

  it('says of FP16 what it is made for, and how it was compared', async () => {
    const { verification } = quantizeReport;
    const half = {
      ...quantizeReport,
      mode: 'fp16' as const,
      latency: { ...slower, ratio: 1.3 },
      verification: { ...verification, arithmetic: 'emulated half precision' as const },
    };
    const text = await renderQuantize(half, { ...options, columns: 300, outputPath: undefined });
    expect(text).toContain('▲ Made for GPUs; on this CPU 1.3× slower');
    expect(text).toContain(
      'compared in emulated half precision: every value rounded to FP16, sums inside one operator not',
    );
    const faster = { ...half, latency: { ...slower, ratio: 0.5, ratioLow: 0.4, ratioHigh: 0.6 } };
    expect(await renderQuantize(faster, { ...options, outputPath: undefined })).not.toContain('Made for GPUs');
    const onGpu = { ...half, latency: { ...half.latency, executionProviders: ['cuda'] } };
    expect(await renderQuantize(onGpu, { ...options, outputPath: undefined })).toContain('slower here');
  });

  it('says in plain words when the result is slower', async () => {
    const text = await renderQuantize({ ...quantizeReport, latency: slower }, { ...options, outputPath: undefined });
    expect(text).toContain(
      '▲ slower here: on this machine with 2 threads the result takes longer than the original (p50 10 ms → 13 ms)',
    );
    expect(text).toContain('1.3× slower (95 %: 1.2–1.4)');
  });

  it('claims no speed that the measurement does not show', async () => {
    const unclear = { ...slower, ratio: 0.98, ratioLow: 0.9, ratioHigh: 1.05 };
    const text = await renderQuantize({ ...quantizeReport, latency: unclear }, { ...options, outputPath: undefined });
    expect(text).toContain('no clear difference');
  });

  it('says what was not verified and why', async () => {
    const { comparison: _, ...rest } = quantizeReport.verification;
    const verification = { ...rest, loads: 'skipped', runs: 'skipped', reason: 'a string input' } as const;
    const { accuracy: _a, latency: _l, ...report } = quantizeReport;
    const text = await renderQuantize({ ...report, verification }, { ...options, outputPath: undefined });
    expect(text).toContain(
      '▲ not verified: the file was read back, but neither loaded nor run in ONNX Runtime: a string input',
    );
    expect(text).not.toContain('✓');
  });

  it('counts layers together whose reasons differ in a name only', async () => {
    const leftInFloat = ['x', 'y'].map((name) => ({
      name,
      opType: 'Conv',
      weightBytes: 500,
      reason: `no range was observed for "${name}"`,
    }));
    const text = await renderQuantize({ ...quantizeReport, leftInFloat }, { ...options, outputPath: undefined });
    expect(text).toContain('  2 × Conv, 1.00 kB: no range was observed for "…"');
  });

  it('ends in one line of the numbers that count', () => {
    expect(quantizeSummary(quantizeReport)).toBe(
      'resnet50.onnx 97.8 MB → 25.1 MB (−74 %) · 122 → 76 nodes · p50 42.6 ms → 14.8 ms · top-1 accuracy −0.2 pt',
    );
  });

  it('keeps to the width of a terminal', async () => {
    const reason = 'a reason that is longer than a line '.repeat(4).trim();
    const long = {
      ...quantizeReport,
      input: { name: `${'long'.repeat(30)}.onnx`, sizeBytes: 1 },
      leftInFloat: [{ name: 'layer', opType: 'Conv', weightBytes: 10, reason }],
      notes: [reason],
    };
    const text = await renderQuantize(long, { ...options, columns: 80, outputPath: undefined });
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(text.replace(/\s+/g, ' ')).toContain(reason);
  });
});

const compareReport: CompareReport = {
  ...header,
  command: 'compare',
  a: { name: 'a.onnx', sizeBytes: 1000 },
  b: { name: 'b.onnx', sizeBytes: 260, externalData: [{ name: 'b.data', sizeBytes: 40 }] },
  comparison,
};

describe('renderCompare', () => {
  const report = compareReport;

  it('shows both models, each output and the metrics', async () => {
    expect(await renderCompare(report, options)).toMatchInlineSnapshot(`
      "A  a.onnx  1.00 kB
      B  b.onnx    300 B  −70 %

      Outputs on 64 samples of calib.npz, from number 129
        output  type   max |A−B|  mean |A−B|     SQNR   cosine          same
        logits  float      0.123      0.0123  31.2 dB  0.99987  98.4 % top-1
        ▲ logits: 0 values of A and 2 of B are NaN or infinite
        ▲ only in B: extra\\x1b[2J

      Metrics
        metric          output       A       B      B−A     n
        top-1 accuracy  logits  93.6 %  93.4 %  −0.2 pt  1020
        Scored: labels are classes. Choose otherwise with --metric and --output-name."
    `);
  });

  it('says why outputs were not compared', async () => {
    const output = {
      name: 'ids',
      dataTypeA: 'int64',
      dataTypeB: 'float',
      elements: 0,
      exactEqual: Number.NaN,
      shapeMismatches: 3,
      nonFinite: { a: 0, b: 0, lost: 0 },
      incomparable: 'int64 against float',
    };
    const text = await renderCompare({ ...report, comparison: { ...comparison, outputs: [output] } }, options);
    expect(text).toContain('ids (int64 against float)');
    expect(text).toContain('▲ ids: shapes differ in 3 runs');
  });
});

describe('renderInspect', () => {
  const report: InspectReport = {
    ...header,
    command: 'inspect',
    model: { name: 'kws.onnx', sizeBytes: 139_772 },
    irVersion: 8,
    opsets: [{ domain: '', version: 17 }],
    producer: { name: 'pytorch', version: '2.1\x1b]0;owned\x07' },
    inputs: [{ name: 'mel', type: 'float[batch,1,32,64]' }],
    outputs: [{ name: 'logits', type: 'float[batch,10]' }],
    nodes: 2,
    ops: [
      { domain: '', opType: 'Conv', count: 1 },
      { domain: 'com.microsoft', opType: 'FusedConv', count: 1 },
    ],
    parameters: 34_000,
    weightBytesByType: [{ type: 'float', tensors: 4, bytes: 136_000 }],
    macs: { total: 5_200_000, unknownNodes: 1 },
    quantizable: [{ name: 'c', opType: 'Conv', weightBytes: 120_000 }],
    notQuantizable: [{ name: 'f', opType: 'FusedConv', weightBytes: 16_000, reason: 'not a standard operator' }],
    problems: [],
  };

  it('shows what the model is made of', async () => {
    expect(await renderInspect(report, options)).toMatchInlineSnapshot(`
      "kws.onnx 140 kB · IR 8 · ai.onnx 17 · from pytorch 2.1\\x1b]0;owned\\x07

      Inputs:
        mel  float[batch,1,32,64]
      Outputs:
        logits  float[batch,10]

      Size: 2 nodes · 34.0 k parameters · 5.20 M multiply-adds a run (1 node not counted: shape unknown)
        type   tensors   bytes
        float        4  136 kB

      Operators:
        Conv                      1
        com.microsoft::FusedConv  1

      INT8 with samples (--data): 1 layer (Conv 1) with 120 kB of weights
      Stays in FP32 with samples:
        f (FusedConv), 16.0 kB: not a standard operator"
    `);
  });

  it('cuts long lists unless asked for everything', async () => {
    const ops = Array.from({ length: 30 }, (_, index) => ({ domain: '', opType: `Op${index}`, count: 1 }));
    expect(await renderInspect({ ...report, ops }, options)).toContain('and 10 more: add -v');
    expect(await renderInspect({ ...report, ops }, { ...options, verbosity: 1 })).toContain('Op29');
  });
});

describe('on a narrow terminal', () => {
  it.each([40, 60, 80, 120])('verdicts stay whole at %i columns', async (columns) => {
    const narrow = { ...options, columns };
    const quantized = await renderQuantize(quantizeReport, { ...narrow, outputPath: undefined });
    const whole = await renderQuantize(quantizeReport, { ...options, outputPath: undefined });
    const compared = await renderCompare(
      { ...compareReport, latency: quantizeReport.latency as LatencyComparison },
      narrow,
    );
    for (const text of [quantized, compared])
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    const verdicts = /\d[\d.]*× (faster|slower) \([^)]*\)|[+−][\d.]+ pt on \d+|same top-1 on .*samples/g;
    expect(quantized.match(verdicts)).toEqual(whole.match(verdicts));
    expect(quantized.match(verdicts)?.length).toBeGreaterThan(1);
    expect(compared.replace(/\s+/g, ' ')).toMatch(/(faster|slower) \(95 %: [^)]*\)|no clear difference/);
  });
});
