/** Messages against protobufjs's own reflection, which has the schema in its own notation and generates its own code. */
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeMessage, type ListLimit, MessageError } from '../../src/proto/decode-message.js';
import { delimited, encodeMessage } from '../../src/proto/encode-message.js';
import { INFERENCE_V2 } from '../../src/proto/inference-v2.js';
import type { Schema } from '../../src/proto/schema.js';

const SCHEMA = {
  Outer: {
    fields: {
      text: { type: 'string', id: 1 },
      flag: { type: 'bool', id: 2 },
      small: { type: 'int32', id: 3 },
      plain: { type: 'uint32', id: 4 },
      large: { type: 'int64', id: 5 },
      unsigned: { type: 'uint64', id: 6 },
      single: { type: 'float', id: 7 },
      exact: { type: 'double', id: 8 },
      raw: { type: 'bytes', id: 9 },
      numbers: { rule: 'repeated', type: 'int64', id: 10 },
      floats: { rule: 'repeated', type: 'float', id: 11 },
      texts: { rule: 'repeated', type: 'string', id: 12 },
      inner: { rule: 'repeated', type: 'Inner', id: 200 },
    },
  },
  Inner: { fields: { name: { type: 'string', id: 1 }, sizes: { rule: 'repeated', type: 'uint64', id: 2 } } },
} as const satisfies Schema;

const reference = protobuf
  .parse(`
  syntax = "proto3";
  message Outer { string text = 1; bool flag = 2; int32 small = 3; uint32 plain = 4; int64 large = 5; uint64 unsigned = 6;
    float single = 7; double exact = 8; bytes raw = 9; repeated int64 numbers = 10; repeated float floats = 11;
    repeated string texts = 12; repeated Inner inner = 200; }
  message Inner { string name = 1; repeated uint64 sizes = 2; }
  message Unpacked { repeated int64 numbers = 10 [packed = false]; repeated float floats = 11 [packed = false]; }
`)
  .root.lookupType('Outer');
const unpacked = reference.root.lookupType('Unpacked');

const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** As the decoder gives it: a number where that is exact. */
const exact = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

const messages = fc.record({
  text: fc.string({ unit: 'grapheme' }),
  flag: fc.boolean(),
  small: fc.integer(),
  plain: fc.nat(),
  large: signed.map(exact),
  unsigned: unsigned.map(exact),
  single: fc.float({ noNaN: true }).map((value) => value + 0),
  exact: fc.double({ noNaN: true }).map((value) => value + 0),
  raw: fc.uint8Array(),
  numbers: fc.array(signed.map(exact)),
  floats: fc.array(fc.float({ noNaN: true })),
  texts: fc.array(fc.string()),
  inner: fc.array(fc.record({ name: fc.string(), sizes: fc.array(unsigned.map(exact)) })),
});

const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item) => {
      if (typeof item === 'bigint') return String(item);
      // A Buffer is { type, data } by now.
      return item instanceof Uint8Array ? [...item] : item?.type === 'Buffer' ? item.data : item;
    }),
  );

describe('protobuf messages by schema', () => {
  it('are what protobufjs reads, and come back as they were', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = encodeMessage(SCHEMA, 'Outer', message);
        const read = reference.toObject(reference.decode(bytes), { longs: String, bytes: Array, defaults: true });
        const texts = plain({
          ...message,
          large: String(message.large),
          unsigned: String(message.unsigned),
          numbers: message.numbers.map(String),
          inner: message.inner.map(({ name, sizes }) => ({ name, sizes: sizes.map(String) })),
        });
        expect(plain(read)).toEqual(texts);
        expect(plain(decodeMessage(SCHEMA, 'Outer', bytes))).toEqual(plain(message));
        const written = reference.encode(reference.fromObject(read)).finish();
        expect(plain(decodeMessage(SCHEMA, 'Outer', written))).toEqual(plain(message));
      }),
    );
  });

  it('are read with lists that are not packed, and with unknown fields', () => {
    const bytes = unpacked.encode(unpacked.fromObject({ numbers: [-1, 5], floats: [0.5, -2] })).finish();
    const unknown = Uint8Array.of(0x98, 0x06, 0x01, 0x9a, 0x06, 0x02, 0, 0);
    const message = decodeMessage(SCHEMA, 'Outer', Buffer.concat([unknown, bytes, unknown]));
    expect(message).toMatchObject({ text: '', numbers: [-1, 5], floats: [0.5, -2], inner: [] });
  });

  it('end as a message or as a MessageError, whatever the bytes', () => {
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (message, edits, cut) => {
          const bytes = encodeMessage(SCHEMA, 'Outer', message).slice(0, -(cut % 3) || undefined);
          for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            decodeMessage(SCHEMA, 'Outer', bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MessageError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['packed', Buffer.concat([Uint8Array.of(10 * 8 + 2, 100), new Uint8Array(100)])],
    ['one by one', Buffer.concat(Array.from({ length: 100 }, () => Uint8Array.of(10 * 8, 0)))],
  ])('keep a list within its limit, %s', (_, bytes) => {
    const limit = (most: number, beyond: ListLimit['beyond']) => ({ lists: new Map([['numbers', { most, beyond }]]) });
    const numbers = (options: ReturnType<typeof limit>) =>
      decodeMessage(SCHEMA, 'Outer', bytes, options).numbers.length;
    expect(numbers(limit(7, 'drop'))).toBe(7);
    expect(numbers(limit(100, 'refuse'))).toBe(100);
    expect(() => numbers(limit(99, 'refuse'))).toThrow(/numbers has more than 99 elements/);
  });

  it('keep a list that has no limit of its own within the default', () => {
    const bytes = Buffer.alloc(2 * 1_000_000);
    for (let at = 0; at < bytes.length; at += 2) bytes[at] = 12 * 8 + 2;
    expect(decodeMessage(SCHEMA, 'Outer', bytes).texts).toHaveLength(1024);
  });

  it.each([
    ['a length beyond the end', [12 * 8 + 2, 5, 0x61]],
    ['a packed list that ends inside an element', [11 * 8 + 2, 3, 0, 0, 0]],
    ['an inner message that reads on behind its end', [0xc2, 0x0c, 2, 0x0a, 5, 0x61, 0x61, 0x61, 0x61, 0x61]],
    ['another wire type', [1 * 8, 1]],
    ['a varint without end', [3 * 8, 0xff, 0xff]],
  ])('refuse %s', (_, bytes) => {
    expect(() => decodeMessage(SCHEMA, 'Outer', Uint8Array.from(bytes))).toThrow(MessageError);
  });

  it('give bytes as views, and append them without a copy', () => {
    const payload = Uint8Array.of(1, 2, 3);
    const [head, same] = delimited(INFERENCE_V2.ModelInferResponse.fields.raw_output_contents.id, payload);
    expect(same).toBe(payload);
    const message = new Uint8Array(Buffer.concat([head, same]));
    const [raw] = decodeMessage(INFERENCE_V2, 'ModelInferResponse', message).raw_output_contents;
    expect(raw).toEqual(payload);
    expect(raw?.buffer).toBe(message.buffer);
  });
});
