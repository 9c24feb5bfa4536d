/** Writes .npy arrays (numpy.lib.format 1.0 to 3.0), well-formed or with a header of the test's choice. */

export interface NpyOptions {
  readonly fortranOrder?: boolean;
  readonly version?: 1 | 2 | 3;
  /** Replaces the whole header text. */
  readonly header?: string;
}

/** A .npy file of the given element type (`<f4`), shape and element bytes. */
export function npy(descr: string, dims: readonly number[], data: ArrayBufferView, options: NpyOptions = {}): Buffer {
  const version = options.version ?? 1;
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
  const order = options.fortranOrder ? 'True' : 'False';
  const text = options.header ?? `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const prefix = version === 1 ? 10 : 12;
  const padding = 64 - ((prefix + text.length + 1) % 64);
  const header = Buffer.from(`${text}${' '.repeat(padding % 64)}\n`, 'latin1');
  const start = Buffer.alloc(prefix);
  Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]).copy(start);
  if (version === 1) start.writeUInt16LE(header.length, 8);
  else start.writeUInt32LE(header.length, 8);
  return Buffer.concat([start, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

export const float32 = (dims: readonly number[], values: Iterable<number>) =>
  npy('<f4', dims, Float32Array.from(values));

export const int64 = (dims: readonly number[], values: Iterable<number>) =>
  npy('<i8', dims, BigInt64Array.from([...values], BigInt));

/** A numpy `U` array: fixed-width UCS-4. */
export function unicode(dims: readonly number[], values: readonly string[], bigEndian = false): Buffer {
  const points = values.map((value) => [...value].map((letter) => letter.codePointAt(0) ?? 0));
  const width = Math.max(1, ...points.map((list) => list.length));
  const data = Buffer.alloc(values.length * width * 4);
  for (const [i, list] of points.entries()) {
    for (const [j, point] of list.entries()) {
      const at = (i * width + j) * 4;
      if (bigEndian) data.writeUInt32BE(point, at);
      else data.writeUInt32LE(point, at);
    }
  }
  return npy(`${bigEndian ? '>' : '<'}U${width}`, dims, data);
}

/** 0, 1, … n-1. */
export const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);
