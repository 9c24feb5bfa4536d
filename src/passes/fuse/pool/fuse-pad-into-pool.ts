import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { ownPads, padBefore, type SpatialPad, singleNumber, type Window, windowOf } from '../convolution/padding.js';

/**
 * Pool(Pad(x, p); pads = q) = Pool(x; pads = p + q), for AveragePool (which then counts the padding), MaxPool and
 * LpPool.
 *
 * Fires for a constant Pad of the spatial axes: with zeros before AveragePool and LpPool; with a value below all others
 * before MaxPool: −∞, the least number of an 8-bit type, or zero after Relu and other nodes without negative results.
 * Refuses zeros before MaxPool otherwise, pads that are not smaller than the window, an AveragePool that excludes its
 * own padding from the count, indices of MaxPool, dilated MaxPool, and `ceil_mode` unless the windows are known to come
 * out even. Numerics: terms may be added in another order. Where a window has only −∞, the MaxPool of a runtime may
 * give its least finite number instead, as ONNX Runtime's does for windows that it pads itself. Reference: ONNX
 * AveragePool-22, MaxPool-22.
 */
export const fusePadIntoPool = defineRewrite<object>({
  name: 'fuse-pad-into-pool',
  summary: 'Merges a Pad into the AveragePool, MaxPool or LpPool after it.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['AveragePool', 'MaxPool', 'LpPool'],
  rules: () => ({ match: matchPool }),
});

function matchPool(node: Node, context: RewriteContext): Match {
  const pad = padBefore(node, context);
  if (pad === undefined || typeof pad === 'string') return pad;
  const window = windowOf(node, undefined);
  const own = window && ownPads(node, window);
  if (!window || own?.length !== 2 * pad.begins.length) return 'its own padding is unknown';
  const pads = [...pad.begins, ...pad.ends].map((amount, at) => amount + (own[at] as number));
  const axes = window.kernel.length;
  if (pads.some((amount, at) => amount >= (window.kernel[at % axes] as number)))
    return 'the pads would not be smaller than the window';
  if (node.int('ceil_mode', 0) !== 0 && !comesOutEven(pad.input, pads, window))
    return 'with ceil_mode, its own padding would count differently';
  const reason = node.is('MaxPool') ? whyNotMaximum(node, pad, window) : whyNotSum(node, pad, own);
  if (reason !== undefined) return reason;
  return {
    nodes: [pad.node, node],
    apply() {
      node.setInput(0, pad.input);
      node.removeAttribute('auto_pad');
      node.setAttribute(attribute('pads', pads));
      if (node.is('AveragePool')) node.setAttribute(attribute('count_include_pad', 1));
      return node;
    },
  };
}

function whyNotSum(node: Node, pad: SpatialPad, own: readonly number[]): string | undefined {
  if (pad.value !== 0) return `the Pad before it pads with ${pad.value}, not with 0`;
  const counts = node.is('LpPool') || node.int('count_include_pad', 0) !== 0;
  return counts || own.every((amount) => amount === 0) ? undefined : 'it excludes its own padding from the count';
}

function whyNotMaximum(node: Node, pad: SpatialPad, { dilations }: Window): string | undefined {
  if (node.outputs[1]) return 'its indices include the padding';
  if (dilations.some((dilation) => dilation !== 1)) return 'a dilated window may cover only padding';
  if (pad.value === Number.NEGATIVE_INFINITY) return undefined;
  const least = leastValue(pad.input, 0);
  return least !== undefined && pad.value <= least
    ? undefined
    : `the Pad before it pads with ${pad.value}, and its input may be smaller`;
}

/** True when the last window ends where the padded input does, on every axis. */
function comesOutEven(input: Value, pads: readonly number[], { kernel, strides, dilations }: Window): boolean {
  const sizes = shapeOf(input)?.slice(2);
  if (sizes?.length !== kernel.length) return false;
  return sizes.every((size, axis) => {
    if (typeof size !== 'number') return false;
    const reach = ((kernel[axis] as number) - 1) * (dilations[axis] ?? 1) + 1;
    const padded = size + (pads[axis] as number) + (pads[axis + kernel.length] as number);
    return (padded - reach) % (strides[axis] ?? 1) === 0;
  });
}

/** How many nodes are looked through for a bound. */
const MAX_DEPTH = 8;

const NOT_NEGATIVE: ReadonlySet<string> = new Set([
  'Relu',
  'Sigmoid',
  'HardSigmoid',
  'Softmax',
  'Softplus',
  'Abs',
  'Exp',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
]);
/** Their output holds nothing less than the least of their inputs. */
const BOUNDED_BY_INPUTS: ReadonlySet<string> = new Set([
  'MaxPool',
  'AveragePool',
  'GlobalMaxPool',
  'GlobalAveragePool',
  'Concat',
  'Identity',
  'Transpose',
]);

/** A bound from below on all elements; undefined where none is known. */
function leastValue(value: Value | undefined, depth: number): number | undefined {
  if (!value) return undefined;
  const dataType = dataTypeOf(value);
  if (dataType === DataType.UINT8) return 0;
  if (dataType === DataType.INT8) return -128;
  const node = value.producer;
  if (node?.domain !== '' || depth > MAX_DEPTH) return undefined;
  if (NOT_NEGATIVE.has(node.opType)) return 0;
  if (node.is('Clip')) return clipMinimum(node);
  if (!BOUNDED_BY_INPUTS.has(node.opType)) return undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const input of node.inputs) {
    const bound = leastValue(input, depth + 1);
    if (bound === undefined) return undefined;
    least = Math.min(least, bound);
  }
  // An average may count padding, which is 0.
  return node.is('AveragePool') ? Math.min(least, 0) : least;
}

function clipMinimum(node: Node): number | undefined {
  const bound = (name: string, slot: number, absent: number): number | undefined => {
    if (node.attributes.has(name)) return node.float(name, absent);
    return node.input(slot) ? singleNumber(constantTensor(node.input(slot))) : absent;
  };
  const minimum = bound('min', 1, Number.NEGATIVE_INFINITY);
  const maximum = bound('max', 2, Number.POSITIVE_INFINITY);
  // Where the bounds cross, the upper one wins.
  return minimum !== undefined && maximum !== undefined && minimum <= maximum ? minimum : undefined;
}
