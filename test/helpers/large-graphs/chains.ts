/** One node after the other. */
import { attribute } from '../../../src/ir/attribute.js';
import type { Graph } from '../../../src/ir/graph.js';
import type { Model } from '../../../src/ir/model.js';
import type { Shape } from '../../../src/ir/type.js';
import type { Value } from '../../../src/ir/value.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { call, emptyModel, floats, input, int64s, type LargeGraph, output } from './builder.js';

/** What a link of a chain adds: the value after it. */
type Link = (graph: Graph, from: Value, index: number) => Value;

/** A chain of `links` between the only input and the only output. `start` makes what the links share. */
function chain(links: number, shape: Shape, start: (graph: Graph) => Link, type: number = DataType.FLOAT): Model {
  const model = emptyModel('chain');
  const { graph } = model;
  const link = start(graph);
  let value = input(graph, 'x', shape, type);
  for (let index = 0; index < links; index++) value = link(graph, value, index);
  output(
    graph,
    value,
    shape?.map(() => undefined),
    value.type?.kind === 'tensor' ? value.type.dataType : type,
  );
  return model;
}

const family = (name: string, size: number, make: (size: number) => Model): LargeGraph => ({ name, size, make });

const unary =
  (opType: string): Link =>
  (graph, from) =>
    call(graph, opType, [from]);

