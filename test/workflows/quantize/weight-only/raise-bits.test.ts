import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModel } from '../../../../src/ir/write-model.js';
import type { QuantizeOptions } from '../../../../src/workflows/options.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { decoderModel } from '../../../helpers/decoder-model.js';

describe('quantizeModel to low bits within a size', () => {
  let folder = '';
  let path = '';
  const sizes: Record<string, number> = {};
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mixed-'));
    path = join(folder, 'decoder.onnx');
    const shape = { style: 'gpt2', layers: 2, width: 64, inner: 256, vocabulary: 256, tied: false } as const;
    await writeModel(decoderModel(shape), path);
    for (const mode of ['int4', 'int8-weights'] as const) sizes[mode] = (await run({ mode })).output.sizeBytes;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (options: QuantizeOptions) =>
    quantizeModel(path, { operators: 'ort', outputPath: join(folder, 'out.onnx'), force: true, ...options });

  for (const operators of ['ort', 'portable'] as const)
    it(`raises the most sensitive weights while the file fits, and knows its size: ${operators}`, async () => {
      const low =
        operators === 'ort' ? (sizes.int4 as number) : (await run({ mode: 'int4', operators })).output.sizeBytes;
      const maxSize = low + 20_000;
      const report = await run({ mode: 'int4', operators, maxSize });
      const { mixed, weights = [] } = report.weightOnly ?? {};
      expect(mixed?.sizeBytes).toBe(statSync(join(folder, 'out.onnx')).size);
      expect(report.output.sizeBytes).toBe(mixed?.sizeBytes);
      expect(mixed?.sizeBytes).toBeLessThanOrEqual(maxSize);
      expect(mixed?.lowSizeBytes).toBe(low);
      const raised = mixed?.raised ?? [];
      expect(raised.length).toBeGreaterThan(2);
      expect(raised.length).toBeLessThan(mixed?.candidates ?? 0);
      const noise = raised.map(({ sqnrDb, addedBytes }) => 10 ** (-sqnrDb / 10) / addedBytes);
      expect(noise).toEqual([...noise].sort((a, b) => b - a));
      for (const { name } of raised) {
        const weight = weights.find((each) => each.name === name);
        expect(weight?.bits).toBe(8);
        expect(weight?.reason).toContain('raised within --max-size: alone at 4 bits');
      }
      const left = weights.filter(({ bits }) => bits === 4).map(({ bytesAfter }) => bytesAfter * 0.8);
      expect((mixed?.sizeBytes ?? 0) + Math.min(...left)).toBeGreaterThan(maxSize);
    });

  it('raises all where there is room for all', async () => {
    const report = await run({ mode: 'int4', maxSize: (sizes['int8-weights'] as number) + 5000 });
    expect(report.weightOnly?.weights.every(({ bits }) => bits === 8)).toBe(true);
    expect(report.output.sizeBytes).toBe(report.weightOnly?.mixed?.sizeBytes);
  });

  it('gives the layer of the scores no more bits than the rest where the file would not fit', async () => {
    const report = await run({ mode: 'int4', maxSize: (sizes.int4 as number) - 4000 });
    expect(report.weightOnly?.mixed?.headLowered).toBe(true);
    expect(report.output.sizeBytes).toBeLessThanOrEqual((sizes.int4 as number) - 4000);
    const head = report.weightOnly?.weights.find(({ layers }) => layers.some((layer) => layer.includes('lm_head')));
    expect(head?.bits).toBe(4);
  });

  it('refuses what does not fit at the bits asked for, before anything is measured', async () => {
    const stages: string[] = [];
    const options = { mode: 'int4', operators: 'ort', maxSize: 10_000, outputPath: join(folder, 'none.onnx') } as const;
    const refused = quantizeModel(path, options, {
      onProgress: (event) => {
        if (event.kind === 'start') stages.push(event.stage);
      },
    });
    await expect(refused).rejects.toMatchObject({
      code: 'SO7001',
      message: expect.stringContaining('with all weights at 4 bits it has'),
      hint: 'try --mode int2 or --block 128, or a larger --max-size',
    });
    expect(stages).not.toContain('search');
    await expect(run({ mode: 'int8-weights', maxSize: 10_000 })).rejects.toMatchObject({ code: 'SO7001' });
  });

  it('leaves low bits where nothing is run', async () => {
    const report = await run({ mode: 'int4', maxSize: 2 ** 20, verify: false });
    expect(report.weightOnly?.mixed).toMatchObject({ raised: [], reason: expect.stringContaining('--no-verify') });
  });
});
