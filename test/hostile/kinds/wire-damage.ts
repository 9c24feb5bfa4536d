import type { ErrorCode } from '../../../src/errors.js';
import {
  concat,
  graph,
  int,
  lying,
  message,
  model,
  node,
  packed,
  rawData,
  soundGraph,
  soundModel,
  tag,
  tensor,
  valueInfo,
  varint,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const { refused, loads } = group('2 wire');
const damaged: readonly ErrorCode[] = ['SO2006'];
const early: readonly ErrorCode[] = ['SO2005'];

const header = int(1, 8);
const opset = message(8, message(1, ''), int(2, 17));

function groups(depth: number, close: boolean): Uint8Array {
  const opening = tag(99, 3);
  const closing = tag(99, 4);
  return concat(
    ...Array.from({ length: depth }, () => opening),
    ...Array.from({ length: close ? depth : 0 }, () => closing),
  );
}

export const WIRE_DAMAGE: readonly HostileKind[] = [
  refused('length 2^63', ['SO2005', 'SO2006'], concat(header, lying(7, 1n << 63n))),
  refused('length 2^64 - 1', ['SO2005', 'SO2006'], concat(header, lying(7, (1n << 64n) - 1n))),
  refused('length 4 GiB', early, concat(header, lying(7, 2 ** 32, soundGraph()))),
  refused('length 4 GiB inside a message', damaged, concat(header, message(7, lying(2, 2 ** 32)), opset)),
  refused('varint of 11 bytes', damaged, concat(header, tag(5, 0), new Uint8Array(10).fill(0x80), Uint8Array.of(1))),
  refused('varint without end', early, concat(header, tag(5, 0), Uint8Array.of(0x80))),
  refused('tag over 32 bits', damaged, concat(header, varint(1n << 40n), varint(1))),
  refused('wire type 6', damaged, concat(header, tag(30, 6))),
  refused('wire type 7', damaged, concat(header, tag(30, 7))),
  refused('end of a group that never began', damaged, concat(header, tag(30, 4))),
  refused('field number 0', damaged, concat(header, tag(0, 0), varint(1))),
  refused('graph with wire type varint', damaged, concat(header, int(7, 5), opset)),
  refused('IR version with wire type length', damaged, concat(message(1, '8'), message(7, soundGraph()), opset)),
  refused('50,000 nested groups', ['SO2007'], () => concat(header, groups(50_000, true))),
  refused('open group', early, concat(soundModel(), groups(1, false))),
  refused('group closed by another number', damaged, concat(header, tag(99, 3), tag(98, 4))),
  refused(
    'packed dims that overrun',
    damaged,
    model({
      graph: graph({ initializers: [concat(lying(1, 2, Uint8Array.of(0x82, 0x82)), int(2, 1), message(8, 'w'))] }),
    }),
  ),
  refused(
    'packed floats that do not divide by four',
    ['SO2006', 'SO2101'],
    model({ graph: graph({ initializers: [tensor('w', 1, [2], message(4, new Uint8Array(7)))] }) }),
  ),
  refused('trailing zero bytes', damaged, concat(soundModel(), new Uint8Array(16))),
  refused('trailing text', ['SO2005', 'SO2006'], concat(soundModel(), new TextEncoder().encode('\n--boundary--'))),
  refused('the file twice', ['SO3001', 'SO3002'], concat(soundModel(), soundModel())),
  refused('2,000,000 empty nodes', ['SO2104', 'SO3001'], () =>
    model({
      graph: graph(
        {},
        new Uint8Array(4_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0)),
      ),
    }),
  ),
  loads('2,000,000 unknown fields', () =>
    concat(
      soundModel(),
      new Uint8Array(4_000_000).map((_, i) => (i % 2 === 0 ? 0x78 : 1)),
    ),
  ),
  refused('3,000,000 dimensions', ['SO2101', 'SO2104'], () =>
    model({ graph: graph({ initializers: [concat(message(1, new Uint8Array(3_000_000)), tensor('w', 1, []))] }) }),
  ),
  loads('a packed list in several pieces', () =>
    model({
      graph: graph({
        initializers: [
          concat(packed(1, [1]), int(1, 2), packed(1, [1, 1]), tensor('w', 1, [], rawData(new Uint8Array(8)))),
        ],
        nodes: [node('Neg', ['w'], ['Y'])],
        outputs: [valueInfo('Y')],
      }),
    }),
  ),
];
