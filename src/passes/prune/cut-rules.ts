import type { Dim } from '../../ir/type.js';
import { type AxisId, ONE } from '../../prune/axis-table.js';
import { fromStart } from '../../prune/rules/rule.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import type { CutNode } from './cut-node.js';
import type { SizeEdit, SizeEdits } from './size-edits.js';

/** Writes the sizes anew that a node says of axes that are cut. Called before its constants are. */
type CutRule = (cut: CutNode) => void;

/** A list of sizes at input `slot`, one for each axis of the result. */
const shapeInput =
  (slot: number): CutRule =>
  (cut) => {
    const axes = cut.output();
    const attribute = cut.node.input(slot) === undefined ? cut.node.ints('shape') : undefined;
    if (attribute) {
      const edits = sizeEdits(cut, attribute, axes);
      if (edits.size === 0) return;
      cut.setInts(
        'shape',
        attribute.map((size, at) => {
          const edit = edits.get(at);
          return edit !== undefined && 'value' in edit ? edit.value : size;
        }),
      );
    } else cut.editItems(slot, sizeEdits(cut, cut.items(slot), axes));
  };

/** What becomes of a list of sizes. -1 and 0 stay where what they stand for is right. */
function sizeEdits(cut: CutNode, given: readonly Dim[] | undefined, axes: readonly AxisId[]): SizeEdits {
  const before = cut.outputShape() ?? [];
  const source = cut.node.is('Reshape') && cut.node.int('allowzero', 0) === 0 ? cut.input(0) : [];
  const edits = new Map<number, SizeEdit>();
  for (const [at, axis] of axes.entries()) {
    const edit = cut.sizeEdit(axis);
    const item = given?.[at];
    if (item === -1) continue;
    if (item === 0 && source[at] !== undefined) {
      const copied = cut.sizeEdit(source[at]);
      if (JSON.stringify(copied) === JSON.stringify(edit)) continue;
      const size = edit ?? { value: Number(before[at]) };
      edits.set(at, size);
      continue;
    }
    // Expand repeats nothing where it says 1.
    if (edit !== undefined && item !== 1) edits.set(at, edit);
  }
  return edits;
}

function split(cut: CutNode): void {
  const axis = fromStart(cut.node.int('axis', 0), cut.input(0).length);
  const parts = cut.node.outputs.map((_, index) => cut.output(index)[axis] as AxisId);
  if (!cut.isCut([cut.input(0)[axis] as AxisId, ...parts])) return;
  const sizes = parts.map((part) => cut.kept.size(part));
  if (cut.opset < 13) cut.setInts('split', sizes);
  else {
    cut.node.removeAttribute('num_outputs');
    cut.setIntegers(1, sizes);
  }
}

/** A slice keeps its form where the indices that it picks are evenly spaced still, and takes them by a Gather otherwise. */
function slice(cut: CutNode): void {
  const { node, kept } = cut;
  const old = cut.opset < 10;
  const rank = cut.input(0).length;
  const starts = old ? node.ints('starts') : cut.items(1);
  const ends = old ? node.ints('ends') : cut.items(2);
  const axes = (old ? node.ints('axes') : cut.integers(3)) ?? starts?.map((_, at) => at);
  const steps = (old ? undefined : cut.items(4)) ?? starts?.map(() => 1);
  if (starts === undefined || ends === undefined || axes === undefined || steps === undefined) return;
  const input = cut.input(0);
  const changes = new Map<number, readonly [start: number, end: number, step: number]>();
  for (const [at, axis] of axes.map((each) => fromStart(each, rank)).entries()) {
    const data = input[axis] as AxisId;
    const whole = kept.of(data);
    if (whole === undefined) continue;
    const size = cut.table.size(data);
    const picked = pickedIndices(size, Number(starts[at]), Number(ends[at]), Number(steps[at]));
    const places = placesOf(whole, picked);
    const spacing = (places[1] ?? (places[0] as number) + 1) - (places[0] as number);
    if (spacing === 0 || places.some((place, k) => place !== (places[0] as number) + k * spacing)) {
      gatherInstead(cut, axis, places);
      changes.set(at, [0, 2 ** 31 - 1, 1]);
      continue;
    }
    const last = (places.at(-1) as number) + Math.sign(spacing);
    changes.set(at, [places[0] as number, last < 0 ? -(2 ** 31) : last, spacing]);
  }
  if (changes.size === 0) return;
  const column = (index: 0 | 1 | 2): SizeEdits => new Map([...changes].map(([at, row]) => [at, { value: row[index] }]));
  if (old) {
    cut.setInts('starts', edited(starts, column(0)));
    cut.setInts('ends', edited(ends, column(1)));
    return;
  }
  cut.editItems(1, column(0));
  cut.editItems(2, column(1));
  const isStepped = [...changes.values()].some(([, , step]) => step !== 1);
  if (cut.original(4)) cut.editItems(4, column(2));
  else if (isStepped) {
    if (cut.original(3) === undefined) cut.setIntegers(3, axes);
    cut.setIntegers(4, edited(steps, column(2)));
  }
}

