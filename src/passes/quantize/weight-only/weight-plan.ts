/** Which weights are quantized alone and how, and the reason for each layer that is left. */
import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Value } from '../../../ir/value.js';
import { allGraphs, constantTensor } from '../../../ir/walk.js';
import { whyNotConstant } from '../../../quantize/constant-operand.js';
import type { MatrixSource, NBits, NBitsFormat } from '../../../quantize/nbits/nbits-format.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { insideFunction } from '../../constants.js';
import { keptNodes } from '../../kept-nodes.js';
import { headOf } from './head-layer.js';
import type { WeightOnlyOptions } from './weight-only-options.js';
import { type WeightOperand, weightOperand } from './weight-operand.js';

/** A node that reads a weight: a product, or a lookup of rows. */
export interface WeightUse {
  readonly node: Node;
  readonly kind: 'product' | 'lookup';
  readonly operand: WeightOperand;
}

/**
 * The form of a unit: `operator` for MatMulNBits, `tied` for it and GatherBlockQuantized, `table` for the latter alone; `pairs` for
 * DequantizeLinear of [...batch, inputs, outputs], `pairs-table` for rows of a table that lookups read, and maybe products.
 */
export type WeightLayout = 'operator' | 'tied' | 'table' | 'pairs' | 'pairs-table';

/** A weight in the orientation in which nodes read it: one copy for all of them. */
export interface WeightUnit {
  readonly key: string;
  readonly value: Value;
  readonly tensor: Tensor;
  readonly byOutput: boolean;
  /** One matrix for each index of `batch`. */
  readonly sources: readonly MatrixSource[];
  readonly batch: readonly number[];
  readonly format: NBitsFormat;
  /** Why it has other bits than asked for. */
  readonly why: string | undefined;
  readonly layout: WeightLayout;
  /** What nodes compute in. */
  readonly dataType: DataTypeCode;
  readonly uses: readonly WeightUse[];
}

export interface WeightPlan {
  readonly units: readonly WeightUnit[];
  readonly left: ReadonlyMap<Node, string>;
}

/** Opset of DequantizeLinear in blocks. */
export const BLOCKED_OPSET = 21;
/** Constants that a report need not speak of, in bytes. */
const WORTH_MENTIONING_BYTES = 256;
/** Smallest block. */
const SMALLEST_BLOCK = 16;

/** Plans a quantization of weights. Reads no weights and changes nothing. */
export function planWeights(model: Model, options: WeightOnlyOptions, selected: (node: Node) => boolean): WeightPlan {
  const left = new Map<Node, string>();
  const uses: WeightUse[] = [];
  const kept = keptNodes(model, options.kept);
  for (const graph of allGraphs(model))
    for (const node of graph.nodes) {
      const kind = kindOf(node);
      if (!kind) continue;
      const found = insideFunction(graph)
        ? 'it is inside a local function that was not inlined'
        : (kept.get(node) ?? (selected(node) ? useOf(node, kind, options) : 'it is excluded'));
      if (typeof found === 'string') left.set(node, found);
      else uses.push(found);
    }
  const readers = new Set(uses.map(({ node }) => node));
  const units: WeightUnit[] = [];
  for (const own of grouped(uses)) {
    const unit = whyReadElsewhere(own, readers) ?? unitOf(own, model.opset(), options);
    if (typeof unit !== 'string') units.push(unit);
    else for (const { node } of own) left.set(node, unit);
  }
  return { units, left };
}

function kindOf(node: Node): WeightUse['kind'] | undefined {
  if (node.is('MatMul') || node.is('Gemm')) return 'product';
  if (!node.is('Gather')) return undefined;
  const table = constantTensor(node.input(0));
  const isFloat = table?.dataType === DataType.FLOAT || table?.dataType === DataType.FLOAT16;
  return table && isFloat && table.byteLength >= WORTH_MENTIONING_BYTES ? 'lookup' : undefined;
}

/** How a node reads its weight, or why that is left. */
function useOf(node: Node, kind: WeightUse['kind'], options: WeightOnlyOptions): WeightUse | string {
  const slot = kind === 'lookup' ? 0 : 1;
  const operand = weightOperand(node, slot);
  if (!operand) {
    const tensor = constantTensor(node.input(slot));
    return tensor ? 'its weight is not FLOAT or FLOAT16' : whyNotConstant(node, slot);
  }
  const { tensor, turned } = operand;
  if (constantTensor(node.input(kind === 'lookup' ? 1 : 0))) return 'its data is constant';
  if (tensor.rank < 2) return `its weight has rank ${tensor.rank}`;
  if (kind === 'lookup') {
    const axis = node.int('axis', 0);
    if (tensor.rank !== 2 || turned) return 'its table is not a matrix';
    if (axis !== 0 && axis !== -2) return 'it does not look up rows';
  }
  if (node.is('Gemm')) {
    const why = whyNotGemm(node);
    if (why !== undefined) return why;
  }
  if (tensor.size < options.smallestWeight && options.include.length === 0)
    return `it has only ${tensor.size} weights: scales and added nodes would cost more than is saved`;
  const [rows = 0, columns = 0] = tensor.dims.slice(-2);
  const inputs = kind === 'lookup' || isByOutput(node, turned) ? columns : rows;
  if (inputs < SMALLEST_BLOCK) return `it has ${inputs} inputs: fewer than the smallest block, ${SMALLEST_BLOCK}`;
  return { node, kind, operand };
}

function whyNotGemm(node: Node): string | undefined {
  if (node.int('transA', 0) !== 0) return 'its data is transposed (transA)';
  const bias = node.input(2);
  return bias && node.float('beta', 1) !== 1 && !constantTensor(bias)
    ? 'its bias is computed and scaled (beta)'
    : undefined;
}

