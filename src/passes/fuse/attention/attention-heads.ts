/** How the operands of attention are cut into heads out of tensors of shape [batch, sequence, features]. */
import type { Node } from '../../../ir/node.js';
import type { Dim } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { mainConsumer } from '../../dying-nodes.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { rankOf, sameDim, shapeOf } from '../../types.js';
import { REPEAT, type Stretch, type StridedView, type Trace, tracesOf, viewAfter } from './strided-view.js';

/** What an axis of an operand is; those of one entry stand in one axis of it. */
export type Role = 'batch' | 'heads' | 'sequence' | 'size';

/** An operand as heads cut out of the last axis of `source`. */
export interface HeadsView {
  readonly source: Value;
  /** False where the source is [sequence, batch, features]. */
  readonly batchFirst: boolean;
  readonly heads: number;
  /** How often each head of the source is used, one after the other. */
  readonly repeats: number;
  readonly size: number;
  /** Feature of head h and position i: offset + h·headStride + i·stride. */
  readonly offset: number;
  readonly headStride: number;
  readonly stride: number;
  /** The operand is this times the source. */
  readonly factor: number;
  readonly nodes: readonly Node[];
}

/** Roles of the axes of the operands; batch and heads may share one. */
const ROLES = {
  query: { 4: ['batch', 'heads', 'sequence', 'size'], 3: ['batch+heads', 'sequence', 'size'] },
  transposedKey: { 4: ['batch', 'heads', 'size', 'sequence'], 3: ['batch+heads', 'size', 'sequence'] },
  key: { 4: ['batch', 'heads', 'sequence', 'size'], 3: ['batch+heads', 'sequence', 'size'] },
  value: { 4: ['batch', 'heads', 'sequence', 'size'], 3: ['batch+heads', 'sequence', 'size'] },
} as const;

export type Operand = keyof typeof ROLES;

/** All ways to see an operand as heads of a tensor of rank 3, from the farthest source on. */
export function headsViews(value: Value, operand: Operand, context: RewriteContext): HeadsView[] {
  const views: HeadsView[] = [];
  for (const trace of tracesOf(value, context)) {
    const view = headsView(trace, operand);
    if (view) views.push(view);
  }
  return views;
}

function headsView(trace: Trace, operand: Operand): HeadsView | undefined {
  const { source, view } = trace;
  if (rankOf(source) !== 3) return undefined;
  const axes = axesByRole(view, operand);
  if (!axes) return undefined;
  const batchFirst = isWhole(axes.batch, 0, source) && isWhole(axes.sequence, 1, source);
  if (!batchFirst && !(isWhole(axes.batch, 1, source) && isWhole(axes.sequence, 0, source))) return undefined;
  if (view.offsets.has(0) || view.offsets.has(1)) return undefined;
  const head = headStretch(axes.heads);
  const [position, more] = axes.size;
  if (!head || more || (position && position.axis !== FEATURES)) return undefined;
  const size = position ? position.extent : 1;
  const stride = position ? position.stride : 1;
  if (typeof size !== 'number' || typeof stride !== 'number') return undefined;
  const headStride = head.stride ?? size * stride;
  return {
    source,
    batchFirst,
    heads: head.count,
    repeats: head.repeats,
    size,
    offset: view.offsets.get(FEATURES) ?? 0,
    headStride,
    stride,
    factor: trace.factor,
    nodes: trace.nodes,
  };
}

/** The axis of a source of rank 3 that holds the heads. */
const FEATURES = 2;

type AxesByRole = Readonly<Record<Role, readonly Stretch[]>>;

