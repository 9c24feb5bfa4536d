import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.js';
import {
  type Bytes,
  concat,
  graph,
  graphAttribute,
  int,
  localFunction,
  message,
  model,
  node,
  nodeDomain,
  rawData,
  soundGraph,
  tensor,
  tensorTypeBytes,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const { refused, loads } = group('7 graph');
const bad: readonly ErrorCode[] = ['SO3001'];
const X = valueInfo('X');
const Y = valueInfo('Y');
const weight = tensor('w', 1, [2], rawData(new Uint8Array(8)));

const made = (parts: Parameters<typeof graph>[0], ...extra: Bytes[]) => model({ graph: graph(parts, ...extra) });

export const GRAPHS: readonly HostileKind[] = [
  refused(
    'cycle',
    bad,
    made({
      nodes: [node('Add', ['X', 'B'], ['A']), node('Neg', ['A'], ['B'])],
      inputs: [X],
      outputs: [valueInfo('B')],
    }),
  ),
  refused('self-loop', bad, made({ nodes: [node('Neg', ['Y'], ['Y'])], outputs: [Y] })),
  refused(
    'cycle through a subgraph',
    bad,
    made({
      nodes: [
        node(
          'If',
          ['C'],
          ['Y'],
          graphAttribute('then_branch', graph({ nodes: [node('Neg', ['Y'], ['t'])], outputs: [valueInfo('t')] })),
        ),
      ],
      inputs: [valueInfo('C', tensorTypeBytes(9, []))],
      outputs: [Y],
    }),
  ),
  refused(
    'two nodes give the same value',
    bad,
    made({ nodes: [node('Neg', ['X'], ['Y']), node('Abs', ['X'], ['Y'])], inputs: [X], outputs: [Y] }),
  ),
  refused(
    'a node gives a value twice',
    bad,
    made({ nodes: [node('Split', ['X'], ['Y', 'Y'])], inputs: [X], outputs: [Y] }),
  ),
  refused('a node gives an input', bad, made({ nodes: [node('Neg', ['X'], ['X'])], inputs: [X], outputs: [X] })),
  refused(
    'a node gives an initializer',
    bad,
    made({ nodes: [node('Neg', ['X'], ['w'])], inputs: [X], initializers: [weight], outputs: [X] }),
  ),
  refused('duplicate input', bad, made({ inputs: [X, X], outputs: [X] })),
  refused('duplicate output', bad, made({ nodes: [node('Neg', ['X'], ['Y'])], inputs: [X], outputs: [Y, Y] })),
  refused('duplicate initializer', bad, made({ initializers: [weight, weight], outputs: [valueInfo('w')] })),
  refused('undefined input of a node', bad, made({ nodes: [node('Neg', ['Q'], ['Y'])], outputs: [Y] })),
  refused('undefined graph output', bad, made({ inputs: [X], outputs: [Y] })),
  refused(
    'a value of a subgraph used outside',
    bad,
    made({
      nodes: [
        node(
          'If',
          ['C'],
          ['Z'],
          graphAttribute('then_branch', graph({ nodes: [node('Neg', ['C'], ['t'])], outputs: [valueInfo('t')] })),
        ),
        node('Neg', ['t'], ['Y']),
      ],
      inputs: [valueInfo('C', tensorTypeBytes(9, []))],
      outputs: [Y],
    }),
  ),
  refused(
    'a function that uses a value of the model',
    bad,
    model(
      {
        opsets: [
          ['', 17],
          ['my', 1],
        ],
        graph: graph({ nodes: [node('F', ['X'], ['Y'], nodeDomain('my'))], inputs: [X], outputs: [Y] }),
      },
      localFunction('F', { inputs: ['a'], outputs: ['b'], nodes: [node('Neg', ['X'], ['b'])] }),
    ),
  ),
  loads(
    'nodes not sorted',
    made({ nodes: [node('Neg', ['T'], ['Y']), node('Abs', ['X'], ['T'])], inputs: [X], outputs: [Y] }),
    (read) => expect(read.graph.nodes.first?.opType).toBe('Abs'),
  ),
  loads('empty graph', made({})),
  loads('graph without name', model({ graph: concat(message(11, X), message(12, X)) })),
  refused('no graph', bad, model({})),
  refused('no graph and no version', ['SO2003'], model({ irVersion: undefined })),
  refused('input without name', bad, made({ inputs: [valueInfo('', tensorTypeBytes(1, [1]))] })),
  refused('input without type', bad, made({ inputs: [message(1, 'X')], outputs: [message(1, 'X')] })),
  refused(
    'node without operator',
    bad,
    made({ nodes: [concat(message(1, 'X'), message(2, 'Y'))], inputs: [X], outputs: [Y] }),
  ),
  loads(
    'input with a dimension of 2^62',
    made({ inputs: [valueInfo('X', tensorTypeBytes(1, [1n << 62n, 4, 8]))], outputs: [valueInfo('X', undefined)] }),
  ),
  loads(
    'input with negative dimensions',
    made({ inputs: [valueInfo('X', tensorTypeBytes(1, [-1, -5]))], outputs: [valueInfo('X', undefined)] }),
  ),
  loads('input of rank 100,000', () =>
    made({
      inputs: [valueInfo('X', tensorTypeBytes(1, new Array(100_000).fill(1)))],
      outputs: [valueInfo('X', undefined)],
    }),
  ),
  loads('wrong annotation of an inner value', () =>
    made({
      nodes: [node('Neg', ['X'], ['T']), node('Abs', ['T'], ['Y'])],
      inputs: [X],
      outputs: [Y],
      valueInfos: [valueInfo('T', tensorTypeBytes(8, [7, 7, 7]))],
    }),
  ),
  loads('the same annotation twice', () =>
    model({ graph: concat(soundGraph(), message(13, valueInfo('Y')), message(13, valueInfo('Y'))) }),
  ),
  refused(
    'initializer of another type than its input',
    bad,
    made({ inputs: [valueInfo('w', tensorTypeBytes(7, [2]))], initializers: [weight], outputs: [valueInfo('w')] }),
  ),
  loads('a value with 20,000 uses', () =>
    made({
      nodes: [...Array.from({ length: 20_000 }, (_, i) => node('Neg', ['X'], [`v${i}`])), node('Neg', ['v0'], ['Y'])],
      inputs: [X],
      outputs: [Y],
    }),
  ),
  loads('a node with 20,000 inputs and outputs', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
    return made({ nodes: [node('Split', ['X'], names), node('Concat', names, ['Y'])], inputs: [X], outputs: [Y] });
  }),
  loads('20,000 graph outputs', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
    return made({ nodes: [node('Split', ['X'], names)], inputs: [X], outputs: names.map((name) => valueInfo(name)) });
  }),
  loads('a chain of 20,000 nodes', () =>
    made({
      nodes: [
        ...Array.from({ length: 20_000 }, (_, i) => node('Neg', [i === 0 ? 'X' : `v${i - 1}`], [`v${i}`])),
        node('Neg', ['v19999'], ['Y']),
      ],
      inputs: [X],
      outputs: [Y],
    }),
  ),
  loads('a chain of 20,000 nodes in reverse', () =>
    made({
      nodes: [
        node('Neg', ['v19999'], ['Y']),
        ...Array.from({ length: 20_000 }, (_, i) => node('Neg', [i === 0 ? 'X' : `v${i - 1}`], [`v${i}`])).reverse(),
      ],
      inputs: [X],
      outputs: [Y],
    }),
  ),
];

