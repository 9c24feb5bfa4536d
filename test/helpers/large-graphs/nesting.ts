/** Subgraphs in subgraphs, and functions that call functions. `size` is the depth. */
import { attribute, graphAttribute } from '../../../src/ir/attribute.js';
import { Graph } from '../../../src/ir/graph.js';
import type { Model } from '../../../src/ir/model.js';
import { functionKey } from '../../../src/ir/model-function.js';
import { tensorType } from '../../../src/ir/type.js';
import type { Value } from '../../../src/ir/value.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { call, emptyModel, floats, input, type LargeGraph, output, subgraph } from './builder.js';

/** Subgraphs may nest as deep as files are read. */
const DEPTH = 60;

/**
 * An If whose then branch holds the next, and whose else branch holds what `leaf` makes. With `both` another If stands
 * beside each. Only one branch nests: with both, the file itself would be exponential.
 */
function nestedIf(depth: number, leaf: (graph: Graph, value: Value) => Value, both = false): Model {
  const model = emptyModel('nested If');
  model.graph.name = 'main';
  const condition = input(model.graph, 'condition', [], DataType.BOOL);
  const x = input(model.graph, 'x', [4]);
  const levels = [model.graph];
  for (let level = 0; level < depth; level++) levels.push(subgraph(model, `then_${level}`));
  // From the inside out, so that a branch is whole before a node holds it.
  let inner: Graph | undefined;
  for (const [level, graph] of [...levels.entries()].reverse()) {
    const before = call(graph, 'Sin', [x], { name: `before_${level}` });
    let value = before;
    if (inner) {
      if (both) {
        const [yes, no] = [subgraph(model, `yes_${level}`), subgraph(model, `no_${level}`)];
        output(yes, call(yes, 'Cos', [before]), [4]);
        output(no, call(no, 'Neg', [before]), [4]);
        value = call(graph, 'If', [condition], {
          attributes: [graphAttribute('then_branch', yes), graphAttribute('else_branch', no)],
          name: `side_${level}`,
        });
      }
      const second = subgraph(model, `else_${level}`);
      output(second, leaf(second, value), [4]);
      value = call(graph, 'If', [condition], {
        attributes: [graphAttribute('then_branch', inner), graphAttribute('else_branch', second)],
        name: `if_${level}`,
      });
    }
    output(graph, call(graph, 'Add', [before, value], { name: `after_${level}` }), [4]);
    inner = graph;
  }
  return model;
}

/** Loops around loops; the innermost body adds. */
function nestedLoop(depth: number, grows: boolean): Model {
  const model = emptyModel('nested Loop');
  const trips = model.graph.addInitializer('trips', Tensor.int64([1], []));
  const go = model.graph.addInitializer('go', Tensor.of(DataType.BOOL, [], Uint8Array.of(1)));
  const x = input(model.graph, 'x', ['n', 4]);
  let body: Graph | undefined;
  for (let level = depth - 1; level >= 0; level--) {
    const graph = subgraph(model, `body_${level}`);
    input(graph, `i_${level}`, [], DataType.INT64);
    const condition = input(graph, `c_${level}`, [], DataType.BOOL);
    const carried = input(graph, `carried_${level}`, undefined);
    const inner: Value = body
      ? call(graph, 'Loop', [trips, condition, carried], { attributes: [graphAttribute('body', body)] })
      : call(graph, 'Sin', [carried]);
    output(graph, call(graph, 'Identity', [condition]), [], DataType.BOOL);
    const next = grows
      ? call(graph, 'Concat', [inner, x], { attributes: [attribute('axis', 0)] })
      : call(graph, 'Tanh', [inner]);
    output(graph, next, undefined);
    body = graph;
  }
  const attributes = body ? [graphAttribute('body', body)] : [];
  output(model.graph, call(model.graph, 'Loop', [trips, go, x], { attributes }), undefined);
  return model;
}

/** Scans around scans. */
function nestedScan(depth: number): Model {
  const model = emptyModel('nested Scan');
  const x = input(
    model.graph,
    'x',
    Array.from({ length: depth + 1 }, () => 1),
  );
  let body: Graph | undefined;
  for (let level = depth - 1; level >= 0; level--) {
    const graph = subgraph(model, `body_${level}`);
    const part = input(graph, `part_${level}`, undefined);
    const inner: Value = body
      ? call(graph, 'Scan', [part], {
          attributes: [graphAttribute('body', body), attribute('num_scan_inputs', 1)],
        })
      : call(graph, 'Sin', [part]);
    output(graph, inner, undefined);
    body = graph;
  }
  const attributes = body ? [graphAttribute('body', body), attribute('num_scan_inputs', 1)] : [];
  output(model.graph, call(model.graph, 'Scan', [x], { attributes }), undefined);
  return model;
}

