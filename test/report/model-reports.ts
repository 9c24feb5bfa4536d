/** Reports of the commands that make or compare models, for what draws them. Every place of a name holds the same one. */

import type { LatencyComparison } from '../../src/bench/results.js';
import type { ComparisonResult } from '../../src/evaluate/comparison.js';
import type { BudgetReport } from '../../src/gates/budget-report.js';
import type { CompareReport, OptimizeReport, QuantizeReport } from '../../src/report/types.js';

const LATENCY: LatencyComparison = {
  p50MsA: 42.6,
  p50MsB: 14.8,
  ratio: 0.347,
  ratioLow: 0.33,
  ratioHigh: 0.36,
  runs: 60,
  threads: 2,
  batchSize: 1,
};

function header(name: string) {
  return { schemaVersion: 2, version: '0.1.0', onnxRuntimeVersion: '1.30.0', warnings: [name], notes: [name] } as const;
}

function comparison(name: string): ComparisonResult {
  return {
    source: { kind: 'data', name, first: 128 },
    samples: 64,
    outputs: [
      {
        name,
        dataTypeA: 'float',
        dataTypeB: 'float',
        elements: 640,
        exactEqual: 0.1,
        shapeMismatches: 3,
        nonFinite: { a: 0, b: 2, lost: 2 },
        maxAbs: 0.1234,
        meanAbs: 0.0123,
        rmse: 0.02,
        sqnrDb: 31.24,
        cosine: 0.99987,
        top1Agreement: { value: 0.984375, n: 64, low: 0.92, high: 0.997 },
        divergence: { value: 0.00213, n: 64, low: 0.0012, high: 0.0031 },
        measure: { kind: 'classes', because: name },
      },
      {
        name: `${name}2`,
        dataTypeA: 'float',
        dataTypeB: 'int64',
        elements: 0,
        exactEqual: Number.NaN,
        shapeMismatches: 0,
        nonFinite: { a: 0, b: 0, lost: 0 },
        incomparable: name,
      },
      {
        name: `${name}3`,
        dataTypeA: 'float',
        dataTypeB: 'float',
        elements: 4,
        exactEqual: 1,
        shapeMismatches: 0,
        nonFinite: { a: 0, b: 0, lost: 0 },
        sqnrDb: Number.POSITIVE_INFINITY,
      },
    ],
    unmatched: { a: [name], b: [name] },
    metrics: [
      {
        metric: 'top-1 accuracy',
        output: name,
        higherIsBetter: true,
        a: { value: 0.9363, n: 1020, low: 0.92, high: 0.95 },
        b: { value: 0.9343, n: 1020, low: 0.92, high: 0.95 },
        difference: -0.002,
        explanation: name,
      },
    ],
    changedAnswers: {
      count: 31,
      first: [
        { sample: 128, label: '3', a: '3', b: '5' },
        { sample: 131, position: 2, label: name, a: name, b: name },
      ],
    },
    warnings: [name],
  };
}

/** A budget of each verdict. */
function budgets(name: string): BudgetReport[] {
  const of = { configuration: name, why: name } as const;
  return [
    {
      ...of,
      metric: 'drop',
      budget: '1%',
      limit: 0.01,
      unit: 'ratio',
      wants: 'low',
      measured: 0.002,
      low: -0.004,
      high: 0.008,
      verdict: 'pass',
    },
    { ...of, metric: 'sqnr', budget: '40dB', limit: 40, unit: 'dB', wants: 'high', measured: 31.24, verdict: 'fail' },
    {
      ...of,
      metric: 'speed-up',
      budget: '2.9x',
      limit: 2.9,
      unit: 'x',
      wants: 'high',
      measured: 2.88,
      low: 2.78,
      high: 3.03,
      verdict: 'inconclusive',
    },
    {
      ...of,
      metric: 'macs',
      budget: '300M',
      limit: 3e8,
      unit: 'count',
      wants: 'low',
      measured: 5_487_552,
      verdict: 'pass',
    },
  ];
}

export function compareReport(name: string): CompareReport {
  return {
    ...header(name),
    command: 'compare',
    a: { name, sizeBytes: 97_800_000, sha256: 'a'.repeat(64), externalData: [{ name, sizeBytes: 12 }] },
    b: { name: `${name}.int8`, sizeBytes: 25_100_000 },
    comparison: comparison(name),
    latency: LATENCY,
    budgets: budgets(name),
    verdict: 'fail',
  };
}

