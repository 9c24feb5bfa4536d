/** Pad with a constant before operators that pad by themselves. */
import type { Node } from '../../../ir/node.js';
import type { Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { isCarriedInteger, numericItems } from '../../../ops/infer/elements.js';
import { float64Values } from '../../../tensor/float-values.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { hasReference } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { frontAxis, shapeOf } from '../../types.js';

/** A Pad of the spatial axes, 2 and up. */
export interface SpatialPad {
  readonly node: Node;
  readonly input: Value;
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  /** What it pads with. */
  readonly value: number;
}

/** Operators whose `pads` can take a Pad over. */
const PADDING: ReadonlySet<string> = new Set([
  'Conv',
  'ConvInteger',
  'QLinearConv',
  'AveragePool',
  'MaxPool',
  'LpPool',
]);

/** The Pad that computes the first input of `node`, or why it cannot be merged; undefined where there is none. */
export function padBefore(node: Node, context: RewriteContext): SpatialPad | string | undefined {
  const padded = node.input(0);
  const pad = padded?.producer;
  const input = pad?.input(0);
  if (!pad?.is('Pad') || !padded || !input || pad.graph !== node.graph) return undefined;
  if (hasReference(pad) || hasReference(node)) return 'its attributes depend on the caller';
  if (pad.string('mode', 'constant') !== 'constant') return 'the Pad before it does not pad with a constant';
  const known = shapeOf(padded) ?? shapeOf(input);
  const amounts = padAmounts(pad, known?.length, context);
  if (!amounts) return 'the amount of padding of the Pad before it is unknown';
  const value = padValue(pad, context);
  if (value === undefined) return 'the value of the Pad before it is not constant';
  const rank = amounts.length / 2;
  if (rank < 3) return undefined;
  if (amounts.some((amount) => amount < 0)) return 'the Pad before it crops';
  if ([0, 1, rank, rank + 1].some((at) => amounts[at] !== 0)) return 'the Pad before it pads batch or channels';
  const others = [...padded.uses].some(
    (use) => use.slot !== 0 || use.node.domain !== '' || !PADDING.has(use.node.opType) || use.node.graph !== node.graph,
  );
  if (others || padded.isGraphOutput || padded.pinned) return `"${padded.name}" is also used elsewhere`;
  return { node: pad, input, begins: amounts.slice(2, rank), ends: amounts.slice(rank + 2), value };
}

/** Amounts for all axes, the begins first; undefined where one is not known. */
function padAmounts(pad: Node, rank: number | undefined, context: RewriteContext): number[] | undefined {
  const opset = context.opset(pad);
  const listed = opset < 2 ? pad.ints('paddings') : opset < 11 ? pad.ints('pads') : undefined;
  if (listed) return listed.length % 2 === 0 ? listed : undefined;
  const given = opset < 11 ? undefined : numericItems(context.elements(pad.input(1)));
  if (!given || given.length % 2 !== 0) return undefined;
  if (!pad.input(3)) return given;
  const axes = numericItems(context.elements(pad.input(3)));
  if (!axes || rank === undefined || axes.length * 2 !== given.length) return undefined;
  const amounts = new Array<number>(2 * rank).fill(0);
  for (const [at, axis] of axes.entries()) {
    const front = frontAxis(axis, rank);
    if (front === undefined) return undefined;
    amounts[front] = given[at] as number;
    amounts[rank + front] = given[axes.length + at] as number;
  }
  return amounts;
}

function padValue(pad: Node, context: RewriteContext): number | undefined {
  if (context.opset(pad) < 11) return pad.float('value', 0);
  const value = pad.input(2);
  return value ? singleNumber(context.constant(value)) : 0;
}

/** The one element of a float or integer constant. */
export function singleNumber(tensor: Tensor | undefined): number | undefined {
  if (tensor?.size !== 1) return undefined;
  return isCarriedInteger(tensor.dataType) ? tensor.integers()[0] : float64Values(tensor)?.[0];
}

/** Sizes of the window that slides over the spatial axes. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** The window of a convolution or pooling; undefined where its kernel is not known. */
export function windowOf(node: Node, weight: Shape): Window | undefined {
  const kernel = node.ints('kernel_shape') ?? weight?.slice(2);
  if (!kernel?.every((size): size is number => typeof size === 'number')) return undefined;
  const ones = kernel.map(() => 1);
  return { kernel, strides: node.ints('strides') ?? ones, dilations: node.ints('dilations') ?? ones };
}

/**
 * How much a node pads its first input by itself, begins first; undefined where that depends on sizes that are not known.
 * ONNX Conv-11, auto_pad: `SAME` makes the output size ceil(input / stride), with the odd one at the end (UPPER) or the beginning.
 */
export function ownPads(node: Node, { kernel, strides, dilations }: Window): number[] | undefined {
  const mode = node.string('auto_pad', 'NOTSET');
  const none = new Array<number>(2 * kernel.length).fill(0);
  if (mode === 'NOTSET') return node.ints('pads') ?? none;
  if (mode === 'VALID') return none;
  const sizes = shapeOf(node.input(0))?.slice(2);
  if (sizes?.length !== kernel.length || !(mode === 'SAME_UPPER' || mode === 'SAME_LOWER')) return undefined;
  const pads = none.slice();
  for (const [axis, size] of sizes.entries()) {
    const stride = strides[axis] ?? 1;
    if (typeof size !== 'number') return undefined;
    const reach = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1;
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
    const less = Math.floor(total / 2);
    pads[axis] = mode === 'SAME_UPPER' ? less : total - less;
    pads[axis + kernel.length] = total - (pads[axis] as number);
  }
  return pads;
}
