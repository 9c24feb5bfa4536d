/** Which nodes dynamic quantization takes, and the reason for each that it leaves. */
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import { type ConstantOperand, constantOperand, whyNotConstant } from '../../quantize/constant-operand.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';
import { weightedNode } from '../../quantize/weighted.js';
import { DataType } from '../../tensor/dtype.js';
import { insideFunction } from '../constants.js';
import { keptNodes } from '../kept-nodes.js';
import type { DynamicOptions } from './dynamic-options.js';

/** A node to quantize, with the constants it takes its weights from: one for a product or a lookup, two for an LSTM. */
export interface DynamicJob {
  readonly node: Node;
  readonly operands: readonly ConstantOperand[];
}

export interface DynamicPlan {
  readonly jobs: ReadonlyMap<Node, DynamicJob>;
  readonly left: ReadonlyMap<Node, string>;
  /** Tables that a lookup and a product both read: one copy serves both. */
  readonly shared: ReadonlySet<Value>;
}

/** Smallest embedding table worth two more nodes a lookup, in bytes. */
const SMALLEST_TABLE_BYTES = 64 * 1024;
/** Constants that a report need not speak of, in bytes. */
const WORTH_MENTIONING_BYTES = 256;

/** Plans dynamic quantization of a model. Reads no weights and changes nothing. */
export function planDynamic(model: Model, options: DynamicOptions, selected: (node: Node) => boolean): DynamicPlan {
  const jobs = new Map<Node, DynamicJob>();
  const left = new Map<Node, string>();
  const smallTables: DynamicJob[] = [];
  const kept = keptNodes(model, options.kept);
  for (const graph of allGraphs(model)) {
    for (const node of graph.nodes) {
      if (node.domain !== '' || !(WEIGHTED_OPERATORS.has(node.opType) || isTableLookup(node))) continue;
      const found = insideFunction(graph)
        ? 'it is inside a local function that was not inlined'
        : (kept.get(node) ?? (selected(node) ? jobOf(node, options) : 'it is excluded'));
      if (typeof found === 'string') left.set(node, found);
      else if (node.is('Gather') && isSmall(found)) smallTables.push(found);
      else jobs.set(node, found);
    }
  }
  const weights = valuesOf(jobs);
  for (const job of smallTables) {
    if (job.operands.some(({ value }) => weights.has(value))) jobs.set(job.node, job);
    else left.set(job.node, 'its table is small');
  }
  leaveCopies(jobs, left, options.growthBytes);
  return { jobs, left, shared: sharedTables(jobs) };
}

const isSmall = ({ operands }: DynamicJob): boolean =>
  operands.every(({ tensor }) => tensor.byteLength < SMALLEST_TABLE_BYTES);

function isTableLookup(node: Node): boolean {
  const table = node.is('Gather') ? constantTensor(node.input(0)) : undefined;
  return table !== undefined && table.dataType === DataType.FLOAT && table.byteLength >= WORTH_MENTIONING_BYTES;
}

function valuesOf(jobs: ReadonlyMap<Node, DynamicJob>): Set<Value> {
  return new Set([...jobs.values()].flatMap(({ operands }) => operands.map(({ value }) => value)));
}

function sharedTables(jobs: ReadonlyMap<Node, DynamicJob>): Set<Value> {
  const shared = new Set<Value>();
  for (const { node, operands } of jobs.values())
    if (node.is('Gather')) for (const { value, tensor } of operands) if (tensor.rank === 2) shared.add(value);
  return shared;
}

/**
 * Leaves the layers whose weights something else reads in FP32: the FP32 weights stay in the file, and the INT8 copy makes it
 * larger. Not where what the others save is more than that.
 */
function leaveCopies(jobs: Map<Node, DynamicJob>, left: Map<Node, string>, growthBytes: number): void {
  const others = new Map<Value, string>();
  let balance = 0;
  for (const value of valuesOf(jobs)) {
    const tensor = constantTensor(value);
    const other = otherReader(value, jobs);
    if (other !== undefined) others.set(value, other);
    balance += (tensor?.size ?? 0) - (other === undefined ? (tensor?.byteLength ?? 0) : 0);
  }
  if (balance <= growthBytes) return;
  for (const { node, operands } of [...jobs.values()]) {
    const copied = operands.find(({ value }) => others.has(value));
    if (!copied) continue;
    jobs.delete(node);
    left.set(
      node,
      `"${copied.value.name}" is also read in FP32 (${others.get(copied.value)}), so INT8 weights would make the file larger`,
    );
  }
}

