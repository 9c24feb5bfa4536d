import { expect } from 'vitest';
import { allGraphs } from '../../../src/ir/walk.js';
import {
  attribute,
  type Bytes,
  concat,
  float,
  graph,
  graphAttribute,
  int,
  KIND,
  latin1,
  localFunction,
  message,
  model,
  node,
  nodeDomain,
  packed,
  rawData,
  soundGraph,
  soundModel,
  tag,
  tensor,
  tensorAttribute,
  tensorTypeBytes,
  valueInfo,
  varint,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

/** Legal but rare: each loads and is written back byte for byte. */
const { loads } = group('3 rare');

const header = int(1, 8);
const opset = message(8, message(1, ''), int(2, 17));
const X = valueInfo('X');
const Y = valueInfo('Y');

function withInitializer(...fields: Bytes[]): Bytes {
  return model({
    graph: graph({
      nodes: [node('Identity', ['w'], ['Y'])],
      initializers: fields,
      outputs: [valueInfo('Y', undefined)],
    }),
  });
}

/** An If in an If, `depth` deep, giving out X. */
export function nestedIf(depth: number): Bytes {
  let inner = graph({ name: 'leaf', nodes: [node('Neg', ['X'], ['leaf_out'])], outputs: [valueInfo('leaf_out')] });
  for (let level = 0; level < depth; level++) {
    const out = `out_${level}`;
    const branch = graphAttribute('then_branch', inner);
    const other = graphAttribute(
      'else_branch',
      graph({ name: 'e', nodes: [node('Abs', ['X'], [`abs_${level}`])], outputs: [valueInfo(`abs_${level}`)] }),
    );
    inner = graph({
      name: `level_${level}`,
      nodes: [node('If', ['C'], [out], branch, other)],
      outputs: [valueInfo(out)],
    });
  }
  return inner;
}

export const RARE: readonly HostileKind[] = [
  loads('unknown fields at every level', () =>
    concat(
      int(1, 8),
      int(100, 5),
      message(7, concat(soundGraph(), message(101, 'graph extra'), concat(tag(102, 5), new Uint8Array(4)))),
      opset,
      concat(tag(103, 3), int(1, 1), tag(103, 4)),
      concat(tag(104, 1), new Uint8Array(8)),
    ),
  ),
  loads('fields in reverse order', () =>
    concat(
      opset,
      message(
        7,
        message(12, Y),
        message(11, X),
        message(2, 'g'),
        message(1, message(4, 'Neg'), message(2, 'Y'), message(1, 'X')),
      ),
      message(2, 'me'),
      header,
    ),
  ),
  loads(
    'graph split into three messages',
    () =>
      concat(
        header,
        message(7, message(1, node('Neg', ['X'], ['T'])), message(11, X)),
        opset,
        message(7, message(1, node('Abs', ['T'], ['Y']))),
        message(7, message(2, 'g'), message(12, Y)),
      ),
    (read) => expect(read.graph.nodes.size).toBe(2),
  ),
  loads('type split into two messages', () =>
    model({
      graph: graph({
        inputs: [concat(message(1, 'X'), message(2, message(1, int(1, 1))), message(2, message(1, message(2))))],
        outputs: [valueInfo('X', undefined)],
      }),
    }),
  ),
  loads('varints longer than they need be', () =>
    concat(tag(1, 0), Uint8Array.of(0x88, 0x80, 0x80, 0), message(7, soundGraph()), opset),
  ),
  loads('a field given several times, the last counts', () =>
    concat(int(1, 3), message(2, 'a'), soundModel(), message(2, 'b')),
  ),
  loads('tensor with zero elements', withInitializer(tensor('w', 1, [3, 0], rawData(new Uint8Array(0))))),
  loads('tensor with zero elements and no data field', withInitializer(tensor('w', 7, [0]))),
  loads('scalar', withInitializer(tensor('w', 1, [], message(4, new Uint8Array(4))))),
  loads('int4 of odd count', withInitializer(tensor('w', 22, [3], rawData(Uint8Array.of(0x21, 0x03))))),
  loads('int4 in int32_data', withInitializer(tensor('w', 22, [3], packed(5, [0x21, 0x03])))),
  loads('float16 in int32_data', withInitializer(tensor('w', 10, [2], packed(5, [15360, 0])))),
  loads('floats not packed', withInitializer(tensor('w', 1, [2], float(4, 1), float(4, 2)))),
  loads('bool in int32_data', withInitializer(tensor('w', 9, [2], packed(5, [0, 1])))),
  loads('negative int8 in int32_data', withInitializer(tensor('w', 3, [1], packed(5, [-5])))),
  loads('complex64', withInitializer(tensor('w', 14, [1], message(4, new Uint8Array(8))))),
  loads(
    'string tensor that is not UTF-8',
    withInitializer(tensor('w', 8, [2], message(6, latin1('\xff\xfe')), message(6, ''))),
  ),
  loads(
    'NaN and infinities',
    withInitializer(tensor('w', 1, [3], rawData(new Uint8Array(Float32Array.of(Number.NaN, 1 / 0, -1 / 0).buffer)))),
  ),
  loads('a data type of the future', withInitializer(tensor('w', 99, [2], rawData(Uint8Array.of(1, 2, 3))))),
  loads(
    'optional inputs and outputs left out',
    () =>
      model({
        graph: graph({ nodes: [node('Clip', ['X', '', 'X'], ['Y', ''])], inputs: [X], outputs: [Y] }),
      }),
    (read) => expect(read.graph.nodes.first?.inputs).toHaveLength(3),
  ),
  loads(
    'default domain spelt ai.onnx',
    () =>
      model({
        opsets: [['ai.onnx', 17]],
        graph: graph({ nodes: [node('Neg', ['X'], ['Y'], nodeDomain('ai.onnx'))], inputs: [X], outputs: [Y] }),
      }),
    (read) => expect([read.opset(''), read.graph.nodes.first?.domain]).toEqual([17, '']),
  ),
  loads(
    'If in If in If',
    () =>
      model({
        graph: concat(nestedIf(3), message(11, X), message(11, valueInfo('C', tensorTypeBytes(9, [])))),
      }),
    (read) => expect([...allGraphs(read)]).toHaveLength(7),
  ),
  loads(
    'local function with attribute reference',
    () =>
      model(
        {
          opsets: [
            ['', 17],
            ['my', 1],
          ],
          graph: graph({ nodes: [node('F', ['X'], ['Y'], nodeDomain('my'))], inputs: [X], outputs: [Y] }),
        },
        localFunction(
          'F',
          {
            inputs: ['a'],
            outputs: ['b'],
            nodes: [
              node(
                'LeakyRelu',
                ['a'],
                ['b'],
                message(5, message(1, 'alpha'), message(21, 'slope'), int(20, KIND.float)),
              ),
            ],
          },
          message(6, 'slope'),
        ),
      ),
    (read) => expect(read.functions.size).toBe(1),
  ),
  loads('sparse initializer', () =>
    model({
      graph: graph(
        { nodes: [node('Identity', ['s'], ['Y'])], outputs: [valueInfo('Y', undefined)] },
        message(
          15,
          message(1, tensor('s', 1, [2], rawData(new Uint8Array(8)))),
          message(2, tensor('', 7, [2], packed(7, [0, 5]))),
          packed(3, [2, 3]),
        ),
      ),
    }),
  ),
  loads('sparse attribute', () =>
    model({
      graph: graph({
        nodes: [
          node(
            'Constant',
            [],
            ['Y'],
            attribute(
              'sparse_value',
              11,
              message(
                22,
                message(1, tensor('', 1, [1], rawData(new Uint8Array(4)))),
                message(2, tensor('', 7, [1], packed(7, [1]))),
                packed(3, [4]),
              ),
            ),
          ),
        ],
        outputs: [valueInfo('Y', undefined)],
      }),
    }),
  ),
  loads('training_info', () => concat(soundModel(), message(20, message(2, soundGraph())))),
  loads('quantization annotation', () =>
    model({
      graph: concat(
        soundGraph(),
        message(14, message(1, 'X'), message(2, message(1, 'SCALE_TENSOR'), message(2, 'Y'))),
      ),
    }),
  ),
  loads('types of sequence, optional, map, sparse tensor and opaque inputs', () =>
    model({
      graph: graph({
        inputs: [
          valueInfo('a', message(4, message(1, tensorTypeBytes(1)))),
          valueInfo('b', message(9, message(1, tensorTypeBytes(1)))),
          valueInfo('c', message(5, int(1, 7), message(2, tensorTypeBytes(8)))),
          valueInfo('d', message(8, int(1, 1))),
          valueInfo('e', message(7, message(1, 'd'), message(2, 'n'))),
        ],
        outputs: [valueInfo('a', undefined)],
      }),
    }),
  ),
  loads('IR version 1 without operator set imports', () => model({ irVersion: 1, opsets: [], graph: soundGraph() })),
  loads('initializer that is an input too', () =>
    model({
      graph: graph({
        nodes: [node('Add', ['X', 'w'], ['Y'])],
        inputs: [X, valueInfo('w')],
        initializers: [tensor('w', 1, [2], rawData(new Uint8Array(8)))],
        outputs: [Y],
      }),
    }),
  ),
  loads('value_info of a value that is not there', () =>
    model({ graph: concat(soundGraph(), message(13, valueInfo('nobody'))) }),
  ),
  loads('tensors and types in attributes', () =>
    model({
      graph: graph({
        nodes: [
          node(
            'Odd',
            ['X'],
            ['Y'],
            tensorAttribute('t', tensor('', 1, [1], float(4, 1))),
            attribute('tp', KIND.type, message(14, tensorTypeBytes(1, ['N']))),
            attribute('ints', KIND.ints, packed(8, [1, -1, 1n << 62n])),
            attribute('nothing', KIND.ints),
            attribute('later kind', 77, message(90, 'x')),
          ),
        ],
        inputs: [X],
        outputs: [Y],
      }),
    }),
  ),
  loads('a node without outputs', () =>
    model({ graph: graph({ nodes: [node('Print', ['X'], [])], inputs: [X], outputs: [valueInfo('X')] }) }),
  ),
  loads('a subgraph that gives out an outer value', () =>
    model({
      graph: graph({
        nodes: [
          node(
            'If',
            ['C'],
            ['Y'],
            graphAttribute('then_branch', graph({ outputs: [valueInfo('X')] })),
            graphAttribute('else_branch', graph({ outputs: [valueInfo('X')] })),
          ),
        ],
        inputs: [X, valueInfo('C', tensorTypeBytes(9, []))],
        outputs: [Y],
      }),
    }),
  ),
  loads('metadata with an empty key', () => concat(soundModel(), message(14, message(1, ''), message(2, varint(7))))),
];
