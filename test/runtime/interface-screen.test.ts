import { describe, expect, it } from 'vitest';
import { fetchableOutputs, screenInterface } from '../../src/runtime/interface-screen.js';
import type { ValueSpec } from '../../src/samples/types.js';
import { DataType, type DataTypeCode, dataTypeName } from '../../src/tensor/dtype.js';

const tensor = (name: string, dataType: DataTypeCode): ValueSpec => ({
  name,
  dataType,
  shape: [1],
  typeText: `${dataTypeName(dataType)}[1]`,
});
const map: ValueSpec = {
  name: 'probabilities',
  dataType: undefined,
  shape: undefined,
  typeText: 'seq(map(int64, float))',
};
const untyped: ValueSpec = { name: 'u', dataType: undefined, shape: undefined, typeText: '?' };
const x = tensor('x', DataType.FLOAT);

describe('screenInterface', () => {
  it('names the value and its type', () => {
    const screen = () => screenInterface([tensor('a"b', DataType.BFLOAT16)], [tensor('z', DataType.COMPLEX64)]);
    expect(screen).toThrow(
      expect.objectContaining({
        code: 'SO5006',
        message: expect.stringContaining('input "a"b" is bfloat16[1], output "z" is complex64[1]'),
      }),
    );
  });

  it('refuses int4 inputs, and int4 outputs when there is nothing else to compare', () => {
    expect(() => screenInterface([tensor('q', DataType.INT4)], [x])).toThrow(
      expect.objectContaining({ code: 'SO5006' }),
    );
    expect(() => screenInterface([x], [tensor('q', DataType.INT4)])).toThrow(
      expect.objectContaining({ code: 'SO5006' }),
    );
    expect(() => screenInterface([x], [tensor('q', DataType.INT4), x])).not.toThrow();
  });

  it('lets a classifier with a map output pass, and leaves that output out', () => {
    const label = tensor('label', DataType.INT64);
    expect(() => screenInterface([x], [label, map])).not.toThrow();
    expect(fetchableOutputs([label, map, tensor('q', DataType.UINT4), untyped])).toEqual(['label', 'u']);
    expect(() => screenInterface([map], [label])).toThrow(expect.objectContaining({ code: 'SO5006' }));
  });

  it('passes every type that crosses, and values without a type', () => {
    const codes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
    const all = codes.map((code) => tensor(`t${code}`, code));
    expect(() => screenInterface(all, [...all, untyped])).not.toThrow();
    expect(() => screenInterface([], [])).not.toThrow();
  });
});
