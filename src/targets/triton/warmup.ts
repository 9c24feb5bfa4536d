import { ServeOptError } from '../../errors.js';
import type { ModelConfigPart } from '../../proto/model-config.js';
import type { Feeds, HostTensor } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { PackageFile } from '../package-file.js';
import { tritonType } from './data-types.js';
import type { ServedTensor } from './serving-facts.js';

/** Requests that the server runs before a model is ready. */
export interface Warmup {
  readonly requests: readonly ModelConfigPart<'ModelWarmup'>[];
  /** Their data, under `warmup/`. */
  readonly files: readonly PackageFile[];
}

/** Where Triton looks for data of warm-up requests, in the folder of a model. */
const FOLDER = 'warmup';

/**
 * Warm-up requests from one sample: of one row, and of the largest batch where there is one. Values come from files: the random
 * data of Triton are random bytes, so that indices are out of range and floats are NaN, and a model whose warm-up fails is
 * not loaded.
 * @param feeds a tensor for each input, as the model takes it
 */
export function warmupRequests(inputs: readonly ServedTensor[], feeds: Feeds, maxBatch: number): Warmup {
  const files: PackageFile[] = [];
  const settings = new Map<string, ModelConfigPart<'ModelWarmup.Input'>>();
  const names = new Set<string>();
  for (const [index, { name, type, shape, typeText }] of inputs.entries()) {
    const tensor = feeds.get(name);
    if (tensor === undefined) throw new ServeOptError('SO4002', `The warm-up sample has no input "${name}"`);
    const row = maxBatch > 0 ? firstRow(tensor) : tensor;
    const dims = row.dims.length === 0 ? [1] : row.dims;
    if (dims.includes(0)) {
      throw new ServeOptError('SO4002', `The warm-up sample of the input "${name}" is empty: ${dims.join(' × ')}`, {
        why: 'a server takes sizes from 1 on',
      });
    }
    const expected = tritonType('input', { name, dataType: tensor.dataType, shape, typeText });
    if (expected !== type) {
      throw new ServeOptError('SO4002', `The warm-up sample of the input "${name}" has another type than the model`);
    }
    const file = fileName(name, index, names);
    files.push({ path: `${FOLDER}/${file}`, bytes: wireBytes(row) });
    settings.set(name, { data_type: type, dims, input_data_file: file });
  }
  const sizes = maxBatch > 1 ? [1, maxBatch] : [1];
  return { requests: sizes.map((size) => ({ name: `rows-${size}`, batch_size: size, inputs: settings })), files };
}

/** A name that every file system takes, near that of the input. */
function fileName(name: string, index: number, taken: Set<string>): string {
  const plain = name.replace(/[^\w-]+/g, '_').slice(0, 60);
  const file = plain === '' || taken.has(plain.toLowerCase()) ? `${plain}_${index}` : plain;
  taken.add(file.toLowerCase());
  return `${file}.bin`;
}

/** The first row of a batch: its shape without the batch. */
function firstRow({ dataType, dims, data }: HostTensor): HostTensor {
  const rest = dims.slice(1);
  const count = rest.reduce((product, size) => product * size, 1);
  return { dataType, dims: rest, data: ArrayBuffer.isView(data) ? data.slice(0, count) : data.slice(0, count) };
}

/** A tensor as requests carry it: little-endian, strings each behind their length in 32 bits. */
export function wireBytes({ dataType, data }: HostTensor): Uint8Array {
  if (dataType !== DataType.STRING && ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  const parts: Uint8Array[] = [];
  for (const text of data as readonly string[]) {
    const bytes = new TextEncoder().encode(text);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.byteLength, true);
    parts.push(length, bytes);
  }
  return new Uint8Array(Buffer.concat(parts));
}