/** Functions f0 … fn; each calls the next `calls` times, the last is one node. */
function nestedFunctions(depth: number, calls: number, typed = true): Model {
  const model = emptyModel('functions');
  model.setOpset('local', 1);
  const key = (level: number): string => functionKey('local', `f${level}`, '');
  for (let level = 0; level < depth; level++) {
    const graph = new Graph(model, `f${level}`);
    const parameter = graph.newValue('x');
    graph.addInput(parameter);
    let value = parameter;
    for (let at = 0; at < calls; at++)
      value =
        level + 1 < depth
          ? call(graph, `f${level + 1}`, [value], { domain: 'local', name: `call_${at}` })
          : call(graph, 'Sin', [value]);
    graph.addOutput(value);
    model.functions.set(key(level), {
      domain: 'local',
      name: `f${level}`,
      overload: '',
      graph,
      attributeNames: [],
      attributeDefaults: [],
      opsets: new Map([
        ['', 17],
        ['local', 1],
      ]),
      origin: undefined,
    });
  }
  const x = input(model.graph, 'x', typed ? [4] : undefined);
  const result = call(model.graph, 'f0', [x], { domain: 'local', name: 'main' });
  result.type = tensorType(DataType.FLOAT, typed ? [4] : undefined);
  output(model.graph, result);
  return model;
}

/** Many calls of one function, one after the other. */
function manyCalls(calls: number): Model {
  const model = nestedFunctions(1, 3);
  const { graph } = model;
  let value = graph.outputs[0] as Value;
  graph.removeOutput(0);
  for (let at = 1; at < calls; at++) value = call(graph, 'f0', [value], { domain: 'local', name: `call_${at}` });
  output(graph, value, [4]);
  return model;
}

export const NESTING: readonly LargeGraph[] = [
  { name: 'nested If', size: DEPTH, make: (size) => nestedIf(size, (graph, value) => call(graph, 'Neg', [value])) },
  {
    name: 'nested If with If in both branches',
    size: DEPTH,
    make: (size) => nestedIf(size, (graph, value) => call(graph, 'Neg', [value]), true),
  },
  {
    name: 'nested If with random numbers inside',
    size: DEPTH,
    make: (size) => nestedIf(size, (graph, value) => call(graph, 'RandomNormalLike', [value])),
  },
  {
    name: 'nested If with constants inside',
    size: DEPTH,
    make: (size) => nestedIf(size, (graph) => call(graph, 'Neg', [floats(graph, 'c', [1, 2, 3, 4])])),
  },
  { name: 'nested Loop', size: DEPTH, make: (size) => nestedLoop(size, false) },
  { name: 'nested Loop whose state grows', size: DEPTH, make: (size) => nestedLoop(size, true) },
  { name: 'nested Scan', size: DEPTH, make: nestedScan },
  {
    name: 'many If beside each other',
    size: 10_000,
    make(size) {
      const model = emptyModel('wide If');
      const condition = input(model.graph, 'condition', [], DataType.BOOL);
      let value = input(model.graph, 'x', [4]);
      for (let at = 0; at < size; at++) {
        const [yes, no] = [subgraph(model, `then_${at}`), subgraph(model, `else_${at}`)];
        output(yes, call(yes, 'Sin', [value], { name: 'sin' }), [4]);
        output(no, call(no, 'Cos', [value], { name: 'cos' }), [4]);
        value = call(model.graph, 'If', [condition], {
          attributes: [graphAttribute('then_branch', yes), graphAttribute('else_branch', no)],
          name: `if_${at}`,
        });
      }
      output(model.graph, value, [4]);
      return model;
    },
  },
  {
    name: 'an If with a long chain inside',
    size: 100_000,
    make: (size) =>
      nestedIf(1, (graph, from) => {
        let value = from;
        for (let at = 0; at < size; at++) value = call(graph, 'Tanh', [value], { name: `inner_${at}` });
        return value;
      }),
  },
  { name: 'functions that call one', size: DEPTH, make: (size) => nestedFunctions(size, 1) },
  { name: 'functions that call one, unknown shapes', size: 1000, make: (size) => nestedFunctions(size, 1, false) },
  { name: 'many calls of one function', size: 20_000, make: manyCalls },
];

/** Models that no command may work on, since they unfold to more nodes than there are atoms. */
export const REFUSED: readonly LargeGraph[] = [
  { name: 'functions that call two', size: DEPTH, make: (size) => nestedFunctions(size, 2) },
];
