import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { SESSIONS } from '../../../src/runtime/session-options.js';
import { inputSpecs } from '../../../src/samples/value-specs.js';
import { withContrasts } from '../../../src/workflows/workbench/contrasts.js';

const weights = Array.from({ length: 1024 }, (_, i) => (i % 13) / 13).join(',');
const MODEL = `<ir_version: 8, opset_import: ["" : 17]> g (float[N, 32] x) => (float[N, 32] y) <float[32, 32] w = {${weights}}> {
  y = MatMul (x, w) }`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds candidates in memory against one run of the original', async () => {
  const path = join(folder, 'model.onnx');
  await writeModel(parseModel(MODEL), path);
  const model = await readModel(path);
  const runtime = new LazyRuntime();
  try {
    const original = {
      path,
      source: { kind: 'seeded', seed: 3, count: 4 },
      inputs: inputSpecs(model),
      samples: 3,
      maxMs: 20_000,
      session: SESSIONS.bare,
    } as const;
    const [same, other] = await withContrasts(await runtime.host(), original, async (contrasts) => {
      const changed = model.clone();
      changed.producerName = 'another';
      const negated = parseModel(MODEL.replace('y = MatMul (x, w)', 't = MatMul (x, w) y = Neg (t)'));
      return [
        await contrasts.contrast(changed, SESSIONS.bare),
        await contrasts.contrast(negated, SESSIONS.bare),
      ] as const;
    });
    expect(same).toMatchObject([{ name: 'y', maxAbs: 0, exactEqual: 1 }]);
    expect(other[0]?.maxAbs).toBeGreaterThan(0);
    expect(other[0]?.sqnrDb).toBeLessThan(0);
  } finally {
    await runtime.close();
    model.source?.close();
  }
  expect(readdirSync(folder)).toEqual(['model.onnx']);
});