function edited(given: readonly Dim[], edits: SizeEdits): number[] {
  return given.map((item, at) => {
    const edit = edits.get(at);
    return edit !== undefined && 'value' in edit ? edit.value : Number(item);
  });
}

function pickedIndices(size: number, start: number, end: number, step: number): number[] {
  const clamp = (at: number, low: number, high: number): number =>
    Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const picked: number[] = [];
  if (step > 0) for (let at = clamp(start, 0, size); at < clamp(end, 0, size); at += step) picked.push(at);
  else for (let at = clamp(start, 0, size - 1); at > clamp(end, -1, size - 1); at += step) picked.push(at);
  return picked;
}

/** Where the kept ones of these indices are now. */
function placesOf(kept: Int32Array, indices: readonly number[]): number[] {
  const place = new Map<number, number>();
  for (const [at, index] of kept.entries()) place.set(index, at);
  return indices.flatMap((index) => place.get(index) ?? []);
}

/** Takes these places of an axis before the node does the rest. */
function gatherInstead({ node }: CutNode, axis: number, places: readonly number[]): void {
  const data = node.input(0);
  if (data === undefined) return;
  const name = `${node.output().name}_taken`;
  const indices = addConstant(node.graph, `${name}_indices`, Tensor.int64(places), node);
  const gather = node.graph.addNode(
    {
      opType: 'Gather',
      inputs: [data, indices],
      outputs: [{ name: node.graph.model.freshName(name) }],
      attributes: [{ name: 'axis', value: { kind: 'int', value: axis } }],
    },
    node,
  );
  node.setInput(0, gather.output());
}

function gather(cut: CutNode): void {
  const { node, kept } = cut;
  const axis = fromStart(node.int('axis', 0), cut.input(0).length);
  const data = cut.input(0)[axis] as AxisId;
  const given = cut.integers(1);
  const dims = cut.inputShape(1);
  const result = dims?.length === 1 ? kept.of(cut.output()[axis]) : undefined;
  if (given === undefined || (kept.of(data) === undefined && result === undefined)) return;
  const size = cut.table.size(data);
  const chosen = (result === undefined ? given : [...result].map((at) => given[at] as number)).map((at) =>
    fromStart(at, size),
  );
  const whole = kept.of(data);
  const places = whole === undefined ? chosen : placesOf(whole, chosen);
  cut.setIntegers(1, places, dims?.length === 1 ? [places.length] : (dims as readonly number[]));
}

function pad(cut: CutNode): void {
  const old = cut.opset < 11;
  const pads = old ? cut.node.ints('pads') : cut.items(1);
  const rank = cut.input(0).length;
  const axes = (cut.original(3) ? cut.integers(3) : undefined) ?? Array.from({ length: rank }, (_, axis) => axis);
  if (pads === undefined) return;
  const edits = new Map<number, SizeEdit>();
  for (const [at, axis] of axes.map((each) => fromStart(each, rank)).entries()) {
    const result = cut.kept.of(cut.output()[axis]);
    if (result === undefined) continue;
    const before = Number(pads[at]);
    const size = cut.table.size(cut.input(0)[axis] as AxisId);
    edits.set(at, { value: result.filter((index) => index < before).length });
    edits.set(at + axes.length, { value: result.filter((index) => index >= before + size).length });
  }
  if (edits.size === 0) return;
  if (old) cut.setInts('pads', edited(pads, edits));
  else cut.editItems(1, edits);
}

/** `sizes` of Resize: one for each axis, or for those that it names. */
function resize(cut: CutNode): void {
  const axes = cut.output();
  const named = cut.node.ints('axes')?.map((axis) => fromStart(axis, axes.length)) ?? axes.map((_, axis) => axis);
  if (cut.original(3) === undefined) return;
  const edits = new Map<number, SizeEdit>();
  for (const [at, axis] of named.entries()) {
    const edit = cut.sizeEdit(axes[axis]);
    if (edit) edits.set(at, edit);
  }
  cut.editItems(3, edits);
}

/** How often an axis of size 1 is repeated. */
function tile(cut: CutNode): void {
  const edits = new Map<number, SizeEdit>();
  for (const [at, axis] of cut.input(0).entries()) {
    const result = cut.kept.of(cut.output()[at]);
    if (axis === ONE && result !== undefined) edits.set(at, { value: result.length });
  }
  cut.editItems(1, edits);
}

/** Without axes, all of size 1 are dropped: where another has become so, those of before are named. */
function squeeze(cut: CutNode): void {
  const input = cut.input(0);
  if (cut.node.ints('axes') !== undefined || cut.original(1) !== undefined) return;
  if (!input.some((axis) => cut.kept.of(axis)?.length === 1)) return;
  const ones = input.flatMap((axis, at) => (axis === ONE ? [at] : []));
  if (cut.opset < 13) cut.setInts('axes', ones);
  else cut.setIntegers(1, ones);
}

