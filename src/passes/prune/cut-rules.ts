import type { AxisId } from '../../prune/axis-table.js';
import { fromStart } from '../../prune/rules/rule.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import type { CutNode } from './cut-node.js';

/** Writes the sizes anew that a node says of axes that are cut. Called before its constants are. */
type CutRule = (cut: CutNode) => void;

/** A list of sizes at input `slot`, one for each axis of the result. */
const shapeInput =
  (slot: number): CutRule =>
  (cut) => {
    const axes = cut.output();
    if (cut.node.input(slot) === undefined) {
      const attribute = cut.node.ints('shape');
      if (attribute) cut.setInts('shape', newSizes(cut, attribute, axes));
      return;
    }
    const copies = cut.isCut(cut.input(0));
    if (!cut.isCut(axes) && !copies) return;
    const given = cut.integers(slot);
    if (given) {
      const sizes = newSizes(cut, given, axes);
      if (sizes.some((size, at) => size !== given[at])) cut.setIntegers(slot, sizes);
    } else if (cut.isCut(axes)) overrideSizes(cut, slot, axes);
  };

/** Sizes as they were, but for axes that are cut, and for those that stand for a size of the input that is. */
function newSizes(cut: CutNode, given: readonly number[], axes: readonly AxisId[]): number[] {
  const before = cut.outputShape() ?? [];
  const source = cut.node.is('Reshape') ? cut.input(0) : [];
  return given.map((size, at) => {
    if (cut.kept.of(axes[at])) return size === 1 ? size : cut.kept.size(axes[at] as AxisId);
    const wasCopied = size === 0 && cut.kept.of(source[at]) !== undefined;
    const known = before[at];
    return wasCopied && typeof known === 'number' ? known : size;
  });
}

/** Sizes that are computed: those of the axes that are cut are put over them. */
function overrideSizes(cut: CutNode, slot: number, axes: readonly AxisId[]): void {
  const { node, kept } = cut;
  const given = node.input(slot);
  if (given === undefined) return;
  const isCut = axes.map((axis) => kept.of(axis) !== undefined);
  const name = `${node.output().name}_sizes`;
  const mask = addConstant(
    node.graph,
    `${name}_cut`,
    Tensor.of(9, [axes.length], Uint8Array.from(isCut, Number)),
    node,
  );
  const sizes = axes.map((axis, at) => (isCut[at] ? kept.size(axis) : 0));
  const values = addConstant(node.graph, `${name}_new`, Tensor.int64(sizes), node);
  const where = node.graph.addNode(
    { opType: 'Where', name: '', inputs: [mask, values, given], outputs: [{ name: node.graph.model.freshName(name) }] },
    node,
  );
  node.setInput(slot, where.output());
}

function split(cut: CutNode): void {
  const axis = fromStart(cut.node.int('axis', 0), cut.input(0).length);
  const parts = cut.node.outputs.map((_, index) => cut.output(index)[axis] as AxisId);
  if (!cut.isCut([cut.input(0)[axis] as AxisId, ...parts])) return;
  const sizes = parts.map((part) => cut.kept.size(part));
  if (cut.node.graph.model.opset() < 13) cut.setInts('split', sizes);
  else {
    cut.node.removeAttribute('num_outputs');
    cut.setIntegers(1, sizes);
  }
}

