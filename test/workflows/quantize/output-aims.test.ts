import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComparisonResult, OutputDifference } from '../../../src/evaluate/comparison.js';
import { proportion } from '../../../src/evaluate/proportion.js';
import { judgeOutputs } from '../../../src/workflows/quantize/search/output-aims.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';
import { writePoisonedModel } from '../../helpers/poisoned-model.js';

let folder: string;
let path: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  ({ path, data } = await writePoisonedModel(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same on every machine: nothing is timed, and no sum saturates. */
const SAME = { allowSlower: true, reduceRange: true } as const;

describe('without a goal', () => {
  it('the layer that makes outputs lose clearly stays in FP32, and why is said', async () => {
    const outputPath = join(folder, 'kept.onnx');
    const report = await quantizeModel(path, { dataPath: data, outputPath, ...SAME });
    expect(report.leftInFloat.map(({ name }) => name)).toEqual(['layer4']);
    expect(report.leftInFloat[0]?.reason).toMatch(/^kept for the outputs: alone it leaves the outputs an SQNR of/);
    expect(report.quantized).toHaveLength(7);
    expect(report.search).toMatchObject({ met: true, kept: 1, layers: 8, samples: 8 });
    expect(report.search).not.toHaveProperty('maxDrop');
    expect(report.notes.join(' ')).toMatch(
      /1 of 8 layers stays in FP32, since the outputs lose clearly without .*SQNR/,
    );
    expect(report).not.toHaveProperty('budgets');
  });

  it.each([
    ['--effort low', { effort: 'low' }],
    ['too few samples to hold some out', { samples: 8, effort: 'low' }],
  ] as const)('all layers are INT8 with %s', async (_, options) => {
    const outputPath = join(folder, 'all.onnx');
    const report = await quantizeModel(path, {
      dataPath: data,
      outputPath,
      allowSlower: true,
      force: true,
      ...options,
    });
    expect(report.quantized).toHaveLength(8);
    expect(report.search).toBeUndefined();
    expect(report.warnings.join(' ')).toContain('not close to the original');
  });
});

const output = (more: Partial<OutputDifference>): OutputDifference => ({
  name: 'y',
  dataTypeA: 'float',
  dataTypeB: 'float',
  elements: 100,
  exactEqual: 0,
  shapeMismatches: 0,
  nonFinite: { a: 0, b: 0, lost: 0 },
  ...more,
});
const judged = (...outputs: OutputDifference[]) =>
  judgeOutputs({
    source: { kind: 'seeded', seed: 0 },
    samples: 100,
    outputs,
    unmatched: { a: [], b: [] },
    warnings: [],
  } satisfies ComparisonResult);
const because = 'of a test';

describe('what outputs should keep', () => {
  const classes = (same: number, n: number, value: number) =>
    output({
      measure: { kind: 'classes', because },
      top1Agreement: proportion(same, n),
      divergence: { value, n, low: value / 2, high: value * 2 },
    });

  it.each([
    ['all predictions', classes(100, 100, 0.001), 'pass', 'agreement'],
    ['all but one of few', classes(11, 12, 0.001), 'pass', 'agreement'],
    ['too few predictions', classes(97, 100, 0.001), 'fail', 'agreement'],
    ['predictions by luck, with other shares', classes(100, 100, 0.02), 'fail', 'divergence'],
    [
      'too few tokens',
      output({
        measure: { kind: 'sequences', because },
        sequences: { blank: 0, same: proportion(10, 12), tokens: 152, edits: 2 },
      }),
      'fail',
      'token edits',
    ],
    ['values', output({ measure: { kind: 'values', because }, sqnrDb: 30 }), 'pass', 'sqnr'],
    ['values in noise', output({ measure: { kind: 'values', because }, sqnrDb: 15 }), 'fail', 'sqnr'],
    [
      'values but for one channel',
      output({
        measure: { kind: 'values', because },
        sqnrDb: 30,
        worstChannel: { axis: 1, index: 2, channels: 4, sqnrDb: 3 },
      }),
      'fail',
      'worst channel',
    ],
  ] as const)('is judged by %s', (_, one, verdict, metric) => {
    expect(judged(one)).toMatchObject({ verdict, metric });
  });

  it('says what fails, with its interval, whichever output it is', () => {
    const { why, low, high } = judged(
      output({ measure: { kind: 'values', because }, sqnrDb: 30 }),
      classes(90, 100, 0),
    );
    expect(why).toMatch(
      /^output "y": 90\.0 % of 100 predictions stay the same \(95 %: .* to .*\), at least 99\.0 % is aimed at$/,
    );
    expect([low, high]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('is nothing of values that are lost', () => {
    const { verdict, why } = judged(output({ nonFinite: { a: 0, b: 3, lost: 3 } }));
    expect(verdict).toBe('fail');
    expect(why).toContain('NaN or infinite');
  });
});
