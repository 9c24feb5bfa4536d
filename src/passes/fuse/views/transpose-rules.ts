/** How operators compute when their inputs come with axes in another order: what moving a Transpose past them needs. */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { ELEMENTWISE_BROADCAST, ELEMENTWISE_UNARY } from '../../../ops/traits.js';
import { dropIfUnused } from '../../constants.js';
import { hasReference, isInput, readList, writeList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { readReduction } from '../../reduce-axes.js';
import { frontAxis, rankOf, shapeOf } from '../../types.js';
import { readGather } from './gather-indices.js';
import { isIdentityPerm, type Perm } from './perms.js';
import { readSlice, sliceSpec } from './slice-ranges.js';

/**
 * A node among values stored in another order of axes: value `v` with permutation `p` is Transpose(stored; p), so that axis
 * `i` of `v` is axis `p[i]` of what is stored.
 */
export interface Moved {
  /** For each input: its permutation, or undefined where it stays as it is. A constant may have a lower rank than its permutation. */
  readonly inputs: readonly (Perm | undefined)[];
  readonly outputs: readonly (Perm | undefined)[];
  /** Makes attributes and other inputs fit. Only for `apply`. */
  readonly adjust?: (context: RewriteContext) => void;
}

/** Where the permutation is known: at an input, or at an output. */
export interface Known {
  readonly at: 'input' | 'output';
  readonly index: number;
  readonly perm: Perm;
}

type Rule = (node: Node, known: Known, context: RewriteContext) => Moved | undefined;

/** How a node computes with this permutation at that place; undefined where it does not. */
export function movedNode(node: Node, known: Known, context: RewriteContext): Moved | undefined {
  const rule = node.domain === '' && !hasReference(node) ? RULES.get(node.opType) : undefined;
  return rule?.(node, known, context);
}

/** All inputs that are tensors of the data, and all outputs, in the same order. */
function uniform(node: Node, perm: Perm, dataInputs: number, adjust?: Moved['adjust']): Moved {
  const inputs = node.inputs.map((_, slot) => (slot < dataInputs ? perm : undefined));
  return { inputs, outputs: node.outputs.map(() => perm), ...(adjust ? { adjust } : {}) };
}

const unary: Rule = (node, { at, index, perm }) => (at === 'input' && index > 0 ? undefined : uniform(node, perm, 1));

/** Inputs are aligned at the last axis; those of one element have no order. */
const broadcast: Rule = (node, { at, index, perm }, context) => {
  const rank = rankOf(node.output());
  const opset = context.opset(node);
  if (rank !== perm.length || opset < (['Max', 'Min', 'Sum', 'Mean'].includes(node.opType) ? 8 : 7)) return undefined;
  if (at === 'input' && rankOf(node.input(index)) !== rank) return undefined;
  const inputs: (Perm | undefined)[] = [];
  for (const value of node.inputs) {
    const own = value && alignedPerm(value, perm, context);
    if (own === undefined) return undefined;
    inputs.push(own === 'any' ? undefined : own);
  }
  return { inputs, outputs: [perm] };
};

function alignedPerm(value: Value, perm: Perm, context: RewriteContext): Perm | 'any' | undefined {
  const shape = shapeOf(value);
  if (!shape || shape.length > perm.length) return undefined;
  if (shape.length === perm.length) return perm;
  if (shape.every((dim) => dim === 1)) return 'any';
  if (context.constant(value)) return perm;
  // An input of lower rank lacks the first axes: the others must stay the last ones.
  const lead = perm.length - shape.length;
  const own = perm.slice(lead).map((axis) => axis - lead);
  if (own.some((axis) => axis < 0)) return undefined;
  return isIdentityPerm(own) ? 'any' : own;
}

/** An attribute `axis` counted from the front. */
function axisIn(node: Node, rank: number, fallback: number): number | undefined {
  return frontAxis(node.int('axis', fallback), rank);
}

/** Operators along one axis, which give back all axes. */
const alongAxis =
  (fallback: number, dataInputs: number, since = 1): Rule =>
  (node, { at, index, perm }, context) => {
    const axis = axisIn(node, perm.length, fallback);
    if (axis === undefined || context.opset(node) < since || (at === 'input' && index >= dataInputs)) return undefined;
    return uniform(node, perm, dataInputs, () => node.setAttribute(attribute('axis', perm[axis] as number)));
  };

const concat: Rule = (node, known, context) =>
  node.attributes.has('axis') ? alongAxis(0, node.inputs.length)(node, known, context) : undefined;

/** Quantization by one scale, or by one for each element of an axis. */
const quantization: Rule = (node, { at, index, perm }) => {
  if ((at === 'input' && index > 0) || node.attributes.has('block_size')) return undefined;
  const scales = shapeOf(node.input(1));
  if (!scales) return undefined;
  if (scales.every((dim) => dim === 1)) return uniform(node, perm, 1);
  const axis = axisIn(node, perm.length, 1);
  if (scales.length !== 1 || axis === undefined) return undefined;
  return uniform(node, perm, 1, () => node.setAttribute(attribute('axis', perm[axis] as number)));
};

const pad: Rule = (node, { at, index, perm }, context) => {
  const pads = readList(context, node, 'pads', 1);
  const axes = readList(context, node, 'axes', 3);
  if ((at === 'input' && index > 0) || typeof pads === 'string' || axes === 'unknown') return undefined;
  const rank = perm.length;
  const list = axes === 'absent' ? perm.map((_, axis) => axis) : axes;
  const stored = new Array<number>(2 * rank).fill(0);
  for (const [place, given] of list.entries()) {
    const axis = frontAxis(given, rank);
    if (axis === undefined) return undefined;
    stored[perm[axis] as number] = pads[place] ?? 0;
    stored[rank + (perm[axis] as number)] = pads[list.length + place] ?? 0;
  }
  return uniform(node, perm, 1, (writing) => {
    const { inputs, attributes } = writeList(writing, node, 'Pad', 'pads', stored);
    const fill = isInput('Pad', 'pads', writing.opset(node)) ? node.input(2) : undefined;
    for (const written of attributes) node.setAttribute(written);
    setInputs(node, [node.input(0), ...inputs, ...(fill ? [fill] : [])]);
  });
};

const slice: Rule = (node, { at, index, perm }, context) => {
  const ranges = readSlice(context, node);
  if ((at === 'input' && index > 0) || !ranges || [...ranges.keys()].some((axis) => axis >= perm.length))
    return undefined;
  const stored = new Map([...ranges].map(([axis, range]) => [perm[axis] as number, range]));
  return uniform(node, perm, 1, (writing) => {
    const source = node.input(0);
    const spec = source && sliceSpec(writing, node, source, stored);
    for (const written of spec?.attributes ?? []) node.setAttribute(written);
    setInputs(node, spec?.inputs ?? []);
  });
};

const tile: Rule = (node, { at, index, perm }, context) => {
  const repeats = readList(context, node, 'repeats', 1);
  if ((at === 'input' && index > 0) || context.opset(node) < 6) return undefined;
  if (typeof repeats === 'string' || repeats.length !== perm.length) return undefined;
  const stored = new Array<number>(perm.length).fill(1);
  for (const [axis, repeat] of repeats.entries()) stored[perm[axis] as number] = repeat;
  return uniform(node, perm, 1, (writing) =>
    setInputs(node, [node.input(0), ...writeList(writing, node, 'Tile', 'repeats', stored).inputs]),
  );
};

/** The permutation of what is left when axes go, and the places of these axes in what is stored. */
function without(perm: Perm, axes: readonly number[]): { readonly perm: Perm; readonly axes: readonly number[] } {
  const gone = new Set(axes.map((axis) => perm[axis] as number));
  const left = [...perm.keys()].filter((axis) => !gone.has(axis));
  const kept = perm.filter((axis) => !gone.has(axis));
  return { perm: kept.map((axis) => left.indexOf(axis)), axes: [...gone].sort((a, b) => a - b) };
}

const reduction: Rule = (node, { at, index, perm }, context) => {
  const found = readReduction(context, node);
  if (!found || (at === 'input' && index > 0) || found.axes.some((axis) => axis >= perm.length)) return undefined;
  if (at === 'output' && !found.keepsAxes) return undefined;
  const left = without(perm, found.axes);
  const adjust = (writing: RewriteContext) => {
    if (node.opType.startsWith('Arg')) {
      node.setAttribute(attribute('axis', left.axes[0] as number));
      return;
    }
    writeAxes(writing, node, left.axes);
  };
  return { inputs: [perm], outputs: [found.keepsAxes ? perm : left.perm], adjust };
};

/** Gives a node with operand `axes` these axes. */
function writeAxes(context: RewriteContext, node: Node, axes: readonly number[]): void {
  const { inputs, attributes } = writeList(context, node, node.opType, 'axes', axes);
  for (const written of attributes) node.setAttribute(written);
  setInputs(node, [node.input(0), ...inputs]);
}

function setInputs(node: Node, inputs: readonly (Value | undefined)[]): void {
  const before = [...node.inputs];
  for (const [slot, value] of inputs.entries()) if (node.input(slot) !== value) node.setInput(slot, value);
  if (node.inputs.length > inputs.length) node.setInputs(inputs);
  for (const value of before) if (value && !value.producer) dropIfUnused(value);
}

/** Axes of Squeeze or Unsqueeze, counted from the front. */
function viewAxes(node: Node, rank: number, context: RewriteContext): number[] | undefined {
  const axes = readList(context, node, 'axes', 1);
  if (typeof axes === 'string') return undefined;
  const front = axes.map((axis) => frontAxis(axis, rank));
  return front.every((axis) => axis !== undefined) ? front : undefined;
}

const squeeze: Rule = (node, { at, index, perm }, context) => {
  const axes = at === 'input' && index === 0 ? viewAxes(node, perm.length, context) : undefined;
  if (!axes) return undefined;
  const left = without(perm, axes);
  return { inputs: [perm, undefined], outputs: [left.perm], adjust: (writing) => writeAxes(writing, node, left.axes) };
};

const unsqueeze: Rule = (node, { at, index, perm }, context) => {
  const count = readList(context, node, 'axes', 1).length;
  const rank = at === 'output' ? perm.length : perm.length + count;
  const axes = at === 'input' && index > 0 ? undefined : viewAxes(node, rank, context);
  if (!axes) return undefined;
  if (at === 'output') {
    const left = without(perm, axes);
    return {
      inputs: [left.perm, undefined],
      outputs: [perm],
      adjust: (writing) => writeAxes(writing, node, left.axes),
    };
  }
  // The new axes keep their places.
  const places = new Set(axes);
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !places.has(axis));
  const order = perm.values();
  const output = Array.from({ length: rank }, (_, axis) =>
    places.has(axis) ? axis : (rest[order.next().value ?? 0] as number),
  );
  return { inputs: [perm, undefined], outputs: [output] };
};

