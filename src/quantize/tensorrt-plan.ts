/**
 * Where Quantize/Dequantize pairs stand for TensorRT's explicit quantization: before the data of layers with weights, and before the
 * other operand of an Add that a convolution is fused with; and before both operands of products of two activations. Source: NVIDIA TensorRT documentation, "Explicit Quantization", Q/DQ
 * layer-placement recommendations.
 */
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { Use, Value } from '../ir/value.js';
import { allNodes, constantTensor, walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { isActivationProduct } from './activation-products.js';
import { isObservable } from './expose-ranges.js';
import { WEIGHTED_OPERATORS } from './operator-classes.js';
import type { LeftNode } from './plan.js';
import { type WeightedNode, weightedNode } from './weighted.js';

/** Why products of two activations stay in float where nobody has tried what they cost. */
export const PRODUCTS_STAY = 'it multiplies two activations, and what quantizing them costs was not measured';

export interface TensorRtPlan {
  readonly weighted: readonly WeightedNode[];
  /** The operand of each Add that joins a skip connection to a quantized convolution. */
  readonly residuals: readonly Use[];
  /** Products of two activations whose operands both get a pair. */
  readonly products: readonly Node[];
  /** Activations that get a pair, with the uses that read it. */
  readonly tensors: ReadonlyMap<Value, readonly Use[]>;
  /** Names of the tensors whose range must be known, in graph order. */
  readonly observe: readonly string[];
  readonly left: readonly LeftNode[];
}

/**
 * Plans INT8 or FP8 for TensorRT. Does not change the model. @param select which nodes may be quantized; default all
 * @param whyFloat why a product of two activations stays in float; undefined quantizes it. Default: all stay
 */
export function planTensorRt(
  model: Model,
  select: (node: Node) => boolean = () => true,
  whyFloat: (product: Node) => string | undefined = () => PRODUCTS_STAY,
): TensorRtPlan {
  const weighted = new Map<Node, WeightedNode>();
  const products: Node[] = [];
  const left: LeftNode[] = [];
  const graphs = [...walkGraphs(model.graph)].filter(isObservable);
  for (const graph of graphs) {
    for (const node of graph.nodes) {
      if (node.domain !== '' || !WEIGHTED_OPERATORS.has(node.opType)) continue;
      if (isActivationProduct(node)) {
        const reason = select(node) ? whyFloat(node) : 'it is excluded';
        if (reason === undefined) products.push(node);
        else left.push({ node, reason });
        continue;
      }
      const found = select(node) ? weightedForTensorRt(node) : { reason: 'it is excluded' };
      if ('reason' in found) left.push({ node, reason: found.reason });
      else weighted.set(node, found);
    }
  }
  const seen = new Set<Graph>(graphs);
  for (const node of allNodes(model)) {
    if (seen.has(node.graph) || node.domain !== '' || !WEIGHTED_OPERATORS.has(node.opType)) continue;
    left.push({ node, reason: 'it is inside a loop or a local function, where ranges cannot be observed' });
  }
  const residuals = graphs.flatMap((graph) => residualUses(graph, weighted));
  const tensors = new Map<Value, Use[]>();
  const add = (use: Use): void => {
    const value = use.node.input(use.slot) as Value;
    const uses = tensors.get(value);
    if (uses) uses.push(use);
    else tensors.set(value, [use]);
  };
  for (const node of weighted.keys()) add({ node, slot: 0 });
  for (const use of residuals) add(use);
  for (const node of products) for (const slot of [0, 1]) add({ node, slot });
  return {
    weighted: [...weighted.values()],
    residuals,
    products,
    tensors,
    observe: [...tensors.keys()].map(({ name }) => name),
    left,
  };
}

/**
 * A layer that TensorRT has INT8 kernels for, with the axis of its weight that has one scale for each index.
 */
function weightedForTensorRt(node: Node): WeightedNode | { readonly reason: string } {
  if (node.is('LSTM') || node.is('GRU') || node.is('RNN'))
    return { reason: `TensorRT has no INT8 kernel for ${node.opType}` };
  if (node.is('ConvTranspose')) return transposedConvolution(node);
  return weightedNode(node, false);
}

function transposedConvolution(node: Node): WeightedNode | { readonly reason: string } {
  const weight = constantTensor(node.input(1));
  if (!weight) return { reason: 'its weight is not constant' };
  if (constantTensor(node.input(0))) return { reason: 'its data is constant' };
  if (weight.dataType !== DataType.FLOAT) return { reason: 'its weight is not FLOAT' };
  if (weight.rank < 3 || weight.size === 0) return { reason: `its weight has rank ${weight.rank}` };
  if (node.int('group', 1) !== 1) return { reason: 'it has groups, whose output channels share scales' };
  return { node, weight, axis: 1, channels: weight.dims[1] as number, bias: undefined, output: node.output() };
}

/**
 * The skip connections of a graph. TensorRT fuses an Add into the convolution before it if the other operand is INT8 too. Where both operands
 * come from convolutions, the later one takes the Add and the earlier one is its skip connection.
 */
function residualUses(graph: Graph, weighted: ReadonlyMap<Node, WeightedNode>): Use[] {
  const order = new Map<Node, number>();
  let count = 0;
  for (const node of graph.nodes) order.set(node, count++);
  const uses: Use[] = [];
  for (const node of graph.nodes) {
    if (!node.is('Add') || node.inputs.length !== 2) continue;
    const slots = [0, 1].map((slot) => {
      const value = node.input(slot);
      const producer = value?.producer;
      const isConvolution = producer !== undefined && weighted.has(producer) && /^Conv/.test(producer.opType);
      return { slot, value, isConvolution, place: producer ? (order.get(producer) ?? -1) : -1 };
    });
    if (slots.some(({ value }) => !value || constantTensor(value) !== undefined || !isFloat(value))) continue;
    const [first, second] = slots;
    if (!first || !second || first.value === second.value) continue;
    if (!first.isConvolution && !second.isConvolution) continue;
    const fused = first.isConvolution && (!second.isConvolution || first.place > second.place) ? first : second;
    uses.push({ node, slot: 1 - fused.slot });
  }
  return uses;
}

function isFloat({ type }: Value): boolean {
  return type === undefined || (type.kind === 'tensor' && type.dataType === DataType.FLOAT);
}