/** Whether the constant has a row for each output. */
function isByOutput(node: Node, turned: boolean): boolean {
  return (node.is('Gemm') && node.int('transB', 0) !== 0) !== turned;
}

/** Uses of one constant in one orientation and one type. */
function grouped(uses: readonly WeightUse[]): WeightUse[][] {
  const groups = new Map<Value, Map<string, WeightUse[]>>();
  for (const use of uses) {
    const byKey = groups.get(use.operand.value) ?? new Map<string, WeightUse[]>();
    groups.set(use.operand.value, byKey);
    const key = `${byOutputOf(use)} ${use.operand.dataType}`;
    byKey.set(key, [...(byKey.get(key) ?? []), use]);
  }
  return [...groups.values()].flatMap((byKey) => [...byKey.values()]);
}

function byOutputOf({ node, kind, operand }: WeightUse): boolean {
  return kind === 'lookup' || isByOutput(node, operand.turned);
}

/** What keeps the constant in FP32 although these nodes read it quantized. */
function whyReadElsewhere(uses: readonly WeightUse[], readers: ReadonlySet<Node>): string | undefined {
  const [{ operand }] = uses as [WeightUse];
  const other = otherReader(operand.value, readers);
  return other === undefined
    ? undefined
    : `"${operand.value.name}" is also read in FP32 (${other}), so a quantized copy would make the file larger`;
}

function otherReader(value: Value, readers: ReadonlySet<Node>): string | undefined {
  if (value.isGraphOutput || value.pinned) return 'as an output of the graph';
  for (const { node } of value.uses) {
    if (readers.has(node)) continue;
    if (!node.is('Transpose') && !node.is('Cast')) return `by ${node.opType} "${nodeLabel(node)}"`;
    const behind = otherReader(node.output(), readers);
    if (behind !== undefined) return behind;
  }
  return undefined;
}

/** The unit of uses of one constant, or why they are left. */
function unitOf(uses: readonly WeightUse[], opset: number, options: WeightOnlyOptions): WeightUnit | string {
  const [first] = uses as [WeightUse];
  const { value, tensor, dataType } = first.operand;
  const byOutput = byOutputOf(first);
  const [rows = 0, columns = 0] = tensor.dims.slice(-2);
  const [outputs, inputs] = byOutput ? [rows, columns] : [columns, rows];
  const batch = tensor.dims.slice(0, -2);
  const count = batch.reduce((product, dim) => product * dim, 1);
  const products = uses.filter(({ kind }) => kind === 'product');
  const lookups = uses.length - products.length;
  const fitsOperator = options.operators === 'ort' && count === 1 && products.every((use) => hasRank(use, tensor.rank));
  if (!fitsOperator && opset < BLOCKED_OPSET) {
    return options.operators === 'ort'
      ? `a stack of matrices needs DequantizeLinear of opset ${BLOCKED_OPSET}, and the model has opset ${opset}: --operators portable raises it`
      : `DequantizeLinear in blocks needs opset ${BLOCKED_OPSET}, and the model has opset ${opset}: --operators ort needs none`;
  }
  const layout = layoutOf(fitsOperator, lookups, products.length);
  // Layers that are asked for by name are taken at the word.
  const isWide = options.wideHead && options.include.length === 0;
  const head = !isWide ? undefined : products.map(({ node }) => headOf(node, outputs)).find((why) => why !== undefined);
  const key = `${value.name} ${byOutput ? 'rows' : 'columns'} ${dataType}`;
  const { bits, why } = bitsOf(layout, head, options.wider.get(key), options);
  const block = layout === 'tied' ? dividing(inputs, options.block) : options.block;
  if (block === undefined)
    return `its rows of ${inputs} do not divide into blocks, and a table that products read cannot be padded`;
  return {
    key,
    value,
    tensor,
    byOutput,
    sources: Array.from({ length: count }, (_, at) => ({
      tensor,
      first: at * outputs * inputs,
      outputs,
      inputs,
      byOutput,
    })),
    batch: fitsOperator ? [] : batch,
    format: { bits, block, symmetric: options.symmetric },
    why,
    layout,
    dataType,
    uses,
  };
}

/** MatMulNBits gives what its data has of axes: a weight of more would add some. */
function hasRank({ node }: WeightUse, rank: number): boolean {
  const { type } = node.input(0) as Value;
  const length = type?.kind === 'tensor' ? type.shape?.length : undefined;
  return length === undefined ? rank === 2 : length >= Math.max(2, rank);
}

function layoutOf(fitsOperator: boolean, lookups: number, products: number): WeightLayout {
  if (fitsOperator) return lookups === 0 ? 'operator' : products === 0 ? 'table' : 'tied';
  return lookups === 0 ? 'pairs' : 'pairs-table';
}

function bitsOf(
  layout: WeightLayout,
  head: string | undefined,
  wider: string | undefined,
  { bits }: WeightOnlyOptions,
): { readonly bits: NBits; readonly why: string | undefined } {
  if (bits === 8) return { bits, why: undefined };
  if (layout === 'pairs-table') return { bits: 8, why: 'standard operators look up no rows of less than 8 bits' };
  if (layout === 'tied') return { bits: 8, why: 'the table also gives the scores of the model' };
  const why = head ?? wider;
  if (why !== undefined) return { bits: 8, why };
  return layout === 'table' && bits === 2 ? { bits: 4, why: 'lookups take 4 or 8 bits' } : { bits, why: undefined };
}

/** The largest block up to `most` that divides a row. */
function dividing(inputs: number, most: number): number | undefined {
  for (let block = most; block >= SMALLEST_BLOCK; block /= 2) if (inputs % block === 0) return block;
  return undefined;
}
