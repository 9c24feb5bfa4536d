import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/ir/read-model.js';
import { writeModel } from '../../../../src/ir/write-model.js';
import { quantizeModel } from '../../../../src/workflows/quantize-model.js';
import { decoderModel } from '../../../helpers/decoder-model.js';

describe('a decoder with a cache', () => {
  let folder = '';
  let path = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'decoder-'));
    path = join(folder, 'decoder.onnx');
    await writeModel(decoderModel({ style: 'gpt2', layers: 2, width: 64, inner: 256, vocabulary: 256 }), path);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('keeps its interface, its cache and its outputs with weights of 8 bits', async () => {
    const outputPath = join(folder, 'out.onnx');
    const report = await quantizeModel(path, { mode: 'int8-weights', operators: 'ort', outputPath, force: true });
    const interfaceOf = async (file: string) => {
      const model = await readModel(file);
      const { inputs, outputs } = model.graph;
      const all = [inputs, outputs].map((values) => values.map(({ name, type }) => ({ name, type })));
      model.source?.close();
      return all;
    };
    expect(await interfaceOf(outputPath)).toEqual(await interfaceOf(path));
    const logits = report.verification.comparison?.outputs.find(({ name }) => name === 'logits');
    expect(logits?.sqnrDb).toBeGreaterThan(30);
    expect(report.verification.comparison?.outputs).toHaveLength(5);
    const tied = report.weightOnly?.weights.find(({ name }) => name === 'model.embedding.weight');
    expect(tied?.layers).toHaveLength(2);
    expect(report.output.sizeBytes).toBeLessThan(0.4 * report.input.sizeBytes);
  });
});
