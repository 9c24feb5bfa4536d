import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QuantizeReport } from '../../../src/report/types.js';
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

describe('quantize with a largest drop', () => {
  it('finds the one poisoned layer of eight, puts it back, and leaves the seven others INT8', async () => {
    const outputPath = join(folder, 'mixed.onnx');
    const options = { dataPath: data, outputPath, mode: 'static', ...SAME, maxDrop: 0.01 } as const;
    const report = await quantizeModel(path, options);
    expect(report.leftInFloat.map(({ name }) => name)).toEqual(['layer4']);
    expect(report.leftInFloat[0]?.reason).toContain('--max-drop');
    expect(report.quantized).toHaveLength(7);
    expect(report.verdict).toBe('pass');
    expect(report.search).toMatchObject({ met: true, kept: 1, layers: 8, samples: 8 });
    expect(report.search?.steps[0]).toMatchObject({ keptLayers: 0, verdict: 'fail', metric: 'sqnr' });
    expect(report.notes.join(' ')).toContain('1 of 8 layers stays in FP32');
  });

  it('quantizes all layers where they keep the budget', async () => {
    const outputPath = join(folder, 'all.onnx');
    const options = {
      dataPath: data,
      outputPath,
      mode: 'static',
      ...SAME,
      maxDrop: 0.01,
      exclude: ['layer4'],
    } as const;
    const report = await quantizeModel(path, options);
    expect(report.search).toMatchObject({ kept: 0, met: true });
    expect(report.search?.steps).toHaveLength(1);
    expect(report.quantized).toHaveLength(7);
  });

  it('writes nothing where no choice of layers keeps the budget, and reports what was measured', async () => {
    const outputPath = join(folder, 'none.onnx');
    let told: QuantizeReport | undefined;
    const options = {
      dataPath: data,
      outputPath,
      mode: 'static',
      ...SAME,
      maxDrop: 0,
      onRefused: (report: QuantizeReport) => {
        told = report;
      },
    } as const;
    await expect(quantizeModel(path, options)).rejects.toMatchObject({ code: 'SO7001', exitCode: 4 });
    expect(existsSync(outputPath)).toBe(false);
    expect(told?.search).toMatchObject({ met: false });
    expect(told?.notes.join(' ')).toContain('no choice of layers');
  });

  it('judges size and speed as budgets', async () => {
    const outputPath = join(folder, 'size.onnx');
    const options = { dataPath: data, outputPath, mode: 'static', ...SAME, maxSize: 1000 } as const;
    await expect(quantizeModel(path, options)).rejects.toMatchObject({ code: 'SO7001' });
  });

  it.each([
    [{ maxDrop: 0.01, verify: false }, 'SO1002'],
    [{ maxDrop: 0.01, maxLoss: 0.01 }, 'SO1002'],
  ])('refuses %j', async (options, code) => {
    await expect(quantizeModel(path, { ...options, dataPath: data, evalPath: data })).rejects.toMatchObject({ code });
  });
});
