import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { axisWalk } from './axis-walk.js';
import { selected } from './gather.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, laneKind, numbersOf } from './lane.js';
import { permuted } from './layout.js';
import { refuseNaN } from './refuse-nan.js';

/** Distinct slices along an axis (or elements, without one), where each is first, which one each is, and how many there are of each. */
function unique(context: KernelContext): Tensor[] {
  const source = context.input(0);
  const data = context.int('axis') === undefined ? source.reshaped([source.size]) : source;
  const axis = context.axis(context.int('axis') ?? 0, data.rank);
  const slices = comparedSlices(context, data, axis);
  const count = data.dims[axis] as number;
  const order = Array.from({ length: count }, (_, at) => at).sort((a, b) => slices(a, b) || a - b);
  const groups: number[][] = [];
  for (const at of order) {
    const last = groups.at(-1);
    if (last && slices(last[0] as number, at) === 0) last.push(at);
    else groups.push([at]);
  }
  if (context.int('sorted') === 0) groups.sort((a, b) => (a[0] as number) - (b[0] as number));
  const inverse = new Array<number>(count).fill(0);
  groups.forEach((group, number) => {
    for (const at of group) inverse[at] = number;
  });
  const first = groups.map((group) => group[0] as number);
  const dims = data.dims.map((dim, at) => (at === axis ? groups.length : dim));
  return [
    selected(context, data, axis, first, dims),
    ...[first, inverse, groups.map((group) => group.length)].map((list) => Tensor.int64(list)),
  ];
}

/** A comparison of two slices of an axis by their elements, in order. */
function comparedSlices(context: KernelContext, data: Tensor, axis: number): (a: number, b: number) => number {
  const others = data.dims.map((_, at) => at).filter((at) => at !== axis);
  const rows = permuted(context, data, [axis, ...others]);
  const { outer, inner } = axisWalk(data.dims, axis);
  const length = outer * inner;
  const compare = elementOrder(rows);
  return (a, b) => {
    for (let i = 0; i < length; i++) {
      const result = compare(a * length + i, b * length + i);
      if (result !== 0) return result;
    }
    return 0;
  };
}

function elementOrder(tensor: Tensor): (a: number, b: number) => number {
  if (tensor.dataType === DataType.STRING) {
    const texts = tensor.stringElements();
    return (a, b) => Buffer.compare(texts[a] as Uint8Array, texts[b] as Uint8Array);
  }
  const kind = laneKind(tensor.dataType) ?? refuse('only numbers and strings can be ordered');
  refuseNaN(tensor);
  const lane: { readonly [at: number]: number | bigint } = kind === 'bigint' ? bigintsOf(tensor) : numbersOf(tensor);
  return (a, b) => {
    const x = lane[a] as number;
    const y = lane[b] as number;
    return x < y ? -1 : x > y ? 1 : 0;
  };
}

export const uniqueKernels: KernelTable = [['Unique', unique]];
