import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { startRuntime } from '../../src/runtime/host.js';
import { writeRunnable } from '../../src/runtime/runnable-model.js';
import { withWorkFolder } from '../../src/runtime/work-folder.js';
import { DataType } from '../../src/tensor/dtype.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const numbers = (count: number): string => Array.from({ length: count }, (_, i) => i % 7).join(', ');

describe('writeRunnable', () => {
  it('refers to large weights where they stand, but for those of subgraphs, which ONNX Runtime refuses', async () => {
    const path = join(folder, 'model.onnx');
    const model = parseModel(`<ir_version: 8, opset_import: ["" : 17]>
      g (float[600] x, bool c) => (float[600] y) <float[600] w = {${numbers(600)}}> {
        s = Add (x, w)
        y = If (c) <
          then_branch = t () => (float[600] a) <float[600] v = {${numbers(600)}}> { a = Mul (s, v) },
          else_branch = e () => (float[600] b) { b = Neg (s) }
        >
      }`);
    await writeModel(model, path);
    const read = await readModel(path);
    const host = await startRuntime();
    try {
      await withWorkFolder(async (work) => {
        const runnable = await readModel(await writeRunnable(read, work), { allowLinks: true });
        expect(runnable.source?.externalPaths()).toHaveLength(1);
        runnable.source?.close();
        const { session } = await host.request('load', { path: join(work.path, 'model.onnx') });
        const feeds = new Map([
          ['x', { dataType: DataType.FLOAT, dims: [600], data: new Float32Array(600).fill(1) }],
          ['c', { dataType: DataType.BOOL, dims: [], data: Uint8Array.of(1) }],
        ]);
        const y = (await host.request('run', { session, feeds })).get('y');
        expect([...((y?.data as Float32Array) ?? [])].slice(0, 4)).toEqual([0, 2, 6, 12]);
      });
    } finally {
      await host.close();
      read.source?.close();
    }
  });
});
