import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../../src/ir/model.js';
import type { ValueType } from '../../src/ir/type.js';
import { writeModel } from '../../src/ir/write-model.js';
import { importOnnxRuntime } from '../../src/runtime/onnx-runtime.js';
import { DataType } from '../../src/tensor/dtype.js';

/** A fed value: by default seeded numbers of the declared shape, with 2 for every size that is not a number. */
export type Feed = readonly number[];

/** Loads a model in ONNX Runtime (all optimizations off), runs it and gives the numbers of each output. */
export async function runModel(model: Model, given: ReadonlyMap<string, Feed> = new Map()): Promise<number[][]> {
  const ort = await importOnnxRuntime();
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeModel(model, path);
    const session = await ort.InferenceSession.create(path, {
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
    });
    const feeds = Object.fromEntries(
      model.graph.inputs
        .filter((input) => session.inputNames.includes(input.name))
        .map((input) => [input.name, tensorFor(ort, input.type, given.get(input.name))]),
    );
    const results = await session.run(feeds);
    await session.release();
    return session.outputNames.map((name) => {
      const data = results[name]?.data ?? [];
      return Array.from(data as ArrayLike<number | bigint | boolean>, Number);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tensorFor(ort: typeof import('onnxruntime-node'), type: ValueType | undefined, given: Feed | undefined) {
  if (type?.kind !== 'tensor') throw new Error('only tensors can be fed');
  const dims = (type.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 2));
  const size = dims.reduce((a, b) => a * b, 1);
  const numbers = given ?? Array.from({ length: size }, (_, i) => 2 * Math.sin(i * i + i + 1));
  switch (type.dataType) {
    case DataType.FLOAT:
      return new ort.Tensor('float32', Float32Array.from(numbers), dims);
    case DataType.INT64:
      return new ort.Tensor(
        'int64',
        BigInt64Array.from(numbers, (n) => BigInt(Math.round(n))),
        dims,
      );
    case DataType.BOOL:
      return new ort.Tensor(
        'bool',
        Uint8Array.from(numbers, (n) => (n > 0 ? 1 : 0)),
        dims,
      );
    default:
      throw new Error(`no feed for data type ${type.dataType}`);
  }
}