/** A slice keeps its form where the indices that it picks are evenly spaced still, and becomes a Gather otherwise. */
function slice(cut: CutNode): void {
  const { node, kept } = cut;
  const old = node.graph.model.opset() < 10;
  const rank = cut.input(0).length;
  const starts = old ? node.ints('starts') : cut.integers(1);
  const ends = old ? node.ints('ends') : cut.integers(2);
  const axes = (old ? node.ints('axes') : cut.integers(3)) ?? starts?.map((_, at) => at);
  if (starts === undefined || ends === undefined || axes === undefined) return;
  const steps = (old ? undefined : cut.integers(4)) ?? starts.map(() => 1);
  const input = cut.input(0);
  let changed = false;
  for (const [at, axis] of axes.map((each) => fromStart(each, rank)).entries()) {
    const data = input[axis] as AxisId;
    const whole = kept.of(data);
    if (whole === undefined) continue;
    changed = true;
    const size = cut.table.size(data);
    const picked = pickedIndices(size, starts[at] as number, ends[at] as number, steps[at] as number);
    const places = placesOf(whole, picked);
    const spacing = (places[1] ?? (places[0] as number) + 1) - (places[0] as number);
    if (spacing === 0 || places.some((place, k) => place !== (places[0] as number) + k * spacing)) {
      gatherInstead(cut, axis, places);
      starts[at] = 0;
      ends[at] = 2 ** 31 - 1;
      steps[at] = 1;
      continue;
    }
    const last = (places.at(-1) as number) + Math.sign(spacing);
    starts[at] = places[0] as number;
    ends[at] = last < 0 ? -(2 ** 31) : last;
    steps[at] = spacing;
  }
  if (!changed) return;
  if (old) {
    cut.setInts('starts', starts);
    cut.setInts('ends', ends);
    return;
  }
  cut.setIntegers(1, starts);
  cut.setIntegers(2, ends);
  if (steps.some((step) => step !== 1)) {
    if (cut.integers(3) === undefined) cut.setIntegers(3, axes);
    cut.setIntegers(4, steps);
  } else if (cut.integers(4)) cut.setIntegers(4, steps);
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
  const old = cut.node.graph.model.opset() < 11;
  const pads = old ? cut.node.ints('pads') : cut.integers(1);
  const rank = cut.input(0).length;
  const axes = (cut.node.input(3) ? cut.integers(3) : undefined) ?? Array.from({ length: rank }, (_, axis) => axis);
  if (pads === undefined) return;
  let changed = false;
  for (const [at, axis] of axes.map((each) => fromStart(each, rank)).entries()) {
    const result = cut.kept.of(cut.output()[axis]);
    if (result === undefined) continue;
    const before = pads[at] as number;
    const size = cut.table.size(cut.input(0)[axis] as AxisId);
    pads[at] = result.filter((index) => index < before).length;
    pads[at + axes.length] = result.filter((index) => index >= before + size).length;
    changed = true;
  }
  if (!changed) return;
  if (old) cut.setInts('pads', pads);
  else cut.setIntegers(1, pads);
}

/** `sizes` of Resize: one for each axis. */
function resize(cut: CutNode): void {
  const sizes = cut.integers(3);
  const axes = cut.node.ints('axes') ?? cut.output().map((_, axis) => axis);
  if (!cut.isCut(cut.output())) return;
  if (sizes)
    cut.setIntegers(
      3,
      sizes.map((size, at) => cut.kept.of(cut.output()[axes[at] as number])?.length ?? size),
    );
  else if (cut.node.input(3) && !cut.node.attributes.has('axes')) overrideSizes(cut, 3, cut.output());
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
    if (widths && weights !== undefined && cut.node.is('Attention') === false && cut.kept.of(weights))
      cut.setInts(
        'qkv_hidden_sizes',
        widths.map((width) => (width * cut.kept.size(weights)) / cut.table.size(weights)),
      );
  };

const queryWidth = (cut: CutNode): AxisId | undefined => (cut.input(0).length === 3 ? cut.input(0)[2] : undefined);
const keyWidth = (cut: CutNode): AxisId | undefined => (cut.input(1).length === 3 ? cut.input(1)[2] : undefined);
const outputWidth = (cut: CutNode): AxisId | undefined => (cut.output().length === 3 ? cut.output()[2] : undefined);

export const CUT_RULES: ReadonlyMap<string, CutRule> = new Map([
  ...rulesOf('Reshape Expand', shapeInput(1)),
  ...rulesOf('ConstantOfShape', shapeInput(0)),
  ...rulesOf('Split', split),
  ...rulesOf('Slice', slice),
  ...rulesOf('Gather', gather),
  ...rulesOf('Pad', pad),
  ...rulesOf('Resize', resize),
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