function axesByRole(view: StridedView, operand: Operand): AxesByRole | undefined {
  const rank = view.axes.length;
  if (rank !== 3 && rank !== 4) return undefined;
  const found: Record<Role, readonly Stretch[]> = { batch: [], heads: [], sequence: [], size: [] };
  for (const [axis, role] of ROLES[operand][rank].entries()) {
    const stretches = view.axes[axis] ?? [];
    if (role !== 'batch+heads') {
      found[role] = stretches;
      continue;
    }
    const firstHead = stretches.findIndex((stretch) => stretch.axis === FEATURES || stretch.axis === REPEAT);
    found.batch = firstHead < 0 ? stretches : stretches.slice(0, firstHead);
    found.heads = firstHead < 0 ? [] : stretches.slice(firstHead);
  }
  return found;
}

/** True when stretches are one axis of the source, all of it. */
function isWhole(stretches: readonly Stretch[], axis: number, source: Value): boolean {
  const size = shapeOf(source)?.[axis];
  if (stretches.length === 0) return size === 1;
  const [stretch] = stretches;
  if (stretches.length > 1 || stretch?.axis !== axis || stretch.stride !== 1) return false;
  return size === undefined || sameDim(stretch.extent, size);
}

interface HeadStretch {
  readonly count: number;
  readonly repeats: number;
  /** Undefined for one head. */
  readonly stride: number | undefined;
}

function headStretch(stretches: readonly Stretch[]): HeadStretch | undefined {
  const copies = stretches.at(-1)?.axis === REPEAT ? stretches.at(-1)?.extent : undefined;
  const [head, more] = copies === undefined ? stretches : stretches.slice(0, -1);
  const repeats = copies ?? 1;
  if (more || typeof repeats !== 'number') return undefined;
  if (!head) return { count: 1, repeats, stride: undefined };
  if (head.axis !== FEATURES || typeof head.extent !== 'number' || typeof head.stride !== 'number') return undefined;
  return { count: head.extent, repeats, stride: head.stride };
}

/** True when the heads are all of the source, in order. */
export function isAllOfSource(view: HeadsView): boolean {
  const { heads, size } = view;
  const adjacent = (size === 1 || view.stride === 1) && (heads === 1 || view.headStride === size);
  return adjacent && view.offset === 0 && shapeOf(view.source)?.[FEATURES] === heads * size;
}

/** Where the output of attention becomes [batch, sequence, features] again. */
export interface OutputLayout {
  /** The last node that is replaced. */
  readonly last: Node;
  /**
   * What its output is: `features` [batch, sequence, features]; `sequence-first` [sequence, batch, features]; `reshaped`
   * the same elements as `features` in another shape, made by a Reshape; `heads-last` [batch, sequence, heads, size];
   * `heads-first` [batch, heads, sequence, size] as the product gives it.
   */
  readonly form: 'features' | 'sequence-first' | 'reshaped' | 'heads-last' | 'heads-first';
  /** Nodes after the product with V, `last` included. */
  readonly nodes: readonly Node[];
}

/** Operators that neither drop nor repeat elements. */
const KEEPS_ALL: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Identity']);

const AXIS = { batch: 0, heads: 1, sequence: 2, size: 3 } as const;

/** Follows the output of attention, [batch, heads, sequence, size], as far down as it is one of these forms. */
export function outputLayout(product: Node, dims: Readonly<Record<Role, Dim>>, context: RewriteContext): OutputLayout {
  const output = product.output();
  const axis = (role: Role): Stretch[] =>
    dims[role] === 1 ? [] : [{ axis: AXIS[role], extent: dims[role] ?? `unknown_${role}`, stride: 1 }];
  const merged = rankOf(output) === 3;
  const batchAndHeads = merged ? [[...axis('batch'), ...axis('heads')]] : [axis('batch'), axis('heads')];
  let view: StridedView = { axes: [...batchAndHeads, axis('sequence'), axis('size')], offsets: new Map() };
  let best: OutputLayout = { last: product, form: 'heads-first', nodes: [] };
  const nodes: Node[] = [];
  for (let value = output; ; ) {
    const next = mainConsumer(value);
    if (next?.domain !== '' || !KEEPS_ALL.has(next.opType) || next.input(0) !== value) return best;
    const after = viewAfter(view, next, next.output(), context);
    if (!after) return best;
    const before = view;
    view = after;
    value = next.output();
    nodes.push(next);
    const form = formOf(view, before, next, context);
    if (form) best = { last: next, form, nodes: [...nodes] };
    if (form === 'features' || form === 'sequence-first' || form === 'reshaped') return best;
  }
}

