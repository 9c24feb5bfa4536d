import type { ErrorCode } from '../../../src/errors.js';
import {
  attribute,
  type Bytes,
  concat,
  float,
  graph,
  int,
  intAttribute,
  intsAttribute,
  KIND,
  localFunction,
  message,
  model,
  node,
  nodeDomain,
  packed,
  rawData,
  soundModel,
  tensor,
  tensorAttribute,
  tensorTypeBytes,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const nine = group('9 attributes');
const bad: readonly ErrorCode[] = ['SO3001'];
const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);

const image = tensorTypeBytes(1, [1, 3, 8, 8]);
const kernel = tensor('w', 1, [4, 3, 3, 3], rawData(new Uint8Array(4 * 108)));
const int64s = (name: string, ...values: (number | bigint)[]) => tensor(name, 7, [values.length], packed(7, values));

/** One node over an image `X`, with attributes and constants. */
function one(
  opType: string,
  inputs: string[],
  attributes: Bytes[],
  initializers: Bytes[] = [],
  outputs = ['Y'],
): Bytes {
  return model({
    graph: graph({
      nodes: [node(opType, inputs, outputs, ...attributes)],
      inputs: [valueInfo('X', image)],
      initializers,
      outputs: outputs.map((name) => valueInfo(name, undefined)),
    }),
  });
}

const odd = (...attributes: Bytes[]) => one('Odd', ['X'], attributes);

export const ATTRIBUTES: readonly HostileKind[] = [
  nine.refused('declared int, holds a string', bad, odd(attribute('a', KIND.int, message(4, 'x')))),
  nine.refused('declared graph, holds an int', bad, odd(attribute('a', KIND.graph, int(3, 1)))),
  nine.refused('several values', bad, odd(attribute('a', KIND.int, int(3, 1), message(4, 'x')))),
  nine.refused('the same attribute twice', bad, odd(intAttribute('a', 1), intAttribute('a', 2))),
  nine.refused('neither type nor value', bad, odd(message(5, message(1, 'a')))),
  nine.refused('reference outside of a function', bad, odd(message(5, message(1, 'a'), message(21, 'alpha')))),
  nine.loads('value without declared type', odd(attribute('a', undefined, int(3, 1)))),
  nine.loads('type without value', odd(attribute('a', KIND.int))),
  nine.loads('kind of a later version', odd(attribute('a', 99, message(77, 'x')))),
  nine.loads('unknown attribute of a known operator', one('Neg', ['X'], [intAttribute('frobnicate', 1)])),
  nine.loads('required attribute missing', one('Cast', ['X'], [])),
  nine.loads('attribute without name', odd(attribute('', KIND.int, int(3, 1)))),
  nine.loads('int64 extremes', odd(intsAttribute('a', [MAX, MIN, 0]))),
  nine.loads('NaN as float', odd(attribute('a', KIND.float, float(2, Number.NaN)))),
  nine.loads('Conv with stride 0', one('Conv', ['X', 'w'], [intsAttribute('strides', [0, 0])], [kernel])),
  nine.loads('Conv with dilation 0', one('Conv', ['X', 'w'], [intsAttribute('dilations', [0, 0])], [kernel])),
  nine.loads('Conv with negative strides', one('Conv', ['X', 'w'], [intsAttribute('strides', [MIN, -1])], [kernel])),
  nine.loads(
    'Conv with pads of 2^61',
    one('Conv', ['X', 'w'], [intsAttribute('pads', [1n << 61n, 1n << 61n, 1n << 61n, 1n << 61n])], [kernel]),
  ),
  nine.loads(
    'Conv whose weight has another rank',
    one('Conv', ['X', 'w'], [], [tensor('w', 1, [4, 3], rawData(new Uint8Array(48)))]),
  ),
  nine.loads('Conv with group 0', one('Conv', ['X', 'w'], [intAttribute('group', 0)], [kernel])),
  nine.loads(
    'Conv with more pads than dimensions',
    one('Conv', ['X', 'w'], [intsAttribute('pads', new Array(1000).fill(1))], [kernel]),
  ),
  nine.loads('MaxPool with a kernel of INT64_MAX', one('MaxPool', ['X'], [intsAttribute('kernel_shape', [MAX, MAX])])),
  nine.loads(
    'Slice from INT64_MIN to INT64_MAX',
    one('Slice', ['X', 's', 'e', 'a', 't'], [], [int64s('s', MIN), int64s('e', MAX), int64s('a', 0), int64s('t', MIN)]),
  ),
  nine.loads(
    'Slice with step 0',
    one('Slice', ['X', 's', 'e', 'a', 't'], [], [int64s('s', 0), int64s('e', 4), int64s('a', 1), int64s('t', 0)]),
  ),
  nine.loads('Split into 2^40 outputs', one('Split', ['X'], [intAttribute('num_outputs', 2 ** 40)], [], ['A', 'B'])),
  nine.loads('Split with sizes that overflow', one('Split', ['X', 's'], [], [int64s('s', MAX, MAX)], ['A', 'B'])),
  nine.loads(
    'Transpose with a permutation out of range',
    one('Transpose', ['X'], [intsAttribute('perm', [9, -9, 0, 0])]),
  ),
  nine.loads('Concat on axis 2^40', one('Concat', ['X', 'X'], [intAttribute('axis', 2 ** 40)])),
  nine.loads('Unsqueeze of a huge axis', one('Unsqueeze', ['X', 'a'], [], [int64s('a', 1n << 40n)])),
  nine.loads('Tile 2^40 times', one('Tile', ['X', 'r'], [], [int64s('r', 1n << 40n, 1n << 40n, 1n << 40n, 1n << 40n)])),
  nine.loads('Pad by 2^62', one('Pad', ['X', 'p'], [], [int64s('p', ...new Array(8).fill(1n << 62n))])),
  nine.loads('OneHot of depth 2^60', one('OneHot', ['X', 'd', 'v'], [], [int64s('d', 1n << 60n), int64s('v', 0, 1)])),
  nine.loads(
    'Einsum with a strange equation',
    one('Einsum', ['X'], [attribute('equation', KIND.string, message(4, '...->(((('))]),
  ),
  nine.loads('DepthToSpace with block 0', one('DepthToSpace', ['X'], [intAttribute('blocksize', 0)])),
  nine.loads('LSTM with hidden size -1', one('LSTM', ['X', 'w', 'w'], [intAttribute('hidden_size', -1)], [kernel])),
  nine.loads(
    'Constant with two values',
    one('Constant', [], [intAttribute('value_int', 1), attribute('value_float', KIND.float, float(2, 1))]),
  ),
];

