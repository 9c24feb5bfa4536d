/** BF16 and FP8 from a file to a file: what is refused before anything is written, and what is told of the result. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModel } from '../../../src/ir/read-model.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { graphTypes, preflight } from '../../../src/targets/tensorrt/preflight.js';
import { checkQdqRules } from '../../../src/targets/tensorrt/qdq-rules.js';
import { quantizeModel } from '../../../src/workflows/quantize-model.js';

const KWS = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'kws-dscnn');
const MODEL = join(KWS, 'model.onnx');
const dataPath = join(KWS, 'calib.npz');

let folder = '';
let outputPath = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-typed-'));
  outputPath = join(folder, 'result.onnx');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function typesOf(path: string) {
  const model = await readModel(path);
  try {
    inferTypes(model);
    const problems = preflight(model, { major: 11, minor: 1, patch: 0 }, { hasPlugins: false, fileBytes: 1 });
    const refused = problems.filter(({ severity }) => severity === 'refused');
    return { types: graphTypes(model), opset: model.opset(), qdq: checkQdqRules(model), refused };
  } finally {
    model.source?.close();
  }
}

describe('BF16', () => {
  it('is refused where the result could not be loaded, before anything is written', async () => {
    await expect(quantizeModel(MODEL, { mode: 'bf16', outputPath })).rejects.toMatchObject({ code: 'SO1002' });
    expect(existsSync(outputPath)).toBe(false);
  });

  it('is judged in emulation, and said to be so', async () => {
    const report = await quantizeModel(MODEL, { mode: 'bf16', for: 'tensorrt', outputPath });
    expect(report).toMatchObject({ mode: 'bf16', verification: { loads: 'skipped', arithmetic: 'emulated bfloat16' } });
    expect(report.latency).toBeUndefined();
    const [output] = report.verification.comparison?.outputs ?? [];
    expect(output?.sqnrDb).toBeGreaterThan(25);
    expect(output?.sqnrDb).toBeLessThan(70);
    const { types, opset, refused } = await typesOf(outputPath);
    expect({ types, opset, refused }).toMatchObject({
      types: { bfloat16: true, float16: false },
      opset: 22,
      refused: [],
    });
  });
});

describe('FP8', () => {
  it('takes samples', async () => {
    await expect(quantizeModel(MODEL, { mode: 'fp8', outputPath })).rejects.toMatchObject({ code: 'SO1002' });
  });

  it('runs in ONNX Runtime, in a graph that TensorRT imports', async () => {
    const report = await quantizeModel(MODEL, { mode: 'fp8', dataPath, outputPath });
    expect(report).toMatchObject({ mode: 'fp8', verification: { loads: 'passed', runs: 'passed' } });
    expect(report.warnings.join()).not.toContain('optimizations of ONNX Runtime');
    expect(report.notes.join()).toContain('opset 17 → 19');
    const { types, qdq, refused } = await typesOf(outputPath);
    expect({ types, qdq, refused }).toMatchObject({
      types: { float8Pairs: true, int8Pairs: false },
      qdq: [],
      refused: [],
    });
  });
});
