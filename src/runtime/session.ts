import process from 'node:process';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ServeOptError } from '../errors.js';
import type { Feeds, HostData, HostTensor } from '../samples/types.js';
import { DataType, dataTypeName } from '../tensor/dtype.js';
import { float32ToFloat16 } from '../tensor/float16.js';
import { elementCount } from '../tensor/tensor.js';
import { formatProvider, providerName } from './execution-providers.js';
import { HOST_TYPES, hostTypeName, UNFETCHABLE_NAME } from './interface-screen.js';
import type { ChildSession } from './job.js';
import { overLimit, saysNoMemory } from './memory-limit.js';
import { type OnnxRuntime, onnxRuntimeMessage } from './onnx-runtime.js';
import type { SessionValue } from './protocol.js';
import { sessionFailure } from './provider-failure.js';
import { nativeSessionOptions } from './session-options.js';
import type { SessionOptions } from './types.js';

type NativeFeeds = Record<string, Tensor>;

/** A session of ONNX Runtime, in the child process. Make it with `Session.create`, free it with `release`. */
export class Session implements ChildSession {
  readonly inputs: readonly SessionValue[];
  readonly outputs: readonly SessionValue[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #ort: OnnxRuntime;
  readonly #native: InferenceSession;
  readonly #inputByName: ReadonlyMap<string, SessionValue>;
  readonly #unfetchable: ReadonlySet<string>;
  readonly #memoryBytes: number;

  private constructor(ort: OnnxRuntime, native: InferenceSession, memoryBytes: number) {
    this.#ort = ort;
    this.#memoryBytes = memoryBytes;
    this.#native = native;
    this.inputs = native.inputMetadata.map(sessionValue);
    this.outputs = native.outputMetadata.map(sessionValue);
    this.inputNames = this.inputs.map((v) => v.name);
    this.#inputByName = new Map(this.inputs.map((v) => [v.name, v]));
    const fetchable = (v: SessionValue) => v.dataType !== undefined && v.name !== UNFETCHABLE_NAME;
    this.outputNames = this.outputs.filter(fetchable).map((v) => v.name);
    this.#unfetchable = new Set(this.outputs.filter((v) => !fetchable(v)).map((v) => v.name));
  }

  /**
   * Loads a model file. External data is looked for in its folder.
   * @param memoryBytes what the process may take, for the words of an error
   * @throws SO5001, SO5005, SO2105 where the memory does not suffice
   */
  static async create(
    ort: OnnxRuntime,
    path: string,
    options: SessionOptions = {},
    memoryBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<Session> {
    try {
      const native = await ort.InferenceSession.create(path, nativeSessionOptions(options));
      return new Session(ort, native, memoryBytes);
    } catch (error) {
      const text = onnxRuntimeMessage(error);
      if (Number.isFinite(memoryBytes) && saysNoMemory(text)) throw overLimit(memoryBytes, text);
      const provider = (options.executionProviders ?? []).find((each) => providerName(each) !== 'cpu');
      const failure = provider && sessionFailure(providerName(provider), text, `${process.platform}-${process.arch}`);
      if (failure) {
        const { cause, fix } = failure;
        throw new ServeOptError('SO5005', `Execution provider ${formatProvider(provider)} is not available: ${cause}`, {
          ...(text === cause ? {} : { why: text }),
          ...(fix === undefined ? {} : { hint: fix }),
          cause: error,
        });
      }
      // ONNX Runtime repeats the path, once or twice; it is in the location already.
      const short = text.replaceAll(`Load model from ${path} failed:`, '').trim();
      throw new ServeOptError('SO5001', `ONNX Runtime rejects the model: ${short}`, {
        location: { file: path },
        cause: error,
      });
    }
  }

  async run(feeds: Feeds, fetches?: readonly string[]): Promise<Map<string, HostTensor>> {
    const results = await this.prepare(feeds, fetches)();
    const outputs = new Map<string, HostTensor>();
    for (const name of fetches ?? this.outputNames) {
      const tensor = results[name];
      if (tensor) outputs.set(name, hostTensor(tensor));
    }
    return outputs;
  }

  prepare(feeds: Feeds, fetches?: readonly string[]): () => Promise<Readonly<Record<string, Tensor>>> {
    const nativeFeeds = this.#nativeFeeds(feeds);
    const names = fetches ?? this.outputNames;
    for (const name of names) this.#checkFetch(name);
    return async () => {
      try {
        return (await this.#native.run(nativeFeeds, names)) as Readonly<Record<string, Tensor>>;
      } catch (error) {
        const text = onnxRuntimeMessage(error);
        if (Number.isFinite(this.#memoryBytes) && saysNoMemory(text)) throw overLimit(this.#memoryBytes, text);
        throw new ServeOptError('SO5002', `ONNX Runtime failed while running: ${text}`, {
          cause: error,
        });
      }
    };
  }

  /** Writes the profile, where `profilePrefix` was given. */
  endProfiling(): void {
    this.#native.endProfiling();
  }

  /** Frees the native session. It must not be used afterwards. */
  async release(): Promise<void> {
    await this.#native.release();
  }

  /** Fetching an int4 output would end the process, so it is refused here whatever the caller screened. */
  #checkFetch(name: string): void {
    if (this.#unfetchable.has(name)) {
      throw new ServeOptError('SO5006', `ONNX Runtime for Node cannot pass the output "${name}"`);
    }
    if (!this.outputNames.includes(name)) {
      throw new ServeOptError('SO4002', `The model has no output "${name}"`, {
        why: `Its outputs are ${list(this.outputNames)}`,
      });
    }
  }

  #nativeFeeds(feeds: Feeds): NativeFeeds {
    for (const name of feeds.keys()) {
      // ONNX Runtime for Node ignores unknown names silently.
      if (!this.#inputByName.has(name)) {
        throw new ServeOptError('SO4002', `The model has no input "${name}"`, {
          why: `Its inputs are ${list(this.inputNames)}`,
        });
      }
    }
    const native: NativeFeeds = Object.create(null);
    for (const input of this.inputs) {
      const given = feeds.get(input.name);
      if (!given) {
        throw new ServeOptError('SO4002', `The data has no array for the input "${input.name}"`, {
          why: `It has ${list([...feeds.keys()])}`,
        });
      }
      const tensor = narrowed(given, input);
      checkFeed(input, tensor);
      native[input.name] = this.#nativeTensor(input.name, tensor);
    }
    return native;
  }

  #nativeTensor(name: string, tensor: HostTensor): Tensor {
    const type = hostTypeName(tensor.dataType);
    if (type === undefined) {
      throw new ServeOptError(
        'SO5006',
        `ONNX Runtime for Node cannot pass the input "${name}" of type ${dataTypeName(tensor.dataType)}`,
      );
    }
    try {
      // The constructor's overloads want a literal type name with its array type; both came out of one HostTensor.
      const construct = this.#ort.Tensor as unknown as new (
        type: string,
        data: HostData,
        dims: readonly number[],
      ) => Tensor;
      return new construct(type, tensor.data, tensor.dims);
    } catch (error) {
      throw new ServeOptError('SO4002', `The input "${name}" cannot be created: ${onnxRuntimeMessage(error)}`, {
        cause: error,
      });
    }
  }
}

function sessionValue(metadata: InferenceSession.ValueMetadata): SessionValue {
  if (!metadata.isTensor) return { name: metadata.name, dataType: undefined, shape: [] };
  return { name: metadata.name, dataType: HOST_TYPES.get(metadata.type), shape: metadata.shape };
}

function hostTensor(tensor: Tensor): HostTensor {
  const dataType = HOST_TYPES.get(tensor.type) ?? DataType.UNDEFINED;
  return { dataType, dims: tensor.dims, data: tensor.data as HostData };
}

/** FLOAT samples of a model whose copy takes FLOAT16 are rounded for it. */
function narrowed(tensor: HostTensor, { dataType }: SessionValue): HostTensor {
  if (dataType !== DataType.FLOAT16 || !(tensor.data instanceof Float32Array)) return tensor;
  const bits = new Uint16Array(tensor.data.length);
  float32ToFloat16(tensor.data, bits);
  return { dataType, dims: tensor.dims, data: bits };
}

/** Type, rank and fixed sizes, said in words that name both sides. @throws SO4002 */
function checkFeed(input: SessionValue, tensor: HostTensor): void {
  const wanted = `${dataTypeName(input.dataType ?? DataType.UNDEFINED)}[${input.shape.map((d) => d || '?').join(',')}]`;
  const given = `${dataTypeName(tensor.dataType)}[${tensor.dims.join(',')}]`;
  const mismatch = (): ServeOptError =>
    new ServeOptError('SO4002', `The model's input "${input.name}" is ${wanted}, but the data has ${given}`);
  if (input.dataType !== undefined && input.dataType !== tensor.dataType) throw mismatch();
  // An empty shape may also mean that the rank is unknown.
  if (input.shape.length > 0) {
    if (input.shape.length !== tensor.dims.length) throw mismatch();
    if (input.shape.some((dim, axis) => typeof dim === 'number' && dim !== tensor.dims[axis])) throw mismatch();
  }
  if (elementCount(tensor.dims) !== tensor.data.length) {
    throw new ServeOptError('SO4002', `The input "${input.name}" has ${tensor.data.length} elements for ${given}`);
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  if (names.length > 8) shown.push(`${names.length - 8} more`);
  return shown.length === 0 ? 'none' : shown.join(', ');
}
