import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src/samples/types.js';
import { checkResponse } from '../../src/serving/check-response.js';
import type { PreparedRequest, ServerClient, ServerResponse } from '../../src/serving/client.js';
import { elementsFromJson, encodePieces, jsonPieces, nestedShape } from '../../src/serving/json-tensor.js';
import { tensorFromBytes, tensorToBytes } from '../../src/serving/v2-tensor.js';
import { DataType } from '../../src/tensor/dtype.js';

describe('binary tensors', () => {
  it('writes BYTES after their lengths', () => {
    const tensor: HostTensor = { dataType: DataType.STRING, dims: [2], data: ['é', ''] };
    const bytes = tensorToBytes(tensor);
    expect([...bytes]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
    expect(tensorFromBytes('y', 'BYTES', [2], bytes)).toEqual(tensor);
  });

  it.each([
    ['FP32', [2], 7],
    ['FP16', [2], 5],
    ['INT64', [], 4],
    ['BOOL', [3], 2],
    ['BYTES', [1], 3],
  ])('refuses %s%j in %i bytes', (type, dims, size) => {
    expect(() => tensorFromBytes('y', type, dims, new Uint8Array(size))).toThrow(
      expect.objectContaining({ code: 'SO5103' }),
    );
  });

  it.each([
    ['FP99', [1]],
    ['FP32', [-1]],
    ['FP32', [2 ** 40, 2 ** 40]],
    ['FP32', [0.5]],
  ])('refuses %s%j', (type, dims) => {
    expect(() => tensorFromBytes('y', type, dims, new Uint8Array(4))).toThrow(
      expect.objectContaining({ code: 'SO5103' }),
    );
  });

  it('takes bytes at any offset', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat64(1, 2.5, true);
    expect(tensorFromBytes('y', 'FP64', [1], bytes.subarray(1)).data).toEqual(Float64Array.of(2.5));
  });

  it('never fails with anything but SO5103 on hostile bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(5), { maxLength: 3 }), (bytes, dims) => {
        try {
          tensorFromBytes('y', 'BYTES', dims, bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'SO5103' });
        }
      }),
    );
  });
});

const json = (tensor: HostTensor, ...part: [(readonly number[])?, number?]): string =>
  [...jsonPieces('x', tensor, ...part)].join('');

describe('JSON tensors', () => {
  it('gives back every float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = json({ dataType: DataType.FLOAT, dims: [], data: Float32Array.of(value) });
        expect(Math.fround(Number(text))).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it('keeps all digits of 64-bit integers', () => {
    const data = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n);
    expect(json({ dataType: DataType.INT64, dims: [2], data })).toBe('[-9223372036854775808,9223372036854775807]');
  });

  it('has no word for NaN', () => {
    const tensor = { dataType: DataType.FLOAT, dims: [1], data: Float32Array.of(Number.NaN) };
    expect(() => json(tensor)).toThrow(expect.objectContaining({ code: 'SO4002' }));
  });

  it('nests by shape', () => {
    const data = Int32Array.of(1, 2, 3, 4);
    expect(json({ dataType: DataType.INT32, dims: [2, 1, 2], data })).toBe('[[[1,2]],[[3,4]]]');
    expect(json({ dataType: DataType.INT32, dims: [], data: Int32Array.of(7) })).toBe('7');
    expect(json({ dataType: DataType.BOOL, dims: [2], data: Uint8Array.of(0, 1) })).toBe('[false,true]');
    expect(nestedShape([[[1, 2]], [[3, 4]]])).toEqual([2, 1, 2]);
  });

  it('writes a part of a tensor, a flat list and empty lists', () => {
    const tensor = { dataType: DataType.INT32, dims: [2, 2], data: Int32Array.of(1, 2, 3, 4) };
    expect(json(tensor, [2], 2)).toBe('[3,4]');
    expect(json(tensor, [4])).toBe('[1,2,3,4]');
    expect(json({ dataType: DataType.INT32, dims: [2, 0], data: new Int32Array(0) })).toBe('[[],[]]');
  });

  it('is the JSON of any tensor, however long', async () => {
    const data = Float64Array.from({ length: 60_000 }, (_, index) => index / 7);
    const pieces = [...jsonPieces('x', { dataType: DataType.DOUBLE, dims: [300, 200], data })];
    expect(pieces.length).toBeGreaterThan(5);
    const rows = JSON.parse(Buffer.from(await encodePieces(pieces, undefined)).toString()) as number[][];
    expect(rows.length).toBe(300);
    expect(rows.flat()).toEqual([...data]);
  });

  it.each([
    [DataType.FLOAT, [1, 'a'], 2],
    [DataType.FLOAT, [1], 2],
    [DataType.INT64, [1.5], 1],
    [DataType.STRING, [1], 1],
    [DataType.FLOAT, { a: 1 }, 1],
  ])('refuses data type %i from %j', (dataType, value, count) => {
    expect(() => elementsFromJson('y', dataType, value, count)).toThrow(expect.objectContaining({ code: 'SO5103' }));
  });

  it('refuses lists nested without end', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 5000; depth++) value = [value];
    expect(() => elementsFromJson('y', DataType.FLOAT, value, 1)).toThrow(expect.objectContaining({ code: 'SO5103' }));
  });
});

describe('checkAnswer', () => {
  const check = (dims: number[], shape: (number | undefined)[], dataType: number = DataType.FLOAT): unknown => {
    const tensor = { dataType, dims, data: new Float32Array(0) };
    const client = { decode: () => new Map([['y', tensor]]) } as unknown as ServerClient;
    const outputs = [{ name: 'y', dataType: DataType.FLOAT, shape, typeText: 'float' }];
    return checkResponse(client, { name: 'm', outputs, notes: [] }, {} as ServerResponse, {} as PreparedRequest);
  };

  it.each([
    [
      [2, 3],
      [undefined, 3],
    ],
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 1], [undefined]],
    [[1, 1], [undefined]],
    [[4], [1, 4]],
    [
      [2, 3],
      [undefined, 1, 3],
    ],
  ])('%j fits %j', (dims, shape) => {
    expect(() => check(dims, shape)).not.toThrow();
  });

  it.each([
    [
      [2, 4],
      [undefined, 3],
    ],
    [[2], [undefined, 3]],
    [
      [2, 3, 4],
      [undefined, 3],
    ],
    [
      [3, 1],
      [1, 4, 1, 1],
    ],
  ])('%j does not fit %j', (dims, shape) => {
    expect(() => check(dims, shape)).toThrow(expect.objectContaining({ code: 'SO5103' }));
  });

  it('wants the type and every output', () => {
    expect(() => check([2], [2], DataType.DOUBLE)).toThrow(expect.objectContaining({ code: 'SO5103' }));
    const client = { decode: () => new Map() } as unknown as ServerClient;
    const outputs = [{ name: 'y', dataType: DataType.FLOAT, shape: [1], typeText: 'float' }];
    expect(() =>
      checkResponse(client, { name: 'm', outputs, notes: [] }, {} as ServerResponse, {} as PreparedRequest),
    ).toThrow('lacks the output "y"');
  });
});
