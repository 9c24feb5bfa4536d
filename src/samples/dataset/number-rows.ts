import { basename } from 'node:path';
import { type ByteSource, openFileSource } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';
import { DataType, dataTypeRow } from '../../tensor/dtype.js';
import { float16ToFloat32 } from '../../tensor/float16.js';
import { elementCount } from '../../tensor/tensor.js';
import type { HostData } from '../types.js';
import { fileRange } from './byte-range.js';
import { npyElement } from './npy-element.js';
import { readNpyHeader } from './npy-header.js';
import { npyArray } from './source-array.js';

/** Rows of numbers in .npy files, read piece by piece. */
export interface NumberRows {
  /** How messages call it: a file name. */
  readonly label: string;
  /** The first dimension of all files together. */
  readonly rows: number;
  /** Dimensions of a row. */
  readonly rowDims: readonly number[];
  /** Elements of a row. */
  readonly width: number;
  /** Type of the elements as numpy calls it. */
  readonly typeText: string;
  /** `count` rows from `start`; the memory is used again by the next call. */
  read(start: number, count: number): Float32Array | Float64Array;
  close(): void;
}

/** An array in Fortran order has to be held whole: at most so many bytes of one. */
const MAXIMUM_REORDERED_BYTES = 2 * 1024 ** 3;

/**
 * Opens .npy files whose rows follow each other. Files stay open and are read by range, so memory holds what one `read` gives.
 * @throws SO2001, SO2002, SO4001 for damaged files and for text, SO4002 where files have rows of different shapes, SO4003 for Python
 * objects, SO4004 without rows
 */
export function openNumberRows(paths: readonly string[]): NumberRows {
  const parts: Part[] = [];
  try {
    for (const path of paths) parts.push(openPart(path));
    return joined(parts);
  } catch (error) {
    for (const part of parts) part.close();
    throw error;
  }
}

interface Part {
  readonly label: string;
  readonly dims: readonly number[];
  readonly typeText: string;
  /** Elements, in memory that the next call may use again. */
  read(start: number, count: number): Float32Array | Float64Array;
  close(): void;
}

function openPart(path: string): Part {
  const label = basename(path);
  const range = fileRange(path, label);
  const header = readNpyHeader(range);
  const element = npyElement(header.descr, label);
  const kind = dataTypeRow(element.dataType)?.kind;
  if (kind !== 'float' && kind !== 'int' && kind !== 'uint' && kind !== 'bool')
    throw new ServeOptError('SO4001', `"${label}" holds ${element.typeText}, not numbers`);
  const { dims } = header;
  const floats = floatReader(element.dataType);
  if (header.fortranOrder && dims.filter((dim) => dim > 1).length > 1) {
    const array = npyArray(label, range, { maximumBytes: MAXIMUM_REORDERED_BYTES });
    return {
      label,
      dims,
      typeText: element.typeText,
      read: (start, count) => floats(array.read(start, count)),
      close: () => {},
    };
  }
  // Checks the length of the file against its shape.
  npyArray(label, range, { maximumBytes: MAXIMUM_REORDERED_BYTES });
  const source: ByteSource = openFileSource(path, label);
  let buffer = new Uint8Array(0);
  return {
    label,
    dims,
    typeText: element.typeText,
    read(start, count) {
      const byteLength = count * element.itemBytes;
      if (buffer.byteLength < byteLength) buffer = new Uint8Array(byteLength);
      const target = buffer.subarray(0, byteLength);
      source.readInto(target, header.dataOffset + start * element.itemBytes);
      return floats(element.decode(target));
    },
    close: () => source.close(),
  };
}

/** Elements as floating-point numbers; what is none already goes into memory that is used again. */
function floatReader(dataType: number): (data: HostData) => Float32Array | Float64Array {
  let halves = new Float32Array(0);
  let wide = new Float64Array(0);
  return (data) => {
    if (data instanceof Float32Array || data instanceof Float64Array) return data;
    if (dataType === DataType.FLOAT16 && data instanceof Uint16Array) {
      if (halves.length < data.length) halves = new Float32Array(data.length);
      const target = halves.subarray(0, data.length);
      float16ToFloat32(data, target);
      return target;
    }
    if (wide.length < data.length) wide = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) wide[i] = Number(data[i]);
    return wide.subarray(0, data.length);
  };
}

function joined(parts: readonly Part[]): NumberRows {
  const [first] = parts;
  if (!first) throw new ServeOptError('SO4004', 'No file of rows was given');
  const rowDims = first.dims.slice(1);
  const starts: number[] = [];
  let rows = 0;
  for (const { label, dims } of parts) {
    if (dims.length === 0) throw new ServeOptError('SO4002', `"${label}" has no rows: it is a single number`);
    if (dims.slice(1).join() !== rowDims.join())
      throw new ServeOptError('SO4002', `"${label}" has rows of [${dims.slice(1).join(', ')}]`, {
        why: `those of "${first.label}" are [${rowDims.join(', ')}]`,
      });
    starts.push(rows);
    rows += dims[0] as number;
  }
  if (rows === 0) throw new ServeOptError('SO4004', `"${first.label}" has no rows`);
  const width = elementCount(rowDims);
  return {
    label: first.label,
    rows,
    rowDims,
    width,
    typeText: first.typeText,
    read(start, count) {
      const at = partAt(starts, start);
      const part = parts[at] as Part;
      const local = start - (starts[at] as number);
      if (local + count <= (part.dims[0] as number)) return part.read(local * width, count * width);
      const target = new Float64Array(count * width);
      for (let row = 0; row < count; ) {
        const index = partAt(starts, start + row);
        const piece = parts[index] as Part;
        const from = start + row - (starts[index] as number);
        const taken = Math.min((piece.dims[0] as number) - from, count - row);
        target.set(piece.read(from * width, taken * width), row * width);
        row += taken;
      }
      return target;
    },
    close() {
      for (const part of parts) part.close();
    },
  };
}

/** Index of the part that holds a row; empty parts hold none. */
function partAt(starts: readonly number[], row: number): number {
  let at = starts.length - 1;
  while (at > 0 && (starts[at] as number) > row) at--;
  return at;
}
