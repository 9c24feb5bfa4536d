/** Many inputs, outputs, initializers, names and entries. */
import { attribute } from '../../../src/ir/attribute.js';
import { tensorType } from '../../../src/ir/type.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { call, emptyModel, floats, input, type LargeGraph, output } from './builder.js';

const AXIS = [attribute('axis', 0)];

export const INTERFACES: readonly LargeGraph[] = [
  {
    name: 'many graph outputs',
    size: 50_000,
    make(size) {
      const model = emptyModel('outputs');
      const { graph } = model;
      const x = input(graph, 'x', [2]);
      for (let index = 0; index < size; index++)
        output(graph, call(graph, 'Add', [x, floats(graph, `c_${index}`, [index])]), [2]);
      return model;
    },
  },
  {
    name: 'many equal graph outputs',
    size: 50_000,
    make(size) {
      const model = emptyModel('outputs');
      const { graph } = model;
      const x = input(graph, 'x', [2]);
      for (let index = 0; index < size; index++) output(graph, call(graph, 'Sin', [x], { name: `sin_${index}` }), [2]);
      return model;
    },
  },
  {
    name: 'many graph outputs through Identity',
    size: 50_000,
    make(size) {
      const model = emptyModel('outputs');
      const { graph } = model;
      const value = call(graph, 'Sin', [input(graph, 'x', [2])]);
      for (let index = 0; index < size; index++) output(graph, call(graph, 'Identity', [value]), [2]);
      return model;
    },
  },
  {
    name: 'many graph inputs',
    size: 50_000,
    make(size) {
      const model = emptyModel('inputs');
      const { graph } = model;
      const inputs = Array.from({ length: size }, (_, index) => input(graph, `x_${index}`, [1]));
      output(graph, call(graph, 'Concat', inputs, { attributes: AXIS }), [size]);
      return model;
    },
  },
  {
    name: 'many initializers',
    size: 50_000,
    make(size) {
      const model = emptyModel('initializers');
      const { graph } = model;
      let value = input(graph, 'x', [2]);
      for (let index = 0; index < size; index++)
        value = call(
          graph,
          index % 2 === 0 ? 'Sin' : 'Mul',
          index % 2 === 0 ? [value] : [value, floats(graph, `c_${index}`, [index, 1])],
        );
      for (let index = 0; index < size; index++) floats(graph, `unused_${index}`, [index]);
      output(graph, value, [2]);
      return model;
    },
  },
  {
    name: 'many identical initializers',
    size: 50_000,
    make(size) {
      const model = emptyModel('initializers');
      const { graph } = model;
      const x = input(graph, 'x', [2]);
      const parts = Array.from({ length: size }, (_, index) =>
        call(graph, 'Max', [x, floats(graph, `c_${index}`, [1, 2], [2])]),
      );
      output(graph, call(graph, 'Concat', parts, { attributes: AXIS }), [2 * size]);
      return model;
    },
  },
  {
    name: 'many value_info entries',
    size: 100_000,
    make(size) {
      const model = emptyModel('value infos');
      const { graph } = model;
      let value = input(graph, 'x', ['batch', 'sequence', 4]);
      for (let index = 0; index < size; index++)
        value = call(graph, 'Sin', [value], { type: DataType.FLOAT, shape: ['batch', 'sequence', 4] });
      output(graph, value, ['batch', 'sequence', 4]);
      return model;
    },
  },
  {
    name: 'many symbols',
    size: 20_000,
    make(size) {
      const model = emptyModel('symbols');
      const { graph } = model;
      const inputs = Array.from({ length: size }, (_, index) => input(graph, `x_${index}`, [`n_${index}`]));
      output(graph, call(graph, 'Concat', inputs, { attributes: AXIS }), ['total']);
      return model;
    },
  },
  {
    name: 'many metadata entries',
    size: 100_000,
    make(size) {
      const model = emptyModel('metadata');
      const { graph } = model;
      const x = input(graph, 'x', [4]);
      const node = graph.addNode({ opType: 'Relu', inputs: [x], outputs: [{ type: tensorType(DataType.FLOAT, [4]) }] });
      const copy = graph.addNode({ opType: 'Identity', inputs: [node.output()], outputs: [{}] });
      for (let index = 0; index < size; index++) {
        model.metadata.set(`key_${index}`, `value ${index}`);
        node.metadataProps.set(`key_${index}`, `value ${index}`);
        copy.metadataProps.set(`other_${index}`, `value ${index}`);
      }
      output(graph, copy.output(), [4]);
      return model;
    },
  },
  {
    name: 'long names',
    size: 1_000_000,
    make(size) {
      const model = emptyModel('g'.repeat(size));
      const { graph } = model;
      const x = input(graph, 'x'.repeat(size), [4]);
      let value = x;
      for (let index = 0; index < 8; index++)
        value = graph
          .addNode({
            opType: index % 2 === 0 ? 'Relu' : 'Identity',
            name: `${'n'.repeat(size)}${index}`,
            inputs: [value],
            outputs: [{ name: `${'v'.repeat(size)}${index}` }],
          })
          .output();
      output(graph, value, [4]);
      return model;
    },
  },
  {
    name: 'long attributes',
    size: 1_000_000,
    make(size) {
      const model = emptyModel('attributes');
      const { graph } = model;
      const x = input(graph, 'x', [4]);
      const list = Array.from({ length: size }, (_, index) => index);
      const constant = call(graph, 'Constant', [], { attributes: [attribute('value_ints', list)] });
      const indices = call(graph, 'Mod', [constant, call(graph, 'Size', [x])]);
      output(graph, call(graph, 'Gather', [x, indices]), [size]);
      return model;
    },
  },
  {
    name: 'many inputs of an operator that nothing knows',
    size: 50_000,
    make(size) {
      const model = emptyModel('unknown');
      model.setOpset('my.own', 1);
      const { graph } = model;
      const x = input(graph, 'x', [4]);
      for (let index = 0; index < size; index++)
        output(graph, call(graph, `Op${index}`, [x], { domain: 'my.own', name: `own_${index}` }), [4]);
      return model;
    },
  },
];