function formOf(
  view: StridedView,
  before: StridedView,
  node: Node,
  context: RewriteContext,
): OutputLayout['form'] | undefined {
  const layout = layoutOf(view);
  const reading = layout.replaceAll('|', '');
  if (view.axes.length === 3) {
    if (fits(view, ['b', 's', 'hd'])) return 'features';
    if (fits(view, ['s', 'b', 'hd'])) return 'sequence-first';
  }
  if (view.axes.length === 4 && fits(view, ['b', 's', 'h', 'd'])) return 'heads-last';
  const sameOrder = isSubsequence(reading, 'bshd') && isSubsequence(layoutOf(before).replaceAll('|', ''), 'bshd');
  return sameOrder && node.is('Reshape') && copiesOnlyLeading(node, before, context) ? 'reshaped' : undefined;
}

const LETTERS = ['b', 'h', 's', 'd'];

function layoutOf(view: StridedView): string {
  return view.axes.map((axis) => axis.map((stretch) => LETTERS[stretch.axis] ?? '?').join('')).join('|');
}

/** True when each axis holds these roles, but for those of size 1, whose place does not matter. */
function fits(view: StridedView, roles: readonly string[]): boolean {
  return view.axes.every((axis, index) => {
    const letters = axis.map((stretch) => LETTERS[stretch.axis] ?? '?').join('');
    return isSubsequence(letters, roles[index] ?? '');
  });
}

function isSubsequence(text: string, of: string): boolean {
  let at = 0;
  for (const letter of text) {
    at = of.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** A Reshape of [batch, sequence, features] may copy the first two sizes, where they were those of batch and sequence before. */
function copiesOnlyLeading(node: Node, before: StridedView, context: RewriteContext): boolean {
  const items = context.elements(node.input(1))?.items;
  const leading = [AXIS.batch, AXIS.sequence];
  return (
    items?.every((item, axis) => {
      const [stretch, more] = before.axes[axis] ?? [];
      return item !== undefined && (item !== 0 || (!more && stretch !== undefined && stretch.axis === leading[axis]));
    }) ?? false
  );
}

/** An operand as [batch, heads, sequence, size], whole. */
export interface HeadsFirst {
  readonly value: Value;
  /** True where the value is [batch, sequence, heads, size]: it is to be transposed first. */
  readonly headsLast: boolean;
  /** How often each head of the value is used, one after the other. */
  readonly repeats: number;
  readonly factor: number;
}

/**
 * An operand of rank 4 as heads that stand in the second axis, of the farthest value that is no more than scaled or
 * transposed, and, if `grouped`, whose heads are no more than repeated.
 */
export function headsFirst(
  value: Value,
  operand: Operand,
  grouped: boolean,
  context: RewriteContext,
): HeadsFirst | undefined {
  const orders = operand === 'transposedKey' ? ['0,1,3,2', '0,2,3,1'] : ['0,1,2,3'];
  for (const order of orders)
    for (const { source, view, factor } of tracesOf(value, context)) {
      if (shapeOf(source)?.length !== 4 || view.offsets.size > 0) continue;
      const heads = view.axes[1] ?? [];
      const last = heads.at(-1);
      const repeats = grouped && last?.axis === REPEAT ? last.extent : 1;
      const axes = repeats === 1 ? view.axes : view.axes.with(1, heads.slice(0, -1));
      const wanted = order.split(',').map(Number);
      if (typeof repeats === 'number' && wanted.every((axis, at) => isWhole(axes[at] ?? [], axis, source)))
        return { value: source, headsLast: order === '0,2,3,1', repeats, factor };
    }
  return undefined;
}