const ten = group('10 functions and bombs');
const opsets = [
  ['', 17],
  ['my', 1],
] as const;

function calling(functions: readonly (readonly [string, string, number])[]): Bytes {
  const body = (callee: string, times: number) =>
    Array.from({ length: times }, (_, i) => {
      const inner = callee === 'Neg' ? [] : [nodeDomain('my')];
      return node(callee, [i === 0 ? 'a' : `t${i - 1}`], [i === times - 1 ? 'b' : `t${i}`], ...inner);
    });
  return model(
    {
      opsets,
      graph: graph({
        nodes: [node(functions[0]?.[0] ?? '', ['X'], ['Y'], nodeDomain('my'))],
        inputs: [valueInfo('X')],
        outputs: [valueInfo('Y')],
      }),
    },
    ...functions.map(([name, callee, times]) =>
      localFunction(name, { inputs: ['a'], outputs: ['b'], nodes: body(callee, times) }),
    ),
  );
}

const scalar = (name: string, value: number | bigint) => tensor(name, 7, [], packed(7, [value]));

export const FUNCTIONS: readonly HostileKind[] = [
  ten.refused('a function that calls itself', bad, calling([['F', 'F', 1]])),
  ten.refused(
    'functions that call each other',
    bad,
    calling([
      ['F', 'G', 1],
      ['G', 'H', 1],
      ['H', 'F', 1],
    ]),
  ),
  ten.refused('calls that unfold to 2^40 nodes', ['SO2104'], () =>
    calling(Array.from({ length: 40 }, (_, i) => [`F${i}`, i < 39 ? `F${i + 1}` : 'Neg', 2] as const)),
  ),
  ten.loads('5,000 functions in a chain', () =>
    calling(Array.from({ length: 5000 }, (_, i) => [`F${i}`, i < 4999 ? `F${i + 1}` : 'Neg', 1] as const)),
  ),
  ten.refused(
    'two functions of one name',
    bad,
    calling([
      ['F', 'Neg', 1],
      ['F', 'Neg', 1],
    ]),
  ),
  ten.refused(
    'a function that consumes what nothing defines',
    bad,
    model(
      { opsets, graph: graph({ inputs: [valueInfo('X')], outputs: [valueInfo('X')] }) },
      localFunction('F', { inputs: ['a'], outputs: ['b'], nodes: [node('Neg', ['zzz'], ['b'])] }),
    ),
  ),
  ten.refused(
    'a function with two inputs of one name',
    bad,
    model(
      { opsets, graph: graph({ inputs: [valueInfo('X')], outputs: [valueInfo('X')] }) },
      localFunction('F', { inputs: ['a', 'a'], outputs: ['a'], nodes: [] }),
    ),
  ),
  ten.refused(
    'a function without the operator sets it uses',
    ['SO3002'],
    model(
      {
        opsets,
        graph: graph({
          nodes: [node('F', ['X'], ['Y'], nodeDomain('my'))],
          inputs: [valueInfo('X')],
          outputs: [valueInfo('Y')],
        }),
      },
      message(
        25,
        message(1, 'F'),
        message(4, 'a'),
        message(5, 'b'),
        message(7, node('Neg', ['a'], ['b'])),
        message(10, 'my'),
      ),
    ),
  ),
  ten.loads('ConstantOfShape of 160 GB', one('ConstantOfShape', ['s'], [], [int64s('s', 200_000, 200_000)])),
  ten.loads('ConstantOfShape of 2^126', one('ConstantOfShape', ['s'], [], [int64s('s', MAX, MAX)])),
  ten.loads('Expand to 2^36', one('Expand', ['c', 's'], [], [scalar('c', 1), int64s('s', 2 ** 18, 2 ** 18)])),
  ten.loads('Range of 2^40', one('Range', ['a', 'b', 'c'], [], [scalar('a', 0), scalar('b', 2 ** 40), scalar('c', 1)])),
  ten.loads('Range with step 0', one('Range', ['a', 'b', 'c'], [], [scalar('a', 0), scalar('b', 10), scalar('c', 0)])),
  ten.loads(
    'Loop of 2^62 rounds',
    one(
      'Loop',
      ['n', '', 'X'],
      [
        attribute(
          'body',
          KIND.graph,
          message(
            6,
            graph({
              nodes: [node('Identity', ['c'], ['c2']), node('Concat', ['x', 'x'], ['x2'], intAttribute('axis', 0))],
              inputs: [
                valueInfo('i', tensorTypeBytes(7, [])),
                valueInfo('c', tensorTypeBytes(9, [])),
                valueInfo('x', tensorTypeBytes(1)),
              ],
              outputs: [valueInfo('c2', tensorTypeBytes(9, [])), valueInfo('x2', tensorTypeBytes(1))],
            }),
          ),
        ),
      ],
      [scalar('n', 1n << 62n)],
    ),
  ),
  ten.loads('integer division by zero', one('Div', ['a', 'b'], [], [scalar('a', 1), scalar('b', 0)])),
  ten.loads('modulo zero', one('Mod', ['a', 'b'], [], [scalar('a', 1), scalar('b', 0)])),
  ten.loads('INT64_MIN divided by -1', one('Div', ['a', 'b'], [], [scalar('a', MIN), scalar('b', -1)])),
  ten.loads('Reshape with -1 twice', one('Reshape', ['X', 's'], [], [int64s('s', -1, -1)])),
  ten.loads('Reshape to sizes that overflow', one('Reshape', ['X', 's'], [], [int64s('s', MAX, MAX, 0, -7)])),
  ten.loads('Gather out of range', one('Gather', ['s', 'i'], [], [int64s('s', 1, 2), int64s('i', MAX, MIN)])),
  ten.loads('Concat that doubles 60 times', () =>
    model({
      graph: graph({
        nodes: Array.from({ length: 60 }, (_, i) =>
          node('Concat', [`v${i}`, `v${i}`], [`v${i + 1}`], intAttribute('axis', 0)),
        ),
        initializers: [int64s('v0', 1, 2, 3, 4)],
        outputs: [valueInfo('v60', undefined)],
      }),
    }),
  ),
  ten.loads('symbol that grows 60 times', () =>
    model({
      graph: graph({
        nodes: Array.from({ length: 60 }, (_, i) =>
          node('Concat', [`v${i}`, `v${i}`], [`v${i + 1}`], intAttribute('axis', 0)),
        ),
        inputs: [valueInfo('v0', tensorTypeBytes(1, ['N']))],
        outputs: [valueInfo('v60', undefined)],
      }),
    }),
  ),
  ten.loads(
    'Constant of a tensor in a function of a model without nodes',
    concat(
      soundModel(),
      localFunction('F', {
        inputs: [],
        outputs: ['b'],
        nodes: [node('Constant', [], ['b'], tensorAttribute('value', tensor('', 1, [1], float(4, 1))))],
      }),
    ),
  ),
];
