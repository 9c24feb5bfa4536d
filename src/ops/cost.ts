import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { functionKey } from '../ir/model-function.js';
import type { Node } from '../ir/node.js';
import type { Dim, Shape } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { constantTensor, walkGraphs } from '../ir/walk.js';
import { addDims, evaluateDim, multiplyDims, productOfDims, symbolsOf } from './dim.js';

/** What a node costs by its inferred shapes (`inferTypes` first). */
export interface NodeCost {
  /** Multiply-accumulates of one run, a number or an expression of symbols; 0 for operators without; undefined when a size is unknown. */
  readonly macs: Dim;
  /** Bytes of the constants it reads. */
  readonly weightBytes: number;
}

type CostRule = (node: Node) => Dim;

function shapeOf(value: Value | undefined): Shape {
  const type = value?.type;
  return type?.kind === 'tensor' ? type.shape : undefined;
}

function product(shape: Shape): Dim {
  return shape && productOfDims(shape);
}

function outputShape(node: Node): Shape {
  return shapeOf(node.outputs[0]);
}

/** Every output element sums over the input channels of its group and the kernel. */
const convolution =
  (weight: number): CostRule =>
  (node) =>
    multiplyDims(product(outputShape(node)), product(shapeOf(node.input(weight))?.slice(1)));

/** Every input element goes to the output channels of its group through the kernel. */
const convTranspose: CostRule = (node) =>
  multiplyDims(product(shapeOf(node.input(0))), product(shapeOf(node.input(1))?.slice(1)));

const matmul =
  (a: number): CostRule =>
  (node) => {
    const shape = shapeOf(node.input(a));
    const inner = node.int('transA', 0) === 1 ? shape?.at(-2) : shape?.at(-1);
    return multiplyDims(product(outputShape(node)), inner);
  };

const packedMatMul: CostRule = (node) => multiplyDims(product(outputShape(node)), node.int('K', 0) || undefined);

/** Each step multiplies the input by W and the state by R. */
const recurrent: CostRule = (node) => {
  const x = shapeOf(node.input(0));
  const weights = addDims(product(shapeOf(node.input(1))), product(shapeOf(node.input(2))));
  return x && multiplyDims(multiplyDims(x[0], x[1]), weights);
};

/** Standard Attention: scores and weighted sum, each query with each key. */
const attention: CostRule = (node) => {
  const query = shapeOf(node.input(0));
  const key = shapeOf(node.input(1));
  const value = shapeOf(node.input(2));
  if (!query || !key || !value) return undefined;
  const positions = (shape: readonly Dim[]) => (shape.length === 4 ? shape[2] : shape[1]);
  const heads = query.length === 4 ? query[1] : 1;
  const total = addDims(node.input(4) ? shapeOf(node.input(4))?.[2] : 0, positions(key));
  const valueHeads = value.length === 4 ? 1 : node.int('kv_num_heads', 1);
  const queryHeads = value.length === 4 ? 1 : node.int('q_num_heads', 1);
  // With grouped heads the values are shared: their width counts once a query head.
  const valueWidth = multiplyDims(value.at(-1), queryHeads / valueHeads);
  const pairs = multiplyDims(multiplyDims(query[0], heads), multiplyDims(positions(query), total));
  return multiplyDims(pairs, addDims(query.at(-1), valueWidth));
};

/** com.microsoft Attention: the projection of Q, K and V, then scores and weighted sum without a past. */
const packedAttention: CostRule = (node) => {
  const input = shapeOf(node.input(0));
  const weight = shapeOf(node.input(1));
  const output = outputShape(node);
  if (!input || !weight || !output) return undefined;
  const projection = multiplyDims(productOfDims(input), weight[1]);
  const pairs = multiplyDims(input[0], multiplyDims(input[1], input[1]));
  return addDims(projection, multiplyDims(pairs, multiplyDims(2, output.at(-1))));
};

/** com.microsoft MultiHeadAttention on separate projections. */
const multiHeadAttention: CostRule = (node) => {
  const query = shapeOf(node.input(0));
  const key = shapeOf(node.input(1));
  const value = shapeOf(node.input(2));
  if (query?.length !== 3 || key?.length !== 3 || value?.length !== 3) return undefined;
  const pairs = multiplyDims(query[0], multiplyDims(query[1], key[1]));
  return multiplyDims(pairs, addDims(query[2], value[2]));
};

/** Two operands without ellipsis: the product of the sizes of all labels. */
const einsum: CostRule = (node) => {
  const equation = node.string('equation', '').replaceAll(' ', '');
  const terms = (equation.split('->')[0] ?? '').split(',');
  if (terms.length !== 2 || equation.includes('.')) return undefined;
  const sizes = new Map<string, Dim>();
  terms.forEach((term, slot) => {
    const shape = shapeOf(node.input(slot));
    for (const [axis, label] of [...term].entries()) sizes.set(label, sizes.get(label) ?? shape?.[axis]);
  });
  return productOfDims([...sizes.values()]);
};