const versions = group('8 versions');
const version: readonly ErrorCode[] = ['SO3002'];
const withOpset = (...rows: (readonly [string, number | bigint])[]) => model({ opsets: rows, graph: soundGraph() });

export const VERSIONS: readonly HostileKind[] = [
  versions.refused('no operator set', version, withOpset()),
  versions.refused('operator set 999', version, withOpset(['', 999])),
  versions.refused('operator set 2^62', version, withOpset(['', 1n << 62n])),
  versions.refused('operator set 0', version, withOpset(['', 0])),
  versions.refused('operator set -1', version, withOpset(['', -1])),
  versions.refused('operator set twice', version, withOpset(['', 17], ['', 17])),
  versions.refused('operator set twice under two spellings', version, withOpset(['', 17], ['ai.onnx', 18])),
  versions.refused('only another operator set', version, withOpset(['com.example', 1])),
  versions.refused('IR version 0', version, model({ irVersion: 0, graph: soundGraph() })),
  versions.refused('IR version 999', version, model({ irVersion: 999, graph: soundGraph() })),
  versions.refused('IR version 2^62', version, model({ irVersion: 1n << 62n, graph: soundGraph() })),
  versions.refused('IR version -1', version, model({ irVersion: -1, graph: soundGraph() })),
  versions.refused('no IR version', version, model({ irVersion: undefined, graph: soundGraph() })),
  versions.loads('unknown operator', made({ nodes: [node('Frobnicate', ['X'], ['Y'])], inputs: [X], outputs: [Y] })),
  versions.refused(
    'undeclared domain',
    version,
    made({ nodes: [node('Op', ['X'], ['Y'], nodeDomain('far.away'))], inputs: [X], outputs: [Y] }),
  ),
  versions.loads('model version of 64 bits', model({ graph: soundGraph() }, int(5, -(1n << 63n)))),
];
