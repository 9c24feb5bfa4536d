import { endianness } from 'node:os';
import { ServeOptError } from '../../errors.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { typedView } from '../../tensor/tensor.js';
import type { HostData } from '../types.js';

/** How the elements of a .npy array are laid out and decoded. */
export interface NpyElement {
  readonly dataType: DataTypeCode;
  readonly itemBytes: number;
  /** numpy's name of the type, for messages: `float32`, `str`. */
  readonly typeText: string;
  /** Elements from bytes that belong to the caller; may change them in place. */
  decode(bytes: Uint8Array): HostData;
}

type View = (bytes: Uint8Array) => HostData;

/** Numeric kinds: key is numpy's kind letter and item size. */
const NUMERIC = new Map<string, readonly [DataTypeCode, string, View]>([
  ['b1', [DataType.BOOL, 'bool', (b) => b]],
  ['i1', [DataType.INT8, 'int8', (b) => typedView(Int8Array, b)]],
  ['i2', [DataType.INT16, 'int16', (b) => typedView(Int16Array, b)]],
  ['i4', [DataType.INT32, 'int32', (b) => typedView(Int32Array, b)]],
  ['i8', [DataType.INT64, 'int64', (b) => typedView(BigInt64Array, b)]],
  ['u1', [DataType.UINT8, 'uint8', (b) => b]],
  ['u2', [DataType.UINT16, 'uint16', (b) => typedView(Uint16Array, b)]],
  ['u4', [DataType.UINT32, 'uint32', (b) => typedView(Uint32Array, b)]],
  ['u8', [DataType.UINT64, 'uint64', (b) => typedView(BigUint64Array, b)]],
  ['f2', [DataType.FLOAT16, 'float16', (b) => typedView(Uint16Array, b)]],
  ['f4', [DataType.FLOAT, 'float32', (b) => typedView(Float32Array, b)]],
  ['f8', [DataType.DOUBLE, 'float64', (b) => typedView(Float64Array, b)]],
]);

/** An element of a string array longer than this is refused. */
const MAXIMUM_STRING_BYTES = 1024 * 1024;
const HOST_ENDIAN = endianness() === 'LE' ? '<' : '>';

/**
 * The element type that a .npy header names (`<f4`, `|b1`, `<U12`, `|S5` …).
 * @throws SO4003 for Python objects, SO4001 for types that no ONNX input takes.
 */
export function npyElement(descr: string, label: string): NpyElement {
  const match = /^([<>|=]?)([a-zA-Z?])(\d{0,9})$/.exec(descr);
  const [, order = '', kind = '', size = ''] = match ?? [];
  if (kind === 'O') {
    throw new ServeOptError('SO4003', `"${label}" contains Python objects (dtype object)`, {
      why: 'such arrays are pickled, and loading a pickle runs code',
      hint: 'save it with a plain dtype, for example np.asarray(x, dtype=np.float32); pickled objects are never loaded',
    });
  }
  const swap = (order === '=' || order === '|' || order === '' ? HOST_ENDIAN : order) !== HOST_ENDIAN;
  const numeric = NUMERIC.get(kind === '?' && size === '' ? 'b1' : kind + size);
  if (numeric) {
    const [dataType, typeText, view] = numeric;
    const itemBytes = Number(size || '1');
    return { dataType, itemBytes, typeText, decode: (bytes) => view(swap ? swapped(bytes, itemBytes) : bytes) };
  }
  if ((kind === 'U' || kind === 'S' || kind === 'a') && size !== '') {
    const itemBytes = Number(size) * (kind === 'U' ? 4 : 1);
    if (itemBytes <= MAXIMUM_STRING_BYTES) {
      const decode =
        kind === 'U'
          ? (bytes: Uint8Array) => decodeUcs4(bytes, itemBytes, order === '>', label)
          : (bytes: Uint8Array) => decodeByteStrings(bytes, itemBytes, label);
      return { dataType: DataType.STRING, itemBytes, typeText: kind === 'U' ? 'str' : 'bytes', decode };
    }
  }
  throw new ServeOptError('SO4001', `"${label}" has the element type "${descr}", which no model input accepts`, {
    why: 'supported are bool, int8…int64, uint8…uint64, float16, float32, float64 and strings',
    hint: 'convert the array with .astype(np.float32) or another plain type before saving it',
  });
}

function swapped(bytes: Uint8Array, itemBytes: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (itemBytes === 2) buffer.swap16();
  else if (itemBytes === 4) buffer.swap32();
  else if (itemBytes === 8) buffer.swap64();
  return bytes;
}

/** numpy `U`: fixed-width UCS-4, padded with zeros at the end. */
function decodeUcs4(bytes: Uint8Array, itemBytes: number, bigEndian: boolean, label: string): string[] {
  if (itemBytes === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += itemBytes) {
    let end = at + itemBytes;
    while (end > at && view.getUint32(end - 4, !bigEndian) === 0) end -= 4;
    let text = '';
    for (let i = at; i < end; i += 4) {
      const point = view.getUint32(i, !bigEndian);
      if (point > 0x10ffff) throw new ServeOptError('SO4001', `"${label}" has a character outside Unicode`);
      text += String.fromCodePoint(point);
    }
    list.push(text);
  }
  return list;
}

/** numpy `S`: fixed-width bytes, padded with zeros at the end, taken as UTF-8. */
function decodeByteStrings(bytes: Uint8Array, itemBytes: number, label: string): string[] {
  if (itemBytes === 0) return [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const list: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += itemBytes) {
    let end = at + itemBytes;
    while (end > at && bytes[end - 1] === 0) end--;
    try {
      list.push(decoder.decode(bytes.subarray(at, end)));
    } catch (cause) {
      throw new ServeOptError('SO4001', `"${label}" has byte strings that are not UTF-8`, { cause });
    }
  }
  return list;
}