const RULES: ReadonlyMap<string, CostRule> = new Map<string, CostRule>([
  [':Conv', convolution(1)],
  [':ConvInteger', convolution(1)],
  [':QLinearConv', convolution(3)],
  [':DeformConv', convolution(1)],
  [':ConvTranspose', convTranspose],
  [':Gemm', matmul(0)],
  [':MatMul', matmul(0)],
  [':MatMulInteger', matmul(0)],
  [':QLinearMatMul', matmul(0)],
  [':LSTM', recurrent],
  [':GRU', recurrent],
  [':RNN', recurrent],
  [':Attention', attention],
  [':Einsum', einsum],
  ['com.microsoft:FusedConv', convolution(1)],
  ['com.microsoft:QLinearConv', convolution(3)],
  ['com.microsoft:FusedGemm', matmul(0)],
  ['com.microsoft:QGemm', matmul(0)],
  ['com.microsoft:FusedMatMul', matmul(0)],
  ['com.microsoft:MatMulIntegerToFloat', matmul(0)],
  ['com.microsoft:DynamicQuantizeMatMul', matmul(0)],
  ['com.microsoft:MatMulNBits', packedMatMul],
  ['com.microsoft:DynamicQuantizeLSTM', recurrent],
  ['com.microsoft:Attention', packedAttention],
  ['com.microsoft:MultiHeadAttention', multiHeadAttention],
]);

/** The cost of one node. Subgraphs and function bodies count at their own nodes: see `modelCost`. */
export function nodeCost(node: Node): NodeCost {
  const rule = RULES.get(`${node.domain}:${node.opType}`);
  let weightBytes = 0;
  for (const value of new Set(node.inputs)) {
    const tensor = constantTensor(value);
    if (tensor) weightBytes += tensor.byteLength;
  }
  return { macs: rule ? rule(node) : 0, weightBytes };
}

export interface ModelCostOptions {
  /** Sizes of symbols; one that is missing counts as 1, and the report says so. */
  readonly symbols?: ReadonlyMap<string, number>;
}

export interface ModelCost {
  /** Multiply-accumulates of one run, a lower bound when `unknown` is not empty. */
  readonly macs: number;
  /** Multiply-accumulates of every node that has any. A body of a local function counts once a call. */
  readonly perNode: ReadonlyMap<Node, number>;
  /** The same as a sum over the symbols, of all calls; undefined where it is too long to be read, or a size is unknown. */
  readonly expression: Dim;
  /** Nodes that multiply nothing, since a size of theirs is 0 or less. */
  readonly empty: readonly Node[];
  /** Symbols that were taken as 1, sorted. */
  readonly assumedSymbols: readonly string[];
  /** Nodes left out because a size of theirs is unknown, or too large to count. */
  readonly unknown: readonly Node[];
  /** Nodes whose bodies were counted once: how often a loop runs, or which branch is taken, is not known here. */
  readonly countedOnce: readonly Node[];
}

/** Multiply-accumulates of a model from inferred shapes (`inferTypes` first). */
export function modelCost(model: Model, options: ModelCostOptions = {}): ModelCost {
  const given = options.symbols ?? new Map<string, number>();
  const assumed = new Set<string>();
  const perNode = new Map<Node, number>();
  const unknown: Node[] = [];
  const countedOnce: Node[] = [];
  const empty: Node[] = [];
  let expression: Dim = 0;
  for (const [graph, calls] of graphsByCalls(model)) {
    for (const node of graph.nodes) {
      if (node.subgraphs().length > 0) countedOnce.push(node);
      const { macs } = nodeCost(node);
      expression = addDims(expression, multiplyDims(macs, calls));
      const once = macs === undefined ? undefined : evaluateWithOnes(macs, given, assumed);
      const total = once === undefined ? undefined : once * calls;
      if (total === undefined || !Number.isSafeInteger(total)) unknown.push(node);
      else if (total > 0) perNode.set(node, total);
      else if (RULES.has(`${node.domain}:${node.opType}`)) empty.push(node);
    }
  }
  let macs = 0;
  for (const count of perNode.values()) macs += count;
  return { macs, perNode, expression, empty, assumedSymbols: [...assumed].sort(), unknown, countedOnce };
}

function evaluateWithOnes(dim: Dim, given: ReadonlyMap<string, number>, assumed: Set<string>): number | undefined {
  const missing = symbolsOf(dim).filter((name) => !given.has(name));
  if (missing.length === 0) return evaluateDim(dim, given);
  const symbols = new Map(given);
  for (const name of missing) {
    symbols.set(name, 1);
    assumed.add(name);
  }
  return evaluateDim(dim, symbols);
}

/** Every graph that runs, with how many call sites reach it. Functions that call each other in a circle are left out. */
function graphsByCalls(model: Model): Map<Graph, number> {
  const callsFrom = new Map<Graph, Map<Graph, number>>();
  const waiting = new Map<Graph, number>();
  for (const root of [model.graph, ...[...model.functions.values()].map((called) => called.graph)]) {
    const callees = new Map<Graph, number>();
    for (const graph of walkGraphs(root)) {
      for (const node of graph.nodes) {
        const callee = model.functions.get(functionKey(node.domain, node.opType, node.overload))?.graph;
        if (callee) callees.set(callee, (callees.get(callee) ?? 0) + 1);
      }
    }
    callsFrom.set(root, callees);
    for (const callee of callees.keys()) waiting.set(callee, (waiting.get(callee) ?? 0) + 1);
  }
  const rootCalls = new Map<Graph, number>([[model.graph, 1]]);
  const counts = new Map<Graph, number>();
  const ready = [...callsFrom.keys()].filter((root) => !waiting.get(root));
  for (const root of ready) {
    const calls = rootCalls.get(root) ?? 0;
    if (calls > 0) for (const graph of walkGraphs(root)) counts.set(graph, calls);
    for (const [callee, times] of callsFrom.get(root) ?? []) {
      rootCalls.set(callee, (rootCalls.get(callee) ?? 0) + calls * times);
      const left = (waiting.get(callee) ?? 0) - 1;
      waiting.set(callee, left);
      if (left === 0) ready.push(callee);
    }
  }
  return counts;
}
