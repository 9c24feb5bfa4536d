import { expect } from 'vitest';
import { allGraphs } from '../../../src/ir/walk.js';
import {
  attribute,
  type Bytes,
  concat,
  graph,
  int,
  message,
  model,
  nest,
  node,
  tensorTypeBytes,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';
import { nestedIf } from './rare.js';

const { refused, loads } = group('5 nesting');

const NOTHING = new Uint8Array(0);

/** Subgraphs inside each other: graph { node { op_type "If", attribute { name "b", type GRAPH, g { … } } } }. */
function subgraphs(depth: number): Bytes {
  const levels = [
    { before: concat(message(1, 'b'), int(20, 5)), field: 6 },
    { before: message(4, 'If'), field: 5 },
    { before: message(2, 'g'), field: 1 },
  ];
  const core = nest(repeat(levels, depth), message(2, 'leaf'));
  return concat(int(1, 8), message(7, core), message(8, message(1, ''), int(2, 17)));
}

/** seq(seq(…)): TypeProto { sequence_type { elem_type { … } } }. */
function nestedType(depth: number): Bytes {
  const levels = [
    { before: NOTHING, field: 1 },
    { before: NOTHING, field: 4 },
  ];
  return nest(repeat(levels, depth), tensorTypeBytes(1));
}

function repeat<T>(levels: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => levels).flat();
}

function types(depth: number): Bytes {
  return model({ graph: graph({ inputs: [valueInfo('X', nestedType(depth))], outputs: [valueInfo('X', undefined)] }) });
}

export const NESTING: readonly HostileKind[] = [
  loads(
    '30 subgraphs',
    () =>
      model({
        graph: concat(nestedIf(30), message(11, valueInfo('X')), message(11, valueInfo('C', tensorTypeBytes(9, [])))),
      }),
    (read) => expect([...allGraphs(read)]).toHaveLength(61),
  ),
  refused('1,200 subgraphs', ['SO2007'], () => subgraphs(1200)),
  refused('20,000 subgraphs', ['SO2007'], () => subgraphs(20_000)),
  loads('20 nested types', () => types(20)),
  refused('5,000 nested types', ['SO2007'], () => types(5000)),
  refused('100,000 nested types', ['SO2007'], () => types(100_000)),
  refused('5,000 nested types in an attribute', ['SO2007'], () =>
    model({
      graph: graph({
        nodes: [node('Op', [], ['Y'], attribute('t', 13, message(14, nestedType(5000))))],
        outputs: [valueInfo('Y')],
      }),
    }),
  ),
];