/** With constant indices: a list keeps the axis, a single one takes it out. */
const gather: Rule = (node, { at, index, perm }, context) => {
  const parts = readGather(context, node);
  if (!parts || parts.dims.length > 1 || (at === 'input' && index > 0)) return undefined;
  const { axis } = parts;
  if (parts.dims.length === 1) {
    if (axis >= perm.length) return undefined;
    return uniform(node, perm, 1, () => node.setAttribute(attribute('axis', perm[axis] as number)));
  }
  if (at === 'output' || axis >= perm.length) return undefined;
  const left = without(perm, [axis]);
  return {
    inputs: [perm, undefined],
    outputs: [left.perm],
    adjust: () => node.setAttribute(attribute('axis', perm[axis] as number)),
  };
};

/** Rows of a matrix product with one matrix may come in any order; so may pairs of matrices. */
const matrixProduct: Rule = (node, { at, index, perm }) => {
  const [a, b] = [rankOf(node.input(0)), rankOf(node.input(1))];
  const rank = perm.length;
  if (rankOf(node.output()) !== rank || a !== rank || (at === 'input' && index === 1 && b === 2)) return undefined;
  if (perm[rank - 1] !== rank - 1) return undefined;
  if (b === 2 && rank > 2) return { inputs: [perm, undefined], outputs: [perm] };
  if (b !== rank || perm[rank - 2] !== rank - 2) return undefined;
  return { inputs: [perm, perm], outputs: [perm] };
};

