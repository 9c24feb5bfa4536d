import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attribute, attribute, floatAttribute } from '../../../src/ir/attribute.js';
import { evaluateNode, hasKernel } from '../../../src/ops/eval/evaluate-node.js';
import { newestVersion, opNames, opSchema } from '../../../src/ops/schema.js';
import { DataType, rawByteLength } from '../../../src/tensor/dtype.js';
import { elementCount, Tensor } from '../../../src/tensor/tensor.js';
import { operatorNode } from '../../helpers/evaluate-operator.js';

const one = Tensor.float32([1]);

describe('hasKernel', () => {
  it('knows no random, quantizing or heavy operator', () => {
    const left = [
      'RandomNormal',
      'RandomUniformLike',
      'Bernoulli',
      'Multinomial',
      'QuantizeLinear',
      'DequantizeLinear',
      'Conv',
      'If',
      'Loop',
    ];
    for (const name of left) expect(hasKernel('', name), name).toBe(false);
    expect(hasKernel('', 'Add')).toBe(true);
    expect(hasKernel('com.microsoft', 'Add')).toBe(false);
  });

  it('names operators that exist and are deterministic', () => {
    // Dropout is computed in inference mode only.
    const known = opNames('').filter((name) => hasKernel('', name) && name !== 'Dropout');
    expect(known.length).toBeGreaterThan(120);
    for (const name of known) expect(opSchema('', name, newestVersion(''))?.determinism, name).toBe('deterministic');
  });
});

describe('evaluateNode', () => {
  const reason = (...args: Parameters<typeof evaluateNode>): string => {
    const result = evaluateNode(...args);
    return typeof result === 'string' ? result : 'no reason';
  };

  it('gives a reason where it cannot compute', () => {
    const add = (inputs: readonly (Tensor | undefined)[], attributes: readonly Attribute[] = []) =>
      reason(operatorNode('Add', inputs, attributes), inputs, 21);
    expect(add([one, Tensor.int64([1])])).toBe('B is tensor(int64), but T is tensor(float)');
    expect(add([one, undefined])).toBe('input 1 is missing');
    expect(add([one, one, one])).toBe('Add has at most 2 inputs');
    expect(add([one, one], [attribute('axis', 1)])).toBe('Add of version 14 has no attribute axis');
    expect(reason(operatorNode('Add', [one, one]), [one, undefined], 21)).toBe('input 1 is missing');
    expect(reason(operatorNode('Conv', [one, one]), [one, one], 21)).toBe('Conv has no kernel');
    expect(reason(operatorNode('Gelu', [one]), [one], 19)).toBe('Gelu does not exist in version 19');
    expect(reason(operatorNode('Scatter', [one]), [one], 11)).toBe('Scatter does not exist in version 11');
    expect(reason(operatorNode('Clip', [one, one]), [one, undefined], 13)).toBe('input 1 is not constant');
  });

  it('gives a reason where an attribute is a reference or of another kind', () => {
    const reference: Attribute = { name: 'axis', value: { kind: 'reference', value: 'which' } };
    expect(reason(operatorNode('Softmax', [one], [reference]), [one], 13)).toContain('is a reference');
    expect(reason(operatorNode('Softmax', [one], [floatAttribute('axis', 1)]), [one], 13)).toContain('kind int');
  });

  it('gives a reason where a constant cannot be read', () => {
    const data = {
      byteLength: 4,
      read: () => {
        throw Tensor.of(DataType.FLOAT, [2], new Uint8Array(4));
      },
      *chunks() {},
    };
    const broken = Tensor.of(DataType.FLOAT, [1], data);
    expect(reason(operatorNode('Neg', [broken]), [broken], 21)).toContain('cannot be read');
  });

  it('leaves out outputs that the node leaves out', () => {
    const node = operatorNode('TopK', [one, one], [], 2);
    node.setOutput(0, undefined);
    const result = evaluateNode(node, [one, Tensor.int64([1])], 21);
    expect(typeof result === 'string' ? result : result.map((tensor) => tensor?.dims)).toEqual([undefined, [1]]);
  });
});

/** Tensors, lists and attributes thrown together: most of it is ill-formed. */
describe('ill-formed nodes', () => {
  const known = opNames('').filter((name) => hasKernel('', name));
  const types = [1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 16, 17, 21, 22, 14, 28];
  const tensor = fc
    .record({
      dataType: fc.constantFrom(...types),
      dims: fc.array(fc.nat(3), { maxLength: 3 }),
      bytes: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    })
    .map(({ dataType, dims, bytes }) => {
      const count = elementCount(dims);
      if (dataType === DataType.STRING)
        return Tensor.strings(dims, () => Array.from({ length: count }, () => bytes.slice(0, 2)));
      const byteLength = rawByteLength(dataType, count) ?? count;
      return Tensor.of(
        dataType,
        dims,
        Uint8Array.from({ length: byteLength }, (_, at) => bytes[at % 64] as number),
      );
    });
  const list = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 4 }).map((items) => Tensor.int64(items));
  const scalar = fc.integer({ min: -4, max: 4 }).map((item) => Tensor.int64([item], []));
  const floats = fc.array(fc.float(), { minLength: 1, maxLength: 6 }).map((items) => Tensor.float32(items));
  const input = fc.oneof(tensor, floats, list, scalar, fc.constant(undefined));

  function someAttribute(name: string, kind: string, number: number): Attribute {
    if (kind === 'float') return floatAttribute(name, number / 2);
    if (kind === 'ints') return attribute(name, [number, 1, -1].slice(0, Math.abs(number)));
    if (kind === 'string') return attribute(name, ['add', 'edge', 'circular', 'ij->ji', 'CRD'][Math.abs(number)] ?? '');
    if (kind === 'tensor') return attribute(name, Tensor.float32([number]));
    return attribute(name, number);
  }

  it('never make it throw', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...known),
        fc.integer({ min: 1, max: 27 }),
        fc.array(input, { maxLength: 4 }),
        fc.array(fc.integer({ min: -4, max: 6 }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        (opType, opset, inputs, numbers, outputs) => {
          const attributes = [...(opSchema('', opType, opset)?.attributes.values() ?? [])]
            .filter((_, at) => (numbers[at] ?? 0) > -2)
            .map(({ name, kind }, at) => someAttribute(name, kind, numbers[at] ?? 1));
          const node = operatorNode(opType, inputs, attributes, outputs);
          const result = evaluateNode(node, inputs, opset, { maxBytes: 1e6 });
          if (typeof result === 'string') return;
          for (const output of result) {
            if (output?.dataType === DataType.STRING) expect(output.stringElements().length).toBe(output.size);
            else if (output)
              expect(output.bytes().byteLength).toBe(rawByteLength(output.dataType, output.size) ?? output.byteLength);
          }
        },
      ),
      { numRuns: 20000 },
    );
  });
});
