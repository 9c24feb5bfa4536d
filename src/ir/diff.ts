import { dataTypeName } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import type { Node } from './node.js';
import { allGraphs } from './walk.js';

/** A count before and after. */
export interface Change {
  readonly before: number;
  readonly after: number;
}

export interface ModelDiff {
  /** Nodes of all graphs: subgraphs and bodies of local functions included. */
  readonly nodes: Change;
  /** Operators whose count differs, by name (`Conv`, `com.microsoft.Gelu`), in order of name. */
  readonly operators: readonly ({ readonly operator: string } & Change)[];
  /** Bytes of constant tensors by data type, where they differ, in order of name. */
  readonly tensorBytes: readonly ({ readonly dataType: string } & Change)[];
  readonly totalTensorBytes: Change;
}

/** What is in a model, counted. */
export interface ModelCensus {
  readonly nodes: number;
  readonly operators: ReadonlyMap<string, number>;
  /** Bytes in `raw_data` form of initializers and of tensors in attributes, by data type name. */
  readonly tensorBytes: ReadonlyMap<string, number>;
}

/** The operator of a node with its domain, as the text syntax writes it: `Conv`, `com.microsoft.Gelu`. */
export function operatorName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}

/** Counts operators and the bytes of constants over all graphs of a model. Sparse tensors are not counted. */
export function countModel(model: Model): ModelCensus {
  const operators = new Map<string, number>();
  const tensorBytes = new Map<string, number>();
  let nodes = 0;
  const addTensor = (tensor: Tensor): void => {
    const name = dataTypeName(tensor.dataType);
    tensorBytes.set(name, (tensorBytes.get(name) ?? 0) + tensor.byteLength);
  };
  for (const graph of allGraphs(model)) {
    for (const value of graph.initializers) if (value.tensor) addTensor(value.tensor);
    for (const node of graph.nodes) {
      nodes++;
      operators.set(operatorName(node), (operators.get(operatorName(node)) ?? 0) + 1);
      for (const { value } of node.attributes.values()) {
        if (value.kind === 'tensor') addTensor(value.value);
        else if (value.kind === 'tensors') value.value.forEach(addTensor);
      }
    }
  }
  return { nodes, operators, tensorBytes };
}

/** What changed from one model to another, in numbers. Both may be a census taken earlier, since passes change a model in place. */
export function diffModels(before: Model | ModelCensus, after: Model | ModelCensus): ModelDiff {
  const [old, now] = [census(before), census(after)];
  return {
    nodes: { before: old.nodes, after: now.nodes },
    operators: changes(old.operators, now.operators).map(([operator, change]) => ({ operator, ...change })),
    tensorBytes: changes(old.tensorBytes, now.tensorBytes).map(([dataType, change]) => ({ dataType, ...change })),
    totalTensorBytes: { before: sum(old.tensorBytes), after: sum(now.tensorBytes) },
  };
}

function census(model: Model | ModelCensus): ModelCensus {
  return 'graph' in model ? countModel(model) : model;
}

function changes(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): [string, Change][] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const rows = names.map((name): [string, Change] => [
    name,
    { before: before.get(name) ?? 0, after: after.get(name) ?? 0 },
  ]);
  return rows.filter(([, change]) => change.before !== change.after);
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