/** Normalization over the last axis, when that stays the last one. */
const lastAxis: Rule = (node, { at, index, perm }) => {
  const last = perm.length - 1;
  if ((at === 'input' && index > 0) || perm[last] !== last || axisIn(node, perm.length, -1) !== last) return undefined;
  if (node.outputs.length > 1) return undefined;
  for (const parameter of node.inputs.slice(1)) if (parameter && (rankOf(parameter) ?? 2) > 1) return undefined;
  return uniform(node, perm, 1);
};

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[...ELEMENTWISE_UNARY].map((name) => [name, unary] as const),
  ...[...ELEMENTWISE_BROADCAST].map((name) => [name, broadcast] as const),
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax'].map((name) => [name, reduction] as const),
  ...['ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare'].map(
    (name) => [name, reduction] as const,
  ),
  ...['ArgMax', 'ArgMin'].map((name) => [name, reduction] as const),
  // Before version 13 Softmax goes over all axes from one on.
  ...['Softmax', 'LogSoftmax', 'Hardmax'].map((name) => [name, alongAxis(-1, 1, 13)] as const),
  ['TopK', alongAxis(-1, 1)],
  ['Split', alongAxis(0, 1)],
  ['Concat', concat],
  ['QuantizeLinear', quantization],
  ['DequantizeLinear', quantization],
  ['Pad', pad],
  ['Slice', slice],
  ['Tile', tile],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Gather', gather],
  ['MatMul', matrixProduct],
  ['LayerNormalization', lastAxis],
  ['RMSNormalization', lastAxis],
]);
