/** Values with many readers, nodes with many inputs, and paths that part and meet again. */
import { attribute } from '../../../src/ir/attribute.js';
import type { Value } from '../../../src/ir/value.js';
import { call, callNode, emptyModel, floats, input, int64s, type LargeGraph, output } from './builder.js';

const AXIS = [attribute('axis', 0)];

export const FANS: readonly LargeGraph[] = [
  {
    name: 'one value with many readers, joined by Concat',
    size: 50_000,
    make(size) {
      const model = emptyModel('readers');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      const operators = ['Sin', 'Cos', 'Relu', 'Sigmoid', 'Tanh', 'Exp', 'Neg', 'Abs'];
      const parts = Array.from({ length: size }, (_, index) =>
        call(graph, operators[index % operators.length] as string, [x], { name: `reader_${index}` }),
      );
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [size]);
      return model;
    },
  },
  {
    name: 'one value with many different readers',
    size: 50_000,
    make(size) {
      const model = emptyModel('readers');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      const parts = Array.from({ length: size }, (_, index) =>
        call(graph, 'Add', [x, floats(graph, `c_${index}`, [index], [1])], { name: `reader_${index}` }),
      );
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [size]);
      return model;
    },
  },
  {
    name: 'Sum of many values',
    size: 50_000,
    make(size) {
      const model = emptyModel('sum');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      const parts = Array.from({ length: size }, () => x);
      output(graph, call(graph, 'Sum', parts), [1]);
      return model;
    },
  },
  {
    name: 'Concat of many constants and one value',
    size: 50_000,
    make(size) {
      const model = emptyModel('concat');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      const parts: Value[] = Array.from({ length: size }, (_, index) => floats(graph, `c_${index}`, [index], [1]));
      parts.splice(size / 2, 0, x);
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [size + 1]);
      return model;
    },
  },
  {
    name: 'Concat of Concat of Concat',
    size: 20_000,
    make(size) {
      const model = emptyModel('concats');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      let value = x;
      for (let index = 0; index < size; index++)
        value = call(graph, 'Concat', index % 2 === 0 ? [value, x] : [x, value], { attributes: AXIS });
      output(graph, value, [size + 1]);
      return model;
    },
  },
  {
    name: 'Split into many, joined again',
    size: 20_000,
    make(size) {
      const model = emptyModel('split');
      const { graph } = model;
      const x = input(graph, 'x', [size]);
      const parts = callNode(graph, 'Split', [x], size, { attributes: AXIS }).outputs as Value[];
      const moved = parts.map((part) => call(graph, 'Sin', [part]));
      output(graph, call(graph, 'Concat', moved, { attributes: AXIS }), [size]);
      return model;
    },
  },
  {
    name: 'many slices of one value',
    size: 20_000,
    make(size) {
      const model = emptyModel('slices');
      const { graph } = model;
      const x = input(graph, 'x', [size]);
      const parts = Array.from({ length: size }, (_, at) =>
        call(graph, 'Slice', [x, int64s(graph, `s_${at}`, [at]), int64s(graph, `e_${at}`, [at + 1])]),
      );
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [size]);
      return model;
    },
  },
  {
    name: 'diamonds in a row',
    size: 60_000,
    make(size) {
      const model = emptyModel('diamonds');
      const { graph } = model;
      let value = input(graph, 'x', [4]);
      for (let index = 0; index < size / 3; index++)
        value = call(graph, 'Mul', [call(graph, 'Sin', [value]), call(graph, 'Cos', [value])], { name: `d_${index}` });
      output(graph, value, [4]);
      return model;
    },
  },
  {
    name: 'Add of a value with itself in a row',
    size: 50_000,
    make(size) {
      const model = emptyModel('doubles');
      const { graph } = model;
      let value = input(graph, 'x', [4]);
      for (let index = 0; index < size; index++) value = call(graph, 'Add', [value, value]);
      output(graph, value, [4]);
      return model;
    },
  },
  {
    name: 'residual connections in a row',
    size: 60_000,
    make(size) {
      const model = emptyModel('residual');
      const { graph } = model;
      let value = input(graph, 'x', [4]);
      for (let index = 0; index < size / 2; index++) value = call(graph, 'Add', [value, call(graph, 'Tanh', [value])]);
      output(graph, value, [4]);
      return model;
    },
  },
  {
    name: 'every node reads the first value',
    size: 50_000,
    make(size) {
      const model = emptyModel('dense');
      const { graph } = model;
      const x = input(graph, 'x', [4]);
      let value = x;
      for (let index = 0; index < size; index++) value = call(graph, index % 2 === 0 ? 'Mul' : 'Add', [value, x]);
      output(graph, value, [4]);
      return model;
    },
  },
  {
    name: 'many equal subexpressions',
    size: 60_000,
    make(size) {
      const model = emptyModel('equal');
      const { graph } = model;
      const x = input(graph, 'x', [1]);
      const parts = Array.from({ length: size / 3 }, () =>
        call(graph, 'Relu', [call(graph, 'Sin', [call(graph, 'Neg', [x])])]),
      );
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [parts.length]);
      return model;
    },
  },
  {
    name: 'a tree of Add',
    size: 60_000,
    make(size) {
      const model = emptyModel('tree');
      const { graph } = model;
      const x = input(graph, 'x', [4]);
      let level: Value[] = Array.from({ length: size / 2 }, (_, index) =>
        call(graph, 'Mul', [x, floats(graph, `m_${index}`, [index])]),
      );
      while (level.length > 1) {
        const next: Value[] = [];
        for (let at = 0; at < level.length; at += 2) {
          const [a, b] = [level[at] as Value, level[at + 1]];
          next.push(b ? call(graph, 'Add', [a, b]) : a);
        }
        level = next;
      }
      output(graph, level[0] as Value, [4]);
      return model;
    },
  },
  {
    name: 'parallel towers',
    size: 60_000,
    make(size) {
      const model = emptyModel('towers');
      const { graph } = model;
      const x = input(graph, 'x', [2, 2]);
      const towers = Array.from({ length: size / 3 }, (_, index) => {
        const weight = floats(graph, `w_${index}`, [1, index, 0, 1], [2, 2]);
        return call(graph, 'Relu', [call(graph, 'Add', [call(graph, 'MatMul', [x, weight]), x])]);
      });
      output(graph, call(graph, 'Concat', towers, { attributes: AXIS }), [2 * towers.length, 2]);
      return model;
    },
  },
];
