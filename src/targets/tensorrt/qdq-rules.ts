/**
 * The rules of TensorRT's explicit quantization, checked on a graph. Sources: NVIDIA TensorRT documentation, "Explicit Quantization";
 * `QuantDequantLinearHelper` of the ONNX parser (onnx-tensorrt, branches 8.0-GA to 10.1-GA), which asserts the `refused` ones; "Working
 * with Quantized Types" of the same documentation for blocks.
 */
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { allNodes, constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';

export type QdqRuleName = keyof typeof QDQ_RULES;

/** `refused`: TensorRT refuses the graph. `slower`: it builds, with fewer INT8 kernels or fusions. */
export const QDQ_RULES = {
  'zero-point': { severity: 'refused', rule: 'every zero point is 0' },
  scale: { severity: 'refused', rule: 'every scale is a constant above 0' },
  type: { severity: 'refused', rule: 'integers are signed: INT8, not UINT8 or INT32' },
  activation: { severity: 'refused', rule: 'an activation has one scale' },
  axis: { severity: 'refused', rule: 'a weight has one scale for each output channel' },
  block: {
    severity: 'refused',
    rule: 'only weights of 4 bits and FP8 have scales by blocks, along one axis, in whole blocks',
  },
  pair: { severity: 'refused', rule: 'a QuantizeLinear and the DequantizeLinear after it have the same scale' },
  inputs: { severity: 'slower', rule: 'a layer has its data and its weight quantized, or neither' },
  product: { severity: 'slower', rule: 'a product of two activations has both quantized, or neither' },
  residual: {
    severity: 'slower',
    rule: 'the skip connection of an Add after a quantized convolution is quantized too',
  },
} as const satisfies Readonly<Record<string, { readonly severity: 'refused' | 'slower'; readonly rule: string }>>;

export interface QdqProblem {
  readonly rule: QdqRuleName;
  readonly node: string;
  readonly message: string;
}

/** Axis of the weight with the output channels, by operator. */
function outputAxis(node: Node, rank: number): number | undefined {
  if (node.is('Conv')) return 0;
  if (node.is('ConvTranspose')) return 1;
  if (node.is('Gemm')) return node.int('transB', 0) === 0 ? 1 : 0;
  return node.is('MatMul') ? rank - 1 : undefined;
}

/** Every break of a rule, in graph order. */
export function checkQdqRules(model: Model): readonly QdqProblem[] {
  const problems: QdqProblem[] = [];
  const report = (rule: QdqRuleName, node: Node, message: string): void => {
    problems.push({ rule, node: nodeLabel(node), message });
  };
  for (const node of allNodes(model)) {
    if (node.is('QuantizeLinear') || node.is('DequantizeLinear')) checkPairNode(node, report);
    else if (/^(?:Conv|ConvTranspose|Gemm|MatMul)$/.test(node.opType) && node.domain === '') checkLayer(node, report);
    else if (node.is('Add')) checkAdd(node, report);
  }
  return problems;
}

type Report = (rule: QdqRuleName, node: Node, message: string) => void;

function checkPairNode(node: Node, report: Report): void {
  const scale = constantTensor(node.input(1));
  if (!scale) {
    report('scale', node, 'its scale is not constant');
    return;
  }
  const scales = scale.float32Array();
  if (!scales.every((each) => each > 0 && Number.isFinite(each)))
    report('scale', node, 'a scale is 0, negative or not finite');
  const zeroPoint = constantTensor(node.input(2));
  const type = quantizedType(node);
  if (type !== undefined && !SIGNED.has(type))
    report('type', node, type === DataType.INT32 ? 'it quantizes a bias to INT32' : 'it is unsigned, or not 8 bits');
  if (zeroPoint?.bytes().some((byte) => byte !== 0)) report('zero-point', node, 'its zero point is not 0');
  if (scale.dims.length > 1) checkBlocks(node, scale.dims, type, report);
  else if (scale.size > 1) checkAxis(node, scale.size, report);
  if (node.is('DequantizeLinear')) {
    const before = node.input(0)?.producer;
    const other = before?.is('QuantizeLinear') ? constantTensor(before.input(1)) : undefined;
    if (other && !sameFloats(other.float32Array(), scales))
      report('pair', node, 'its scale differs from that of its QuantizeLinear');
  }
}

const SIGNED: ReadonlySet<number> = new Set([
  DataType.INT8,
  DataType.INT4,
  DataType.FLOAT8E4M3FN,
  DataType.FLOAT4E2M1,
  DataType.UNDEFINED,
]);

/** The type of the integers, from the zero point or from the data; ONNX's default is UINT8. */
function quantizedType(node: Node): number | undefined {
  const zeroPoint = constantTensor(node.input(2));
  if (zeroPoint) return zeroPoint.dataType;
  const value = node.is('QuantizeLinear') ? node.output() : node.input(0);
  const type = value?.type;
  if (type?.kind === 'tensor') return type.dataType;
  return constantTensor(value)?.dataType ?? (node.is('QuantizeLinear') ? DataType.UINT8 : undefined);
}

function checkAxis(node: Node, scales: number, report: Report): void {
  const constant = node.is('QuantizeLinear') ? constantTensor(node.input(0)) : weightOf(node);
  if (!constant) {
    report('activation', node, `an activation has ${scales} scales`);
    return;
  }
  const rank = constant.dims.length;
  const given = node.int('axis', 1);
  const axis = given < 0 ? given + rank : given;
  const layer = layerOf(node);
  const wanted = layer && outputAxis(layer, rank);
  if (wanted !== undefined && axis !== wanted)
    report(
      'axis',
      node,
      `its scales are along axis ${axis}; ${layer?.opType} has its output channels on axis ${wanted}`,
    );
  else if (constant.dims[axis] !== scales)
    report('axis', node, `it has ${scales} scales for ${constant.dims[axis] ?? 0} channels`);
}

/** Types of weights that may have a scale for each block. */
const BLOCKED: ReadonlySet<number> = new Set([DataType.INT4, DataType.FLOAT4E2M1, DataType.FLOAT8E4M3FN]);

function checkBlocks(node: Node, scales: readonly number[], type: number | undefined, report: Report): void {
  const dims = (node.is('QuantizeLinear') ? constantTensor(node.input(0)) : weightOf(node))?.dims;
  if (!dims) {
    report('activation', node, `an activation has ${scales.join('×')} scales`);
    return;
  }
  const sizes = dims.map((size, axis) => size / (scales[axis] ?? 1));
  const isWhole = scales.length === dims.length && sizes.every((size) => size >= 1 && Number.isInteger(size));
  if (!isWhole || sizes.filter((size) => size > 1).length > 1)
    report('block', node, `it has ${scales.join('×')} scales for ${dims.join('×')} weights`);
  else if (type === undefined || !BLOCKED.has(type)) report('block', node, 'integers of 8 bits have scales by blocks');
}

/** The constant that a DequantizeLinear gives back, also one behind a QuantizeLinear. */
function weightOf(dequantize: Node): { readonly dims: readonly number[] } | undefined {
  const direct = constantTensor(dequantize.input(0));
  if (direct) return direct;
  const before = dequantize.input(0)?.producer;
  return before?.is('QuantizeLinear') ? constantTensor(before.input(0)) : undefined;
}

/** The layer that reads a weight through the pair. */
function layerOf(node: Node): Node | undefined {
  const end = node.is('QuantizeLinear') ? [...node.output().uses][0]?.node : node;
  if (!end?.is('DequantizeLinear')) return undefined;
  return [...end.output().uses].find(({ slot }) => slot === 1)?.node;
}

function isDequantized(value: Value | undefined): boolean {
  return value?.producer?.is('DequantizeLinear') ?? false;
}

function isDequantizedConstant(value: Value | undefined): boolean {
  return value?.producer !== undefined && weightOf(value.producer) !== undefined;
}

/** A layer that computes in INT8. */
function isQuantizedLayer(node: Node | undefined): boolean {
  return node !== undefined && isDequantized(node.input(0)) && isDequantized(node.input(1));
}

function checkLayer(node: Node, report: Report): void {
  const [data, weight] = [isDequantized(node.input(0)), isDequantized(node.input(1))];
  if (data === weight) return;
  // Weights of 4 bits are for layers that compute in half precision.
  if (weight && isFourBits(node.input(1)?.producer)) return;
  if (
    node.is('MatMul') &&
    !isDequantizedConstant(node.input(weight ? 1 : 0)) &&
    !constantTensor(node.input(data ? 1 : 0))
  ) {
    report('product', node, `"${node.input(data ? 1 : 0)?.name ?? ''}" is not quantized, and the other operand is`);
    return;
  }
  report(
    'inputs',
    node,
    data ? 'its data is quantized and its weight is not' : 'its weight is quantized and its data is not',
  );
}

function isFourBits(dequantize: Node | undefined): boolean {
  const type = dequantize && quantizedType(dequantize);
  return type === DataType.INT4 || type === DataType.FLOAT4E2M1;
}

function checkAdd(node: Node, report: Report): void {
  const operands = [node.input(0), node.input(1)];
  if (operands.some((value) => !value || constantTensor(value) !== undefined)) return;
  const [first, second] = operands;
  const fused = operands.filter(
    (value) => /^Conv/.test(value?.producer?.opType ?? '') && isQuantizedLayer(value?.producer),
  );
  if (fused.length === 0 || first === second) return;
  if (fused.length === 2)
    report('residual', node, 'neither operand is quantized, though both come from quantized convolutions');
  else {
    const other = first === fused[0] ? second : first;
    if (!isDequantized(other)) report('residual', node, `"${other?.name ?? ''}" is not quantized`);
  }
}

function sameFloats(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
