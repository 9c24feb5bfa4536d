/**
 * What INT8 kernels ONNX Runtime's CPU provider has for quantize → op → dequantize patterns, checked against the graphs
 * that 1.30 optimizes to. Operators that are in no table stay in float.
 */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { ValueRange } from './value-range.js';

/** Operators with an INT8 kernel of their own (QLinear…): the output has its own range. */
const OWN_RANGE = new Set(['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool', 'Sigmoid', 'LeakyRelu']);

/** Operators that only move or choose values: the integers go through unchanged, output and first input share their range. */
export const SAME_RANGE: ReadonlySet<string> = new Set([
  'MaxPool',
  'Reshape',
  'Transpose',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Slice',
  'Split',
  'Gather',
  'GatherElements',
  'Resize',
  'Expand',
  'Tile',
  'DepthToSpace',
  'Identity',
]);

/** The smallest opset in which an operator of `SAME_RANGE` takes 8-bit integers. */
const SAME_RANGE_SINCE = new Map([['MaxPool', 12]]);

export type OperatorClass = 'own-range' | 'same-range' | 'clamp';

/** The class of a node without weights, or undefined when it has no INT8 form. */
export function operatorClass(node: Node): OperatorClass | undefined {
  if (node.domain !== '') return undefined;
  if (OWN_RANGE.has(node.opType)) return 'own-range';
  if (node.is('Relu') || node.is('Clip')) return clampBounds(node) ? 'clamp' : undefined;
  if (!SAME_RANGE.has(node.opType)) return undefined;
  if (node.graph.model.opset() < (SAME_RANGE_SINCE.get(node.opType) ?? 0)) return undefined;
  if (node.is('Resize') && node.string('mode', 'nearest') !== 'nearest') return undefined;
  if (node.is('MaxPool') && node.outputs[1]) return undefined;
  return 'same-range';
}

/** Input slots that carry data (as opposed to shapes, indices and bounds). */
export function dataSlots(node: Node): number[] {
  if (node.is('Concat')) return node.inputs.map((_, slot) => slot);
  return node.is('Add') || node.is('Mul') ? [0, 1] : [0];
}

/** Bounds of a Relu or Clip; undefined when they are not constant. */
export function clampBounds(node: Node): { readonly min: number; readonly max: number } | undefined {
  if (node.is('Relu')) return { min: 0, max: Number.POSITIVE_INFINITY };
  if (!node.is('Clip')) return undefined;
  const min = bound(node, 1, 'min', Number.NEGATIVE_INFINITY);
  const max = bound(node, 2, 'max', Number.POSITIVE_INFINITY);
  return min === undefined || max === undefined ? undefined : { min, max };
}

function bound(node: Node, slot: number, attributeName: string, fallback: number): number | undefined {
  const input: Value | undefined = node.input(slot);
  if (!input) return node.float(attributeName, fallback);
  const tensor = constantTensor(input);
  return tensor?.dataType === DataType.FLOAT && tensor.size === 1 ? tensor.float32Array()[0] : undefined;
}

/** The range an operator's output has whatever it is fed, or undefined. */
export function fixedRange(node: Node | undefined): ValueRange | undefined {
  return node?.is('Sigmoid') || node?.is('Softmax') ? { min: 0, max: 1 } : undefined;
}

/**
 * Below this bound every consumer of `value` gives 0, so that quantization may cut it off at no loss: what x · HardSigmoid(x) and
 * HardSwish(x) do up to −beta / alpha. Undefined when some consumer tells lower values apart.
 */
export function insensitiveBelow(value: Value): number | undefined {
  let bound = Number.POSITIVE_INFINITY;
  if (value.uses.size === 0 || value.isGraphOutput) return undefined;
  for (const { node } of value.uses) {
    const gate = node.is('Mul') ? node.inputs.find((input) => input !== value)?.producer : node;
    if (gate?.is('HardSwish')) bound = Math.min(bound, -3);
    else if (gate?.is('HardSigmoid') && gate.input(0) === value && gate.float('alpha', Math.fround(0.2)) > 0) {
      bound = Math.min(bound, -gate.float('beta', 0.5) / gate.float('alpha', Math.fround(0.2)));
    } else return undefined;
  }
  return bound;
}

/** Operators heavy enough that a report should say why one was left in float. */
export const WEIGHTED_OPERATORS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'LSTM',
  'GRU',
  'RNN',
]);
