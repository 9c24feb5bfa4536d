import { describe, expect, it } from 'vitest';
import { compareHtml } from '../../../src/report/html/compare-html.js';
import { optimizeHtml } from '../../../src/report/html/optimize-html.js';
import { quantizeHtml } from '../../../src/report/html/quantize-html.js';
import { safeText } from '../../../src/report/safe-text.js';
import { checkPage, drawingsOf, skeletonOf } from '../../helpers/check-page.js';
import { elementsNamed, textOf } from '../../helpers/read-markup.js';
import { HOSTILE_NAMES } from '../bench-reports.js';
import { compareReport, optimizeReport, quantizeReport } from '../model-reports.js';

const PAGES: readonly (readonly [command: string, draw: (name: string) => string])[] = [
  ['compare', (name) => compareHtml(compareReport(name))],
  ['optimize', (name) => optimizeHtml(optimizeReport(name))],
  ['quantize', (name) => quantizeHtml(quantizeReport(name))],
];

describe.each(PAGES)('the page of %s', (_command, draw) => {
  const harmless = skeletonOf(checkPage(draw('harmless')));

  it.each(HOSTILE_NAMES)('is inert with %j', (name) => {
    const html = draw(name);
    const page = checkPage(html);
    expect(skeletonOf(page)).toEqual(harmless);
    expect(textOf(page)).toContain(safeText(name));
    expect(html).not.toMatch(/[^\P{C}\n]/u);
  });

  it('shows no value that is not there', () => {
    expect(textOf(checkPage(draw('model.onnx')))).not.toMatch(/undefined|NaN(?! or infinite)|\[object/);
  });
});

describe('compareHtml', () => {
  const text = textOf(checkPage(compareHtml(compareReport('net.onnx'))));

  it.each([
    'Agreement98.4 %same top-1',
    'Size−74 %97.8 MB → 25.1 MB',
    '2.88× faster',
    '64 samples of net.onnx, from number 129',
    '31.2 dB',
    '−0.2 pt',
    '0 values of A and 2 of B are NaN or infinite',
    'shapes differ in 3 runs',
    'is an output of B only',
    'Fail1 of 4 budgets broken, 1 inconclusive.',
    'sqnr ≥ 40dB: measured 31.2 dB; net.onnx',
    'drop ≤ 1%✓ pass0.2 %−0.4 % to 0.8 %net.onnx',
    'speed-up ≥ 2.9x? inconclusive2.88×2.78×–3.03×',
    'macs ≤ 300M✓ pass5.49 M',
  ])('says %j', (part) => {
    expect(text).toContain(part);
  });
});

describe('optimizeHtml', () => {
  const page = checkPage(optimizeHtml(optimizeReport('net.onnx')));
  const text = textOf(page);

  it.each([
    'Nodes−38 %122 → 76',
    'no clear difference',
    'VerifiedRead back, loaded and run beside the original in ONNX Runtime, equal within rounding',
    'fuse-gelufusereassociates12−48−90',
    'PassThe budget is met.',
    '1.31× as long here (95 %: 1.2–1.42)',
    '2 changes.',
    '1.50e−6',
  ])('says %j', (part) => {
    expect(text).toContain(part);
  });

  it('draws what each pass removed, and the latency', () => {
    expect(drawingsOf(page)).toEqual(['Nodes removed by pass', 'Latency of the result over that of the original']);
  });

  it('warns of what was not run, with the reason', () => {
    const report = optimizeReport('net.onnx');
    const verification = {
      structure: 'passed',
      interface: 'passed',
      loads: 'skipped',
      runs: 'skipped',
      reason: 'no runtime',
    } as const;
    const { latency: _latency, rewrites: _rewrites, nearMisses: _nearMisses, ...rest } = report;
    const bare = textOf(
      checkPage(optimizeHtml({ ...rest, passes: [], requested: [], dropped: [], slower: [], verification })),
    );
    expect(bare).toContain('Not verified');
    expect(bare).toContain('not run: no runtime');
    expect(bare).toContain('No pass found anything to change.');
  });

  it('keeps long lists to what a page can hold', () => {
    const report = optimizeReport('net.onnx');
    const [miss] = report.nearMisses ?? [];
    if (miss === undefined) throw new Error('no near miss');
    const long = checkPage(optimizeHtml({ ...report, nearMisses: Array.from({ length: 5000 }, () => miss) }));
    expect(elementsNamed(long, 'tr').length).toBeLessThan(400);
    expect(textOf(long)).toContain('The first 300 of 5,000 patterns');
  });
});

describe('quantizeHtml', () => {
  const page = checkPage(quantizeHtml(quantizeReport('net.onnx')));
  const text = textOf(page);

  it.each([
    'static INT8; ranges of activations: min-max over 128 samples of net.onnx',
    'same top-1 on 64 held-out samples',
    'Quantized: 2 layers (Conv 1, net.onnx 1) with 1.50 MB of weights.',
    'Kept in FP32',
    'Top-1 accuracy93.4 %93.6 % → 93.4 %, −0.2 pt on 1,020',
    '31 predictions differ; ✓ marks the label. The first 2:',
    '12833 ✓5',
    '131 (label 2)',
    'fold-batch-normalization4612276',
    'net.onnx: class scores, since net.onnx: 98.4 % (95 %: 92.0 % to 99.7 %, n = 64) of predictions equal, KL divergence 0.00213',
    'min-max over 128 samples of net.onnx (minmax for 2 tensors, mse for 1). Samples that judge the result took no part.',
    'minmax31.0 dB, 30.5 dB98.0 %64',
    '80.0 %0.0002',
    'weight rounding30.0 → 31.2 dByes',
    'Kept as a whole: on 64 judging samples the outputs are better with it on both halves (29.5 dB without, 30.8 dB with).',
    'Outputs should keep what they say on 64 samples of net.onnx: 1 of 3 layers stay in FP32.',
    'Gemm41.0 dB43.5 dB',
    '1✓ passagreement 99.8 %',
    'static INT81.4× (95 %: 1.3–1.5)slower',
    'Inconclusive1 of 2 budgets inconclusive.speed-up ≥ 2.9x: measured 2.88× (95 %: 2.78×–3.03×); net.onnx',
  ])('says %j', (part) => {
    expect(text).toContain(part);
  });

  it('draws the weights and the latency', () => {
    expect(drawingsOf(page)).toEqual([
      'Weights by operator, quantized or kept in FP32',
      'SQNR of the outputs with one layer quantized, most sensitive first',
      'Range of each tensor over the values that were seen',
      'SQNR by layer, before and after the repair',
      'Latency of the result over that of the original',
    ]);
  });

  it('draws a model with nothing to quantize', () => {
    const {
      accuracy: _accuracy,
      latency: _latency,
      calibration: _calibration,
      search: _search,
      repair: _repair,
      ...rest
    } = quantizeReport('net.onnx');
    const verification = { structure: 'passed', loads: 'skipped', runs: 'skipped' } as const;
    const bare = checkPage(
      quantizeHtml({ ...rest, mode: 'none', steps: [], quantized: [], leftInFloat: [], verification }),
    );
    expect(textOf(bare)).toContain('unchanged');
    expect(drawingsOf(bare)).toEqual([]);
  });
});