export function quantizeReport(name: string): QuantizeReport {
  return {
    ...header(name),
    command: 'quantize',
    requestedMode: 'auto',
    mode: 'static',
    input: { name, sizeBytes: 97_800_000 },
    output: { name: `${name}.int8`, sizeBytes: 25_100_000 },
    steps: [
      { pass: 'fold-batch-normalization', changes: 46, nodesBefore: 122, nodesAfter: 76 },
      { pass: 'quantize-static', changes: 0, nodesBefore: 76, nodesAfter: 76, refused: name },
    ],
    quantized: [
      { name, opType: 'Conv', weightBytes: 1_000_000 },
      { name, opType: name, weightBytes: 500_000 },
    ],
    leftInFloat: [
      { name, opType: 'Gemm', weightBytes: 4000, reason: name },
      { name, opType: name, weightBytes: 0, reason: 'excluded' },
    ],
    calibration: {
      source: name,
      samples: 128,
      method: 'min-max',
      observer: 'minmax',
      tried: [
        { ranges: 'minmax', samples: 64, sqnrDb: [31, 30.5], agreement: 0.98 },
        { ranges: 'auto', failed: name },
      ],
      tensors: [
        { name, observer: 'minmax', min: -1, max: 4, seenMin: -1, seenMax: 4, expectedError: 0.0001 },
        { name, observer: 'mse', min: 0, max: 2, seenMin: -1, seenMax: 9, expectedError: 0.0002 },
        { name, observer: 'minmax', min: 0, max: 0, seenMin: 0, seenMax: 0, expectedError: 0 },
      ],
    },
    repair: {
      effort: 'medium',
      fitted: 64,
      heldOut: 32,
      steps: [
        { step: 'SmoothQuant', kept: false, what: name },
        { step: 'weight rounding', kept: true, sqnrBeforeDb: 30, sqnrAfterDb: 31.2, what: name },
      ],
      layers: [
        { name, opType: 'Gemm', sqnrBeforeDb: 41, sqnrAfterDb: 43.5 },
        { name, opType: name, sqnrBeforeDb: 30 },
        { name, opType: 'Conv', sqnrAfterDb: Number.POSITIVE_INFINITY },
      ],
      confirmed: { without: { samples: 64, sqnrDb: [30, 29] }, with: { samples: 64, sqnrDb: [31, 30.5] }, kept: true },
    },
    search: {
      samples: 64,
      source: name,
      layers: 3,
      kept: 1,
      met: true,
      steps: [
        { keptLayers: 0, verdict: 'fail', metric: 'divergence', measured: 0.02, low: 0.01, high: 0.03, why: name },
        { keptLayers: 1, verdict: 'pass', metric: 'agreement', measured: 0.998, low: 0.98, high: 1, why: name },
      ],
      ranking: [
        { name, opType: 'Gemm', weightBytes: 4000, sqnrDb: 12.1, together: 1 },
        { name, opType: name, weightBytes: 500_000, sqnrDb: 40, together: 2 },
      ],
    },
    alternatives: [
      { form: 'static', ratio: 1.4, ratioLow: 1.3, ratioHigh: 1.5, outcome: 'slower', why: name },
      { form: 'mixed', outcome: 'rejected', why: name },
      { form: 'dynamic', ratio: 0.8, outcome: 'delivered', why: name },
    ],
    verification: { structure: 'passed', loads: 'passed', runs: 'passed', comparison: comparison(name) },
    accuracy: comparison(name),
    latency: LATENCY,
    budgets: budgets(name).slice(2),
    verdict: 'inconclusive',
  };
}

export function optimizeReport(name: string): OptimizeReport {
  const node = { opType: name, label: name };
  return {
    ...header(name),
    command: 'optimize',
    level: 'standard',
    operators: 'portable',
    input: { name, sizeBytes: 97_800_000 },
    output: { name: `${name}.opt`, sizeBytes: 97_500_000 },
    nodesBefore: 122,
    nodesAfter: 76,
    requested: [{ pass: 'set-dims', changes: 1, nodesBefore: 122, nodesAfter: 122 }],
    passes: [
      { pass: 'fuse-gelu', group: 'fuse', numerics: 'reassociates', rewrites: 12, nodesDelta: -48, bytesDelta: -90 },
      { pass: 'fold-constants', group: 'fold', numerics: 'exact', rewrites: 3, nodesDelta: -9, bytesDelta: 1200 },
      { pass: 'unroll-loop', group: 'rewrite', numerics: 'exact', rewrites: 1, nodesDelta: 2, bytesDelta: 0 },
    ],
    dropped: [
      { pass: 'fuse-views', node: name, opType: name, reason: name },
      { pass: 'fuse-casts', reason: name },
    ],
    slower: [{ pass: 'fuse-attention-ort', ratio: 1.31, ratioLow: 1.2, ratioHigh: 1.42 }],
    rewrites: [
      { pass: 'fuse-gelu', nodes: [node, node], into: node, nodesDelta: -4, bytesDelta: -90, detail: name },
      { pass: 'eliminate-dead', nodes: [node], nodesDelta: -1, bytesDelta: 0 },
    ],
    nearMisses: [{ pass: 'fuse-gelu', node: name, opType: name, reason: name }],
    verification: {
      structure: 'passed',
      loads: 'passed',
      runs: 'passed',
      numerics: 'reassociates',
      samples: 5,
      edges: 8,
      outputs: [{ name, elements: 100, equal: 40, worst: { abs: 0.1, ofLargest: 1.5e-6 } }],
      notCompared: [name],
      random: [name],
    },
    latency: { ...LATENCY, p50MsB: 43, ratio: 1.01, ratioLow: 0.98, ratioHigh: 1.03 },
    budgets: budgets(name).slice(3),
    verdict: 'pass',
  };
}
