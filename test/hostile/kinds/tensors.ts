import type { ErrorCode } from '../../../src/errors.js';
import {
  type Bytes,
  concat,
  float,
  graph,
  int,
  message,
  model,
  node,
  packed,
  rawData,
  tensor,
  tensorAttribute,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const { refused } = group('6 tensors');
const bad: readonly ErrorCode[] = ['SO2101'];
const bytes = (size: number) => new Uint8Array(size);

function withTensor(tensorBytes: Bytes): Bytes {
  return model({
    graph: graph({
      nodes: [node('Identity', ['w'], ['Y'])],
      initializers: [tensorBytes],
      outputs: [valueInfo('Y', undefined)],
    }),
  });
}

function withSparse(values: Bytes, indices: Bytes, dims: readonly (number | bigint)[]): Bytes {
  return model({
    graph: graph(
      { nodes: [node('Identity', ['w'], ['Y'])], outputs: [valueInfo('Y', undefined)] },
      message(15, message(1, values), message(2, indices), packed(3, dims)),
    ),
  });
}

const value = (count: number) => tensor('w', 1, [count], rawData(bytes(4 * count)));
const indices = (...list: (number | bigint)[]) => tensor('', 7, [list.length], packed(7, list));

export const TENSORS: readonly HostileKind[] = [
  refused('element count 2^64', bad, withTensor(tensor('w', 1, [2 ** 32, 2 ** 32], rawData(bytes(8))))),
  refused('element count that is 0 modulo 2^64', bad, withTensor(tensor('w', 1, [1n << 62n, 4], rawData(bytes(0))))),
  refused('element count 2^32', bad, withTensor(tensor('w', 1, [65536, 65536], rawData(bytes(4))))),
  refused('element count over 2^53', bad, withTensor(tensor('w', 1, [3n << 60n], rawData(bytes(4))))),
  refused('byte count over 2^53', bad, withTensor(tensor('w', 11, [2 ** 52], rawData(bytes(8))))),
  refused('negative dimension', bad, withTensor(tensor('w', 1, [-1], rawData(bytes(4))))),
  refused('two negative dimensions', bad, withTensor(tensor('w', 1, [-2, -3], rawData(bytes(24))))),
  refused('INT64_MIN as dimension', bad, withTensor(tensor('w', 1, [-(1n << 63n)], rawData(bytes(4))))),
  refused('raw data too short', bad, withTensor(tensor('w', 1, [2], rawData(bytes(4))))),
  refused('raw data too long', bad, withTensor(tensor('w', 1, [2], rawData(bytes(12))))),
  refused('raw data no multiple of the element', bad, withTensor(tensor('w', 1, [2], rawData(bytes(7))))),
  refused('no data', bad, withTensor(tensor('w', 1, [2]))),
  refused('data in two fields', bad, withTensor(tensor('w', 1, [1], rawData(bytes(4)), float(4, 1)))),
  refused('data in the wrong field', bad, withTensor(tensor('w', 1, [1], packed(7, [1])))),
  refused('too few typed values', bad, withTensor(tensor('w', 1, [3], float(4, 1)))),
  refused('too many typed values', bad, withTensor(tensor('w', 7, [1], packed(7, [1, 2, 3])))),
  refused('data type 0', bad, withTensor(tensor('w', 0, [1], rawData(bytes(4))))),
  refused('no data type', bad, withTensor(concat(int(1, 1), message(8, 'w'), rawData(bytes(4))))),
  refused('data type 999 in float_data', bad, withTensor(tensor('w', 999, [1], float(4, 1)))),
  refused('string in raw data', bad, withTensor(tensor('w', 8, [1], rawData(bytes(4))))),
  refused('string count wrong', bad, withTensor(tensor('w', 8, [2], message(6, 'a')))),
  refused('rank 100,000', ['SO2101', 'SO2104'], () =>
    withTensor(concat(packed(1, new Array(100_000).fill(1)), tensor('w', 1, [], rawData(bytes(4))))),
  ),
  refused('no name', ['SO3001'], withTensor(tensor('', 1, [1], rawData(bytes(4))))),
  refused(
    'a bad tensor in an attribute',
    bad,
    model({
      graph: graph({
        nodes: [node('Constant', [], ['Y'], tensorAttribute('value', tensor('', 1, [9], rawData(bytes(4)))))],
        outputs: [valueInfo('Y')],
      }),
    }),
  ),
  refused('sparse index out of range', bad, withSparse(value(1), indices(6), [2, 3])),
  refused('sparse index negative', bad, withSparse(value(1), indices(-1), [2, 3])),
  refused('sparse indices not sorted', bad, withSparse(value(2), indices(3, 1), [2, 3])),
  refused('sparse index twice', bad, withSparse(value(2), indices(1, 1), [2, 3])),
  refused('sparse dense size 2^62', bad, withSparse(value(1), indices(1n << 61n), [1n << 31n, 1n << 31n])),
  refused('sparse with fewer indices than values', bad, withSparse(value(2), indices(1), [2, 3])),
  refused('sparse with negative dimension', bad, withSparse(value(1), indices(0), [-4])),
  refused('sparse with float indices', bad, withSparse(value(1), tensor('', 1, [1], rawData(bytes(4))), [2, 3])),
];
