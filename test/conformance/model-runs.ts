/** Runs models in the product's own ONNX Runtime process, with optimizations off, and compares what comes out. */
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServeOptError } from '../../src/errors.js';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { readTensorFile } from '../../src/ir/read-tensor-file.js';
import { writeModel } from '../../src/ir/write-model.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import { SIZE_PLAN_COUNT } from '../../src/samples/seeded-shapes.js';
import type { Feeds, HostData, HostTensor } from '../../src/samples/types.js';
import { inputSpecs } from '../../src/samples/value-specs.js';
import { DataType, type DataTypeCode } from '../../src/tensor/dtype.js';
import { float16ToFloat32 } from '../../src/tensor/float16.js';
import { typedView } from '../../src/tensor/tensor.js';
import { messageOf } from './suite.js';

export type RunOutputs = ReadonlyMap<string, HostTensor>;

const KNOWN_IR_VERSION = 10;

export class ModelRuns {
  readonly runtime = new LazyRuntime();

  /** What a model file gives for feeds; a sentence where ONNX Runtime refuses it, fails, or dies. */
  outputs(path: string, feeds: Feeds): Promise<RunOutputs | string> {
    return this.#withSession(path, (run) => run(feeds));
  }

  /** Synthetic feeds on which a model runs, with what it gives; the first reason where it does not. */
  seeded(path: string, model: Model, seed: number): Promise<{ feeds: Feeds; outputs: RunOutputs } | string> {
    return this.#withSession(path, async (run) => {
      let reason: string | undefined;
      for (let sizes = 0; sizes < SIZE_PLAN_COUNT; sizes++) {
        try {
          const feeds = await seededReader(seed, 2, inputSpecs(model), { plan: { sizes } }).read(1, 1);
          return { feeds, outputs: await run(feeds) };
        } catch (error) {
          if (died(error)) throw error;
          reason ??= messageOf(error);
        }
      }
      return reason ?? 'no inputs were made up';
    });
  }

  async #withSession<T>(
    path: string,
    use: (run: (feeds: Feeds) => Promise<RunOutputs>) => Promise<T>,
  ): Promise<T | string> {
    try {
      const host = await this.runtime.host();
      const session = await this.#load(path);
      try {
        return await use((feeds) => host.request('run', { session, feeds }));
      } finally {
        await host.request('release', { session }).catch(() => {});
      }
    } catch (error) {
      if (died(error)) await this.runtime.close();
      return messageOf(error);
    }
  }

  /** A model of a later IR version than ONNX Runtime knows is loaded as one of an earlier: its graph says the same. */
  async #load(path: string): Promise<number> {
    const host = await this.runtime.host();
    const options = { graphOptimization: 'disabled', threads: 1 } as const;
    try {
      return (await host.request('load', { path, options })).session;
    } catch (error) {
      if (!/model IR version/.test(messageOf(error))) throw error;
      const model = await readModel(path);
      const earlier = join(tmpdir(), `serve-opt-${process.pid}-earlier.onnx`);
      try {
        model.irVersion = KNOWN_IR_VERSION;
        await writeModel(model, earlier);
        return (await host.request('load', { path: earlier, options })).session;
      } finally {
        model.source?.close();
        rmSync(earlier, { force: true });
      }
    }
  }

  close(): Promise<void> {
    return this.runtime.close();
  }
}

const died = (error: unknown): boolean => error instanceof ServeOptError && error.code === 'SO5003';

const VIEWS = new Map<DataTypeCode, (bytes: Uint8Array) => HostData>([
  [DataType.FLOAT, (bytes) => typedView(Float32Array, bytes)],
  [DataType.DOUBLE, (bytes) => typedView(Float64Array, bytes)],
  [DataType.FLOAT16, (bytes) => typedView(Uint16Array, bytes)],
  [DataType.UINT16, (bytes) => typedView(Uint16Array, bytes)],
  [DataType.INT16, (bytes) => typedView(Int16Array, bytes)],
  [DataType.INT32, (bytes) => typedView(Int32Array, bytes)],
  [DataType.UINT32, (bytes) => typedView(Uint32Array, bytes)],
  [DataType.INT64, (bytes) => typedView(BigInt64Array, bytes)],
  [DataType.UINT64, (bytes) => typedView(BigUint64Array, bytes)],
  [DataType.INT8, (bytes) => typedView(Int8Array, bytes)],
  [DataType.UINT8, (bytes) => bytes],
  [DataType.BOOL, (bytes) => bytes],
]);

/** The inputs of a folder of ONNX test data; a sentence where they are no tensors that can be fed. */
export function testDataFeeds(folder: string, model: Model): Feeds | string {
  const feeds: Feeds = new Map();
  const files = new Set(readdirSync(folder));
  for (const [index, input] of model.graph.inputs.entries()) {
    if (!files.has(`input_${index}.pb`)) continue;
    if (input.type?.kind !== 'tensor') return 'an input that is no tensor';
    const tensor = readTensorFile(join(folder, `input_${index}.pb`));
    const { dataType, dims } = tensor;
    const utf8 = new TextDecoder();
    const data =
      dataType === DataType.STRING
        ? tensor.stringElements().map((bytes) => utf8.decode(bytes))
        : VIEWS.get(dataType)?.(tensor.bytes());
    if (!data) return 'an input of a type that ONNX Runtime for Node cannot pass';
    feeds.set(input.name, { dataType, dims, data });
  }
  return feeds;
}

/** What differs first at 1e-3 relative, 1e-4 absolute (1e-2 where numbers have 16 bits); undefined where nothing does. */
export function outputsDifference(expected: RunOutputs, actual: RunOutputs): string | undefined {
  for (const [name, tensor] of expected) {
    const other = actual.get(name);
    if (!other) return `the output "${name}" is gone`;
    const difference = tensorDifference(tensor, other);
    if (difference !== undefined) return `"${name}": ${difference}`;
  }
  return undefined;
}

export function tensorDifference(expected: HostTensor, actual: HostTensor): string | undefined {
  if (expected.dataType !== actual.dataType) return `type ${expected.dataType} became ${actual.dataType}`;
  if (expected.dims.join() !== actual.dims.join()) return `shape [${expected.dims}] became [${actual.dims}]`;
  const half = expected.dataType === DataType.FLOAT16;
  const [a, b] = half ? [widened(expected), widened(actual)] : [expected.data, actual.data];
  const float = half || a instanceof Float32Array || a instanceof Float64Array;
  let largest = 0;
  if (float)
    for (const value of a as Float32Array) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  const [relative, absolute] = half ? [1e-2, 1e-2] : [1e-3, Math.max(1e-4, 1e-6 * largest)];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at], b[at]];
    if (x === y || Object.is(x, y)) continue;
    if (float && Math.abs(Number(x) - Number(y)) <= absolute + relative * Math.abs(Number(x))) continue;
    return `element ${at} is ${y} instead of ${x}`;
  }
  return undefined;
}

function widened({ data }: HostTensor): Float32Array {
  const bits = data as unknown as Uint16Array;
  if (!(bits instanceof Uint16Array)) return Float32Array.from(data as ArrayLike<number>);
  const numbers = new Float32Array(bits.length);
  float16ToFloat32(bits, numbers);
  return numbers;
}