/** Groups of a normalization, where whole ones are cut. */
function groupCount(cut: CutNode): void {
  const channels = cut.input(0)[1] as AxisId;
  const kept = cut.kept.of(channels);
  const groups = cut.node.int('num_groups', 1);
  if (kept === undefined) return;
  const each = cut.table.size(channels) / groups;
  const perGroup = new Array<number>(groups).fill(0);
  for (const index of kept) perGroup[Math.floor(index / each)] = (perGroup[Math.floor(index / each)] as number) + 1;
  const left = perGroup.filter((count) => count > 0);
  if (left.length < groups) cut.setInt('num_groups', left.length);
}

/** Groups of a convolution: channels over those of a group. */
const groups =
  (channels: (cut: CutNode) => AxisId | undefined, each: (cut: CutNode) => AxisId | undefined): CutRule =>
  (cut) => {
    if (cut.node.int('group', 1) === 1) return;
    const [all, own] = [channels(cut), each(cut)];
    if (all === undefined || own === undefined) return;
    cut.setInt('group', cut.kept.size(all) / cut.kept.size(own));
  };

function recurrent(cut: CutNode): void {
  const hidden = cut.input(2)[2];
  if (cut.kept.of(hidden)) cut.setInt('hidden_size', cut.kept.size(hidden as AxisId));
}

/** A number of heads that follows the width of the axis that holds them. */
const headCounts =
  (counts: Readonly<Record<string, (cut: CutNode) => AxisId | undefined>>): CutRule =>
  (cut) => {
    for (const [name, axisOf] of Object.entries(counts)) {
      const count = cut.node.int(name, 0);
      const axis = axisOf(cut);
      if (count === 0 || axis === undefined || cut.kept.of(axis) === undefined) continue;
      cut.setInt(name, (cut.kept.size(axis) * count) / cut.table.size(axis));
    }
    const widths = cut.node.ints('qkv_hidden_sizes');
    const weights = cut.input(1)[1];
    if (widths && weights !== undefined && cut.node.domain !== '' && cut.kept.of(weights))
      cut.setInts(
        'qkv_hidden_sizes',
        widths.map((width) => (width * cut.kept.size(weights)) / cut.table.size(weights)),
      );
  };

/** The axis that holds heads: of [batch, positions, heads·width] or of [batch, heads, positions, width]. */
const headAxis = (axes: readonly AxisId[]): AxisId | undefined => axes[axes.length === 3 ? 2 : 1];
const queryWidth = (cut: CutNode): AxisId | undefined => headAxis(cut.input(0));
const keyWidth = (cut: CutNode): AxisId | undefined => headAxis(cut.input(1));
const outputWidth = (cut: CutNode): AxisId | undefined => (cut.output().length === 3 ? cut.output()[2] : undefined);

export const CUT_RULES: ReadonlyMap<string, CutRule> = new Map([
  ...rulesOf('Reshape Expand', shapeInput(1)),
  ...rulesOf('ConstantOfShape', shapeInput(0)),
  ...rulesOf('Split', split),
  ...rulesOf('Slice', slice),
  ...rulesOf('Gather', gather),
  ...rulesOf('Pad', pad),
  ...rulesOf('Resize', resize),
  ...rulesOf('Tile', tile),
  ...rulesOf('Squeeze', squeeze),
  ...rulesOf('GroupNormalization', groupCount),
  ...rulesOf(
    'Conv ConvInteger com.microsoft:FusedConv',
    groups(
      (cut) => cut.input(0)[1],
      (cut) => cut.input(1)[1],
    ),
  ),
  ...rulesOf(
    'QLinearConv',
    groups(
      (cut) => cut.input(0)[1],
      (cut) => cut.input(3)[1],
    ),
  ),
  ...rulesOf(
    'ConvTranspose',
    groups(
      (cut) => cut.output()[1],
      (cut) => cut.input(1)[1],
    ),
  ),
  ...rulesOf('LSTM GRU RNN', recurrent),
  ...rulesOf('com.microsoft:Attention', headCounts({ num_heads: outputWidth })),
  ...rulesOf('com.microsoft:MultiHeadAttention', headCounts({ num_heads: queryWidth })),
  ...rulesOf('com.microsoft:RotaryEmbedding RotaryEmbedding', headCounts({ num_heads: queryWidth })),
  ...rulesOf('com.microsoft:GroupQueryAttention', headCounts({ num_heads: queryWidth, kv_num_heads: keyWidth })),
  ...rulesOf('Attention', headCounts({ q_num_heads: queryWidth, kv_num_heads: keyWidth })),
]);

function rulesOf(names: string, rule: CutRule): [string, CutRule][] {
  return names.split(' ').map((name) => [name, rule]);
}