/** What keeps a constant in FP32 although layers read it as INT8. */
function otherReader(value: Value, jobs: ReadonlyMap<Node, DynamicJob>): string | undefined {
  if (value.isGraphOutput || value.pinned) return 'as an output of the graph';
  for (const { node } of value.uses) {
    if (jobs.get(node)?.operands.some((operand) => operand.value === value)) continue;
    const transposed = node.is('Transpose') && !node.output().isGraphOutput ? [...node.output().uses] : undefined;
    if (transposed?.every((use) => jobs.get(use.node)?.operands.some(({ through }) => through === node))) continue;
    return `by ${node.opType} "${nodeLabel(node)}"`;
  }
  return undefined;
}

/** What there is to do at a node, or why nothing. */
function jobOf(node: Node, options: DynamicOptions): DynamicJob | string {
  if (node.is('MatMul')) return productJob(node, options);
  if (node.is('Gemm')) return gemmJob(node, options);
  if (node.is('Gather')) return lookupJob(node, options);
  if (node.is('LSTM')) return lstmJob(node, options);
  if (node.is('Conv') || node.is('ConvTranspose')) {
    const convolution = weightedNode(node, false);
    return 'reason' in convolution
      ? convolution.reason
      : 'an INT8 convolution needs measured ranges: give calibration data';
  }
  return `ONNX has no dynamic INT8 form of ${node.opType}`;
}

function productJob(node: Node, options: DynamicOptions): DynamicJob | string {
  const operand = weightOf(node, 1, options);
  if (typeof operand === 'string') return operand;
  return operand.tensor.rank < 2 ? `its weight has rank ${operand.tensor.rank}` : { node, operands: [operand] };
}

function gemmJob(node: Node, options: DynamicOptions): DynamicJob | string {
  const operand = weightOf(node, 1, options);
  if (typeof operand === 'string') return operand;
  if (operand.tensor.rank !== 2) return `its weight has rank ${operand.tensor.rank}`;
  if (node.int('transA', 0) !== 0) return 'its data is transposed (transA)';
  const bias = node.input(2);
  const computed = bias !== undefined && constantTensor(bias)?.dataType !== DataType.FLOAT;
  return computed && node.float('beta', 1) !== 1
    ? 'its bias is computed and scaled (beta)'
    : { node, operands: [operand] };
}

function lookupJob(node: Node, options: DynamicOptions): DynamicJob | string {
  const operand = constantOperand(node, 0);
  if (!options.embeddings) return 'embeddings stay in FP32';
  if (!operand || operand.through || operand.tensor.rank < 2) return 'its table is not a matrix';
  const axis = node.int('axis', 0);
  return axis === 0 || axis === -operand.tensor.rank ? { node, operands: [operand] } : 'it does not look up rows';
}

function lstmJob(node: Node, options: DynamicOptions): DynamicJob | string {
  if (options.operators !== 'ort') return 'ONNX has no dynamic INT8 LSTM; --operators ort allows that of ONNX Runtime';
  if (node.int('layout', 0) !== 0) return 'its batch comes first (layout = 1)';
  const operands: ConstantOperand[] = [];
  for (const slot of [1, 2]) {
    const operand = weightOf(node, slot, options);
    if (typeof operand === 'string') return operand;
    if (operand.through || operand.tensor.rank !== 3) return 'its weights are not constants of rank 3';
    operands.push(operand);
  }
  return { node, operands };
}

/** The constant weight at `slot`, or why it cannot be quantized. */
function weightOf(node: Node, slot: number, options: DynamicOptions): ConstantOperand | string {
  const operand = constantOperand(node, slot);
  if (!operand) return whyNotConstant(node, slot);
  const { tensor } = operand;
  if (constantTensor(node.input(0))) return 'its data is constant';
  if (tensor.dataType !== DataType.FLOAT) return 'its weight is not FLOAT';
  if (tensor.size === 0) return 'its weight is empty';
  if (tensor.size < options.smallestWeight && options.include.length === 0)
    return `it has only ${tensor.size} weights: the added nodes would cost more than INT8 saves`;
  return operand;
}