/** Chains that nothing, or much, can be done about. */
export const CHAINS: readonly LargeGraph[] = [
  family('chain of named Relu', 100_000, (size) =>
    chain(
      size,
      [4],
      () => (graph, from, index) => call(graph, 'Relu', [from], { name: `encoder/layer_${index}/relu` }),
    ),
  ),
  family('chain of named Sin', 100_000, (size) =>
    chain(size, [4], () => (graph, from, index) => call(graph, 'Sin', [from], { name: `encoder/layer_${index}/sin` })),
  ),
  family('chain of named Identity', 100_000, (size) =>
    chain(size, [4], () => (graph, from, index) => call(graph, 'Identity', [from], { name: `copy_${index}` })),
  ),
  family('chain of Add of one constant', 10_000, (size) =>
    chain(size, [4], (graph) => {
      const one = floats(graph, 'one', [0.1]);
      return (at, from) => call(at, 'Add', [from, one]);
    }),
  ),
  family('chain of named Add of constants of their own', 20_000, (size) =>
    chain(
      size,
      [4],
      () => (graph, from, index) =>
        call(graph, 'Add', [from, floats(graph, `bias_${index}`, [index % 7])], { name: `layer_${index}/add` }),
    ),
  ),
  family('chain of Mul and Add', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const [scale, bias] = [floats(graph, 'scale', [1.01]), floats(graph, 'bias', [0.01])];
      return (at, from, index) => call(at, index % 2 === 0 ? 'Mul' : 'Add', [from, index % 2 === 0 ? scale : bias]);
    }),
  ),
  family('chain of Neg', 50_000, (size) => chain(size, [4], () => unary('Neg'))),
  family('chain of Sigmoid', 50_000, (size) => chain(size, [4], () => unary('Sigmoid'))),
  family('chain of Cast there and back', 50_000, (size) =>
    chain(
      size,
      [4],
      () => (graph, from, index) =>
        call(graph, 'Cast', [from], {
          attributes: [attribute('to', index % 2 === 0 ? DataType.DOUBLE : DataType.FLOAT)],
          type: index % 2 === 0 ? DataType.DOUBLE : DataType.FLOAT,
          shape: [4],
        }),
    ),
  ),
  family('chain of Transpose', 50_000, (size) =>
    chain(
      size,
      [2, 3, 4],
      () => (graph, from) => call(graph, 'Transpose', [from], { attributes: [attribute('perm', [1, 2, 0])] }),
    ),
  ),
  family('chain of Reshape', 50_000, (size) =>
    chain(size, [2, 3, 4], (graph) => {
      const targets = [int64s(graph, 'flat', [-1]), int64s(graph, 'cube', [4, 3, -1])];
      return (at, from, index) => call(at, 'Reshape', [from, targets[index % 2] as Value]);
    }),
  ),
  family('chain of Unsqueeze and Squeeze', 50_000, (size) =>
    chain(size, [4], (graph) => {
      const axes = int64s(graph, 'axes', [0]);
      return (at, from, index) => call(at, index % 2 === 0 ? 'Unsqueeze' : 'Squeeze', [from, axes]);
    }),
  ),
  family('chain of Slice', 50_000, (size) =>
    chain(size, [200_000], (graph) => {
      const [starts, ends] = [int64s(graph, 'starts', [1]), int64s(graph, 'ends', [2 ** 31])];
      return (at, from) => call(at, 'Slice', [from, starts, ends]);
    }),
  ),
  family('chain of Concat with a constant', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const tail = floats(graph, 'tail', [1], [1]);
      return (at, from) => call(at, 'Concat', [from, tail], { attributes: [attribute('axis', 0)] });
    }),
  ),
  family('chain of Pad', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const pads = int64s(graph, 'pads', [0, 1]);
      return (at, from) => call(at, 'Pad', [from, pads]);
    }),
  ),
  family('chain of Gather', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const indices = int64s(graph, 'indices', [3, 2, 1, 0]);
      return (at, from) => call(at, 'Gather', [from, indices]);
    }),
  ),
  family('chain of Expand', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const shape = int64s(graph, 'shape', [1, 4]);
      return (at, from) => call(at, 'Expand', [from, shape]);
    }),
  ),
  family('chain of Clip', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const [low, high] = [floats(graph, 'low', [-1]), floats(graph, 'high', [1])];
      return (at, from) => call(at, 'Clip', [from, low, high]);
    }),
  ),
  family('chain of Max', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const low = floats(graph, 'low', [-1]);
      return (at, from) => call(at, 'Max', [from, low]);
    }),
  ),
  family('chain of Where', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const condition = graph.addInitializer('c', Tensor.of(DataType.BOOL, [4], Uint8Array.of(1, 0, 1, 0)));
      const zero = floats(graph, 'zero', [0]);
      return (at, from) => call(at, 'Where', [condition, from, zero]);
    }),
  ),
  family('chain of Dropout', 20_000, (size) => chain(size, [4], () => unary('Dropout'))),
  family('chain of ReduceSum that keep axes', 20_000, (size) =>
    chain(size, [4], (graph) => {
      const axes = int64s(graph, 'axes', [0]);
      return (at, from) => call(at, 'ReduceSum', [from, axes]);
    }),
  ),
  family('chain of MatMul with one weight', 20_000, (size) =>
    chain(size, [2, 2], (graph) => {
      const weight = floats(graph, 'weight', [0.6, 0.8, -0.8, 0.6], [2, 2]);
      return (at, from) => call(at, 'MatMul', [from, weight]);
    }),
  ),
  family('chain of MatMul and Add with weights of their own', 20_000, (size) =>
    chain(
      size,
      [2, 2],
      () => (graph, from, index) =>
        index % 2 === 0
          ? call(graph, 'MatMul', [from, floats(graph, `weight_${index}`, [0.6, 0.8, -0.8, 0.6], [2, 2])], {
              name: `layer_${index}/matmul`,
            })
          : call(graph, 'Add', [from, floats(graph, `bias_${index}`, [0.1, index % 3], [2])], {
              name: `layer_${index}/add`,
            }),
    ),
  ),
  family('chain of Conv, BatchNormalization and Relu', 10_000, (size) =>
    chain(size, [1, 1, 4], (graph) => {
      const weight = floats(graph, 'weight', [0.9], [1, 1, 1]);
      const one = floats(graph, 'one', [1], [1]);
      const zero = floats(graph, 'zero', [0], [1]);
      return (at, from, index) =>
        index % 3 === 0
          ? call(at, 'Conv', [from, weight])
          : index % 3 === 1
            ? call(at, 'BatchNormalization', [from, one, zero, zero, one])
            : call(at, 'Relu', [from]);
    }),
  ),
  family('chain of QuantizeLinear and DequantizeLinear', 60_000, (size) =>
    chain(size, [4], (graph) => {
      const scale = floats(graph, 'scale', [0.1]);
      const zero = graph.addInitializer('zero', Tensor.uint8(Uint8Array.of(128), []));
      return (at, from, index) =>
        call(at, index % 2 === 0 ? 'QuantizeLinear' : 'DequantizeLinear', [from, scale, zero]);
    }),
  ),
  family('chain of Shape, Gather and Concat into Reshape', 40_000, (size) =>
    chain(size / 5, ['batch', 4], (graph) => {
      const zero = graph.addInitializer('zero', Tensor.int64([0], []));
      const axes = int64s(graph, 'axes', [0]);
      const rest = int64s(graph, 'rest', [4]);
      return (at, from) => {
        const batch = call(at, 'Gather', [call(at, 'Shape', [from]), zero]);
        const target = call(at, 'Concat', [call(at, 'Unsqueeze', [batch, axes]), rest], {
          attributes: [attribute('axis', 0)],
        });
        return call(at, 'Reshape', [from, target]);
      };
    }),
  ),
  family('chain of sizes that add up', 40_000, (size) => {
    const model = emptyModel('sizes');
    const { graph } = model;
    const x = input(graph, 'x', ['batch', 4]);
    const one = int64s(graph, 'one', [1]);
    let value = call(graph, 'Gather', [call(graph, 'Shape', [x]), int64s(graph, 'zero', [0])]);
    for (let index = 0; index < size; index++) value = call(graph, index % 3 === 0 ? 'Mul' : 'Add', [value, one]);
    output(graph, value, [1], DataType.INT64);
    return model;
  }),
  family('chain of sizes that grow', 2_000, (size) => {
    const model = emptyModel('sizes');
    const { graph } = model;
    const x = input(graph, 'x', ['a', 'b', 'c']);
    const shape = call(graph, 'Shape', [x]);
    const parts = [0, 1, 2].map((at) => call(graph, 'Gather', [shape, int64s(graph, `at_${at}`, [at])]));
    let value = parts[0] as Value;
    for (let index = 0; index < size; index++)
      value = call(graph, index % 2 === 0 ? 'Mul' : 'Add', [value, parts[index % 3] as Value]);
    output(graph, value, [1], DataType.INT64);
    return model;
  }),
  family('chain of constants', 50_000, (size) => {
    const model = emptyModel('constants');
    const { graph } = model;
    const x = input(graph, 'x', [4]);
    let value = floats(graph, 'start', [1, 2, 3, 4]);
    const step = floats(graph, 'step', [0.5]);
    for (let index = 0; index < size; index++) value = call(graph, 'Add', [value, step], { name: `constant_${index}` });
    output(graph, call(graph, 'Add', [x, value]), [4]);
    return model;
  }),
];
