import { ServeOptError } from '../../errors.js';
import type { DataTypeCode } from '../../tensor/dtype.js';
import { elementCount } from '../../tensor/tensor.js';
import type { HostData } from '../types.js';
import type { ByteRange } from './byte-range.js';
import { npyElement } from './npy-element.js';
import { readNpyHeader } from './npy-header.js';

/** One named array of a data set, not yet matched to a model input. */
export interface SourceArray {
  /** Name in the data: archive member, column or file stem. */
  readonly name: string;
  /** How messages call where it lies, for example `calib.npz: input`. */
  readonly label: string;
  readonly dims: readonly number[];
  readonly dataType: DataTypeCode;
  /** The element type as the data calls it: `float64`, `number`. */
  readonly typeText: string;
  /** True for text formats, whose numbers have no type of their own: they become what the model takes. */
  readonly untyped: boolean;
  /** `count` elements in C order from element `start`. The data may be a view: never write to it. */
  read(start: number, count: number): HostData;
}

/** What reading a data set may cost; see `DatasetOptions`. */
export interface ReadLimits {
  /** Most bytes of decompressed or reordered array data kept in memory for one file. */
  readonly maximumBytes: number;
}

/** An array already in memory. */
export function memoryArray(array: Omit<SourceArray, 'read'> & { readonly data: HostData }): SourceArray {
  const { data, ...rest } = array;
  return { ...rest, read: (start, count) => sliceData(data, start, start + count) };
}

/** Elements `start..end`: a view of a typed array, a copy of a list of strings. */
export function sliceData(data: HostData, start: number, end: number): HostData {
  return Array.isArray(data)
    ? data.slice(start, end)
    : (data as Exclude<HostData, readonly string[]>).subarray(start, end);
}

/**
 * An array in .npy form, read by range: only its header is read here.
 * @throws SO4001 when the header is damaged or the length does not fit the shape, SO4003 for Python objects,
 * SO2104 when the array must be held in memory whole and is too large for that.
 */
export function npyArray(name: string, range: ByteRange, limits: ReadLimits): SourceArray {
  const header = readNpyHeader(range);
  const element = npyElement(header.descr, range.label);
  const { dims, dataOffset } = header;
  const size = elementCount(dims);
  const bytes = size * element.itemBytes;
  const present = range.byteLength - dataOffset;
  if (bytes !== present) {
    throw new ServeOptError(
      'SO4001',
      `"${range.label}" ${bytes > present ? 'ends early' : 'has extra bytes after its array'}`,
      {
        why: `its shape (${dims.join(', ')}) of ${element.typeText} needs ${bytes} bytes, but it has ${present}`,
        hint: 'write the array again; it may be a partial download',
      },
    );
  }
  const readBytes = (start: number, count: number) =>
    element.decode(
      range.read(dataOffset + start * element.itemBytes, dataOffset + (start + count) * element.itemBytes),
    );
  // Zero-width strings take no bytes, so the decoder cannot count them.
  const read = element.itemBytes === 0 ? (_: number, count: number) => new Array<string>(count).fill('') : readBytes;
  const array = {
    name,
    label: range.label,
    dims,
    dataType: element.dataType,
    typeText: element.typeText,
    untyped: false,
  };
  if (element.itemBytes === 0 && size > limits.maximumBytes) throw tooLarge(range.label, size, limits);
  if (!header.fortranOrder || dims.filter((d) => d > 1).length < 2) return { ...array, read };
  if (bytes > limits.maximumBytes) throw tooLarge(range.label, bytes, limits);
  let ordered: HostData | undefined;
  return {
    ...array,
    read(start, count) {
      ordered ??= toRowMajor(read(0, size), dims);
      return sliceData(ordered, start, start + count);
    },
  };
}

/** An array or archive that would have to be held in memory and is beyond the limit. */
export function tooLarge(label: string, bytes: number, limits: ReadLimits): ServeOptError {
  return new ServeOptError(
    'SO2104',
    `"${label}" would take ${bytes} bytes in memory; the limit is ${limits.maximumBytes}`,
    {
      hint: 'save the arrays uncompressed (np.savez, np.save) in C order: those are read piece by piece',
    },
  );
}

/** Elements of a column-major array in row-major order: one linear pass with an index that counts like an odometer. */
function toRowMajor(data: HostData, dims: readonly number[]): HostData {
  const strides: number[] = [];
  let stride = 1;
  for (const dim of dims) {
    strides.push(stride);
    stride *= dim;
  }
  const size = stride;
  const index = new Array<number>(dims.length).fill(0);
  const order = new Uint32Array(size);
  let from = 0;
  for (let to = 0; to < size; to++) {
    order[to] = from;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const step = strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      from += step;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      from -= step * (dims[axis] as number);
      index[axis] = 0;
    }
  }
  if (Array.isArray(data)) return Array.from(order, (i) => (data as readonly string[])[i] as string);
  const source = data as Float32Array;
  const target = source.slice();
  for (let to = 0; to < size; to++) target[to] = source[order[to] as number] as number;
  return target;
}
