/** ONNX Runtime in this process for fuzzing: small models from bytes, outputs as numbers. */
import type { InferenceSession, Tensor as NativeTensor } from 'onnxruntime-node';
import type { Model } from '../../src/ir/model.js';
import { modelBytes } from '../../src/ir/write-model.js';
import type { ConstantEvaluator } from '../../src/passes/engine/rewrite.js';
import { HOST_TYPES } from '../../src/runtime/interface-screen.js';
import { importOnnxRuntime, type OnnxRuntime } from '../../src/runtime/onnx-runtime.js';
import { DataType } from '../../src/tensor/dtype.js';
import { float16ToFloat32 } from '../../src/tensor/float16.js';
import { bytesOf, Tensor } from '../../src/tensor/tensor.js';
import type { FeedTensor } from './random-feeds.js';

export interface OutputNumbers {
  readonly type: string;
  readonly dims: readonly number[];
  readonly numbers: readonly number[];
}

export type Outputs = ReadonlyMap<string, OutputNumbers>;

export class FuzzRuntime {
  readonly #ort: OnnxRuntime;

  private constructor(ort: OnnxRuntime) {
    this.#ort = ort;
  }

  static async load(): Promise<FuzzRuntime> {
    return new FuzzRuntime(await importOnnxRuntime());
  }

  async session(bytes: Uint8Array, graphOptimizationLevel: 'disabled' | 'all' = 'disabled'): Promise<FuzzSession> {
    const options = { graphOptimizationLevel, logSeverityLevel: 4, intraOpNumThreads: 1 } as const;
    return new FuzzSession(this.#ort, await this.#ort.InferenceSession.create(bytes, options));
  }

  /** What passes may ask for. */
  readonly evaluate: ConstantEvaluator = async (model: Model) => {
    try {
      const session = await this.session(await modelBytes(model));
      try {
        return await session.constants();
      } finally {
        await session.release();
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
}

export class FuzzSession {
  readonly #ort: OnnxRuntime;
  readonly #native: InferenceSession;

  constructor(ort: OnnxRuntime, native: InferenceSession) {
    this.#ort = ort;
    this.#native = native;
  }

  get outputNames(): readonly string[] {
    return this.#native.outputNames;
  }

  async run(feeds: ReadonlyMap<string, FeedTensor>): Promise<Outputs> {
    const results = await this.#native.run(
      Object.fromEntries([...feeds].map(([name, { type, data, dims }]) => [name, this.#tensor(type, data, dims)])),
    );
    return new Map(this.outputNames.map((name) => [name, numbersOf(results[name] as NativeTensor)]));
  }

  /** Outputs of a model without inputs, as tensors. */
  async constants(): Promise<Map<string, Tensor>> {
    const results = await this.#native.run({});
    const tensors = new Map<string, Tensor>();
    for (const name of this.outputNames) {
      const { type, data, dims } = results[name] as NativeTensor;
      const dataType = HOST_TYPES.get(type);
      if (dataType === undefined || !ArrayBuffer.isView(data)) throw new Error(`no constant of type ${type}`);
      tensors.set(name, Tensor.of(dataType, dims, bytesOf(data as Uint8Array)));
    }
    return tensors;
  }

  release(): Promise<void> {
    return this.#native.release();
  }

  #tensor(type: string, data: unknown, dims: readonly number[]): NativeTensor {
    const construct = this.#ort.Tensor as unknown as new (
      type: string,
      data: unknown,
      dims: readonly number[],
    ) => NativeTensor;
    return new construct(type, data, dims);
  }
}

function numbersOf({ type, data, dims }: NativeTensor): OutputNumbers {
  if (HOST_TYPES.get(type) === DataType.FLOAT16 && data instanceof Uint16Array) {
    const wide = new Float32Array(data.length);
    float16ToFloat32(data, wide);
    return { type, dims, numbers: Array.from(wide) };
  }
  return { type, dims, numbers: Array.from(data as ArrayLike<number | bigint>, Number) };
}
