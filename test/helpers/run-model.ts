import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor as NativeTensor } from 'onnxruntime-node';
import type { Model } from '../../src/ir/model.js';
import type { ValueType } from '../../src/ir/type.js';
import { writeModel } from '../../src/ir/write-model.js';
import { importOnnxRuntime, type OnnxRuntime } from '../../src/runtime/onnx-runtime.js';
import { DataType } from '../../src/tensor/dtype.js';
import { fromFloat16, toFloat16 } from '../../src/tensor/float16.js';

/** A fed value: by default seeded numbers of the declared shape, with 2 for every size that is not a number. */
export type Feed = readonly number[];

/**
 * Loads a model in ONNX Runtime (all optimizations off), runs it and gives the numbers of each output.
 *
 * @param given what inputs are fed by name, instead of seeded numbers
 * @param sizes what symbolic dimensions are, instead of 2
 */
export async function runModel(
  model: Model,
  given: ReadonlyMap<string, Feed> = new Map(),
  sizes: ReadonlyMap<string, number> = new Map(),
): Promise<number[][]> {
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
        .map((input) => [input.name, tensorFor(ort, input.type, given.get(input.name), sizes)]),
    );
    const results = await session.run(feeds);
    await session.release();
    return session.outputNames.map((name) => numbersOf(results[name]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function numbersOf(tensor: NativeTensor | undefined): number[] {
  const numbers = Array.from((tensor?.data ?? []) as ArrayLike<number | bigint | boolean>, Number);
  // Newer versions of Node have an array of FLOAT16 of their own; elsewhere they come as their bits.
  return tensor?.type === 'float16' && tensor.data instanceof Uint16Array ? numbers.map(fromFloat16) : numbers;
}

function tensorFor(
  ort: OnnxRuntime,
  type: ValueType | undefined,
  given: Feed | undefined,
  sizes: ReadonlyMap<string, number>,
): NativeTensor {
  const fed = type?.kind === 'optional' ? type.element : type;
  if (fed?.kind !== 'tensor') throw new Error('only tensors can be fed');
  const dims = (fed.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : (sizes.get(String(dim)) ?? 2)));
  const size = dims.reduce((a, b) => a * b, 1);
  if (given !== undefined && given.length !== size) throw new Error(`${given.length} numbers for [${dims.join(',')}]`);
  const numbers = given ?? Array.from({ length: size }, (_, i) => 2 * Math.sin(i * i + i + 1));
  switch (fed.dataType) {
    case DataType.FLOAT:
      return new ort.Tensor('float32', Float32Array.from(numbers), dims);
    case DataType.FLOAT16:
      return new ort.Tensor(
        'float16',
        Uint16Array.from(numbers, (n) => toFloat16(n)),
        dims,
      );
    case DataType.DOUBLE:
      return new ort.Tensor('float64', Float64Array.from(numbers), dims);
    case DataType.INT32:
      return new ort.Tensor(
        'int32',
        Int32Array.from(numbers, (n) => Math.round(n)),
        dims,
      );
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
      throw new Error(`no feed for data type ${fed.dataType}`);
  }
}
