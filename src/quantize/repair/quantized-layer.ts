import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import { numbersOf } from '../../ops/eval/lane.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../prune/repair/repair-layers.js';
import { Tensor } from '../../tensor/tensor.js';
import type { WeightGrid } from './round-weights.js';

/** Metadata entry by which a layer is found again in a model that was made of this one. Never in a file that is delivered. */
const MARK = 'serve_opt.repair';

/** Marks the nodes with weights, so that they are found again in quantized copies. */
export function markLayers(model: Model): void {
  let count = 0;
  for (const node of model.graph.nodes)
    if (typeof repairLayer(node) === 'object') node.metadataProps.set(MARK, String(count++));
}

/** Tells the parts of a marked node apart that have its mark. */
export function markParts(parts: readonly Node[]): void {
  for (const [part, node] of parts.entries()) {
    const mark = node.metadataProps.get(MARK);
    if (mark !== undefined) node.metadataProps.set(MARK, `${mark}.${part}`);
  }
}

/** Takes the marks away again. */
export function unmarkLayers(model: Model): void {
  for (const node of model.graph.nodes) if (node.hasMetadataProps) node.metadataProps.delete(MARK);
}

/** A layer of a FLOAT model and what quantization made of it. */
export interface QuantizedLayer {
  readonly mark: string;
  /** With FLOAT weights. */
  readonly layer: RepairLayer;
  /** The node of the quantized model that computes it. */
  readonly node: Node;
  /** The integers of its weights, group by group. */
  readonly grids: readonly WeightGrid[];
}

/** Marked nodes of a model. */
export function markedNodes(model: Model): Map<string, Node> {
  const marked = new Map<string, Node>();
  for (const node of model.graph.nodes) {
    const mark = node.hasMetadataProps ? node.metadataProps.get(MARK) : undefined;
    if (mark !== undefined) marked.set(mark, node);
  }
  return marked;
}

/** The marked layers of a FLOAT model whose weights a quantized copy has as integers, in the order of the graph. */
export function quantizedLayers(float: Model, quantized: Model): QuantizedLayer[] {
  const made = markedNodes(quantized);
  const layers: QuantizedLayer[] = [];
  for (const [mark, node] of markedNodes(float)) {
    const twin = made.get(mark);
    const layer = twin && repairLayer(node);
    if (!twin || typeof layer !== 'object') continue;
    const grids = gridsOf(layer, twin);
    if (grids) layers.push({ mark, layer, node: twin, grids });
  }
  return layers;
}

/** The layer of another FLOAT model with the same mark. */
export function layersByMark(model: Model): Map<string, RepairLayer> {
  const layers = new Map<string, RepairLayer>();
  for (const [mark, node] of markedNodes(model)) {
    const layer = repairLayer(node);
    if (typeof layer === 'object') layers.set(mark, layer);
  }
  return layers;
}

/** Weights as they are multiplied, K × O: integers times their scales. */
export function dequantized({ scales, zeroPoints, rounded }: WeightGrid): Float64Array {
  const outputs = scales.length;
  return rounded.map((value, at) => (value - (zeroPoints[at % outputs] as number)) * (scales[at % outputs] as number));
}

function gridsOf(layer: RepairLayer, node: Node): WeightGrid[] | undefined {
  const dequantize = node.input(layer.weight)?.producer;
  if (!dequantize?.is('DequantizeLinear')) return undefined;
  const [integers, scale, zero] = [0, 1, 2].map((slot) => constantTensor(dequantize.input(slot)));
  if (!integers || !scale || integers.dims.join() !== layer.tensor.dims.join()) return undefined;
  const values = Tensor.float32(Float32Array.from(numbersOf(integers)), integers.dims);
  const scales = numbersOf(scale);
  const zeros = zero ? numbersOf(zero) : new Float64Array(scales.length);
  const { groups, outputs } = layer;
  if (scales.length !== 1 && scales.length !== groups * outputs) return undefined;
  const ofGroup = (all: ArrayLike<number>, group: number): Float64Array =>
    Float64Array.from({ length: outputs }, (_, o) => all[all.length === 1 ? 0 : group * outputs + o] as number);
  return weightsOf({ ...layer, tensor: values }).map((rounded, group) => ({
    rounded,
    scales: ofGroup(scales, group),
    zeroPoints: ofGroup(zeros, group),
  }));
}
