import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/codec/byte-source.js';
import { readSafetensors } from '../../../src/codec/safetensors/read-safetensors.js';
import { layOutSafetensors } from '../../../src/codec/safetensors/safetensors-layout.js';

function file(header: string | object, body = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const read = (bytes: Uint8Array) => readSafetensors(memorySource(bytes, 'model.safetensors'));
const tensor = (start: number, end: number, shape: readonly unknown[], dtype = 'U8') => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('reading the header of a safetensors file', () => {
  it('gives tensors in the order of their bytes, and the metadata', () => {
    const bytes = file({ __metadata__: { format: 'pt' }, b: tensor(4, 8, [2], 'F16'), a: tensor(0, 4, [1, 4]) }, 8);
    const { tensors, metadata } = read(bytes);
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('b')).toMatchObject({ type: 'F16', shape: [2], end: bytes.length, start: bytes.length - 4 });
    expect({ ...metadata }).toEqual({ format: 'pt' });
  });

  it('reads scalars, empty tensors and files without tensors', () => {
    expect(read(file({ s: tensor(0, 4, [], 'F32'), e: tensor(4, 4, [0, 3], 'F32') }, 4)).tensors.size).toBe(2);
    expect(read(file('{}')).tensors.size).toBe(0);
  });

  it('keeps a tensor called __proto__', () => {
    expect([...read(file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)).tensors.keys()]).toEqual([
      '__proto__',
    ]);
  });

  const refused: readonly [title: string, bytes: Uint8Array, why: RegExp][] = [
    ['an empty file', new Uint8Array(), /too few/],
    ['a header that claims 100 GB', Uint8Array.of(0, 0, 0, 0, 25, 0, 0, 0, 0x7b, 0x7d), /at most 100000000/],
    ['a header beyond the end', Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /has 10 in all/],
    ['a header that is a list', file('[1]'), /does not begin with \{/],
    ['a header that is cut off', file('{"a":'), /not usable JSON/],
    ['deep nesting', file(`{"a":${'['.repeat(50)}${']'.repeat(50)}}`), /nested/],
    ['bytes that are not UTF-8', file('{"\u0000":1}').map((byte) => (byte === 0 ? byte : byte)), /no object|JSON/],
    [
      'a name twice',
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        1,
      ),
      /key "a" twice/,
    ],
    [
      'a name twice by an escape',
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /key "a" twice/,
    ],
    ['a field twice', file('{"a":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,1]}}', 1), /twice|needs/],
    ['an overlap', file({ a: tensor(0, 4, [4]), b: tensor(2, 6, [4]) }, 6), /overlap/],
    ['a hole', file({ a: tensor(0, 4, [4]), b: tensor(6, 8, [2]) }, 8), /hole of 2 bytes/],
    ['a hole at the beginning', file({ a: tensor(4, 8, [4]) }, 8), /hole of 4 bytes/],
    ['bytes behind the last tensor', file({ a: tensor(0, 4, [4]) }, 5), /1 bytes follow/],
    ['a file that ends early', file({ a: tensor(0, 4, [4]) }, 3), /ends early/],
    ['a size that does not fit the shape', file({ a: tensor(0, 4, [3]) }, 4), /needs 3 bytes, not 4/],
    ['offsets in the wrong order', file({ a: tensor(4, 0, [4]) }, 4), /needs 4 bytes, not -4/],
    ['negative sizes', file({ a: tensor(0, 4, [-2, -2]) }, 4), /shape/],
    ['sizes that are no whole numbers', file({ a: tensor(0, 4, [1.5]) }, 4), /shape/],
    ['a shape whose product overflows', file({ a: tensor(0, 4, [2 ** 40, 2 ** 40]) }, 4), /too large/],
    ['an unknown type', file({ a: tensor(0, 4, [4], 'F5') }, 4), /unknown type "F5"/],
    ['a type from the prototype of objects', file({ a: tensor(0, 4, [4], 'toString') }, 4), /unknown type/],
    ['an unknown field', file({ a: { ...tensor(0, 4, [4]), extra: 1 } }, 4), /unknown field "extra"/],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /no text/],
  ];
  it.each(refused)('refuses %s', (_, bytes, why) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'SO2021', why: expect.stringMatching(why) }));
  });

  it('reads back what is laid out, aligned to elements, names as they are', () => {
    const entries = [
      { name: 'b', type: 'I8', shape: [3] },
      { name: '10', type: 'BF16', shape: [1] },
      { name: '9', type: 'BF16', shape: [1] },
      { name: 'long', type: 'I64', shape: [2] },
      { name: '"quoted"\\', type: 'I8', shape: [0] },
    ] as const;
    const layout = layOutSafetensors(entries, { format: 'pt' });
    const bytes = new Uint8Array(layout.sizeBytes);
    bytes.set(layout.head);
    expect(layout.head.length % 8).toBe(0);
    const { tensors } = read(bytes);
    expect([...tensors.keys()].slice(0, 3)).toEqual(['long', '10', '9']);
    expect(new Set(tensors.keys())).toEqual(new Set(entries.map(({ name }) => name)));
    expect([...tensors]).toEqual([...layout.tensors]);
  });
});
