import type { Graph } from '../../ir/graph.js';
import type { Dim, Shape, ValueType } from '../../ir/type.js';
import { formatType, tensorType } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import { withoutShape } from './bind.js';
import type { GraphResult, RuleContext, RuleTable } from './context.js';
import { type Elements, scalarElements } from './elements.js';
import { joinTypes, unifyDims } from './merge.js';

/** With a known condition the branch taken speaks alone; else what holds for both. */
function ifRule(context: RuleContext): void {
  const branches = ['then_branch', 'else_branch'].map((name) => {
    const graph = context.graph(name);
    return graph && context.host.inferSubgraph(graph, []);
  });
  const [taken, other] = branches;
  const condition = context.single(0);
  for (let index = 0; index < context.outputCount; index++) {
    const yes = taken?.types[index];
    const no = other?.types[index];
    if (typeof condition === 'number') {
      const branch = condition ? taken : other;
      context.setType(index, branch?.types[index]);
      context.setElements(index, branch?.elements[index]);
    } else context.setType(index, joinTypes(yes, no));
  }
}

/** How often a body is looked at again with wider types before its loop-carried shapes are given up. */
const MAX_ROUNDS = 4;

/** Infers a body until the types of its loop-carried values hold before and after an iteration. */
function fixedPoint(
  carried: (ValueType | undefined)[],
  run: (carried: readonly (ValueType | undefined)[]) => GraphResult,
  afterOf: (result: GraphResult, index: number) => ValueType | undefined,
): GraphResult {
  for (let round = 0; ; round++) {
    const result = run(carried);
    let stable = true;
    for (const [index, before] of carried.entries()) {
      const after = afterOf(result, index);
      // A body may turn an optional into its element; the declared input type of the body then has the say.
      const joined = before && after && before.kind === after.kind ? joinTypes(before, after) : (before ?? after);
      if (formatType(joined) === formatType(before)) continue;
      stable = false;
      carried[index] = round + 2 < MAX_ROUNDS || !before ? joined : withoutShape(before);
    }
    // Once shapes are given up each value can change once more at most, so that this ends.
    if (stable || round >= MAX_ROUNDS + 2 * carried.length) return result;
  }
}

function loop(context: RuleContext): void {
  const body = context.graph('body');
  if (!body) return;
  const count = Math.max(context.inputCount - 2, body.inputs.length - 2, 0);
  const carried = Array.from({ length: count }, (_, at) => context.type(at + 2));
  const run = (types: readonly (ValueType | undefined)[]): GraphResult =>
    context.host.inferSubgraph(body, [tensorType(DataType.INT64, []), tensorType(DataType.BOOL, []), ...types]);
  const passed = context.host.measuring ? iterate(context, body, carried) : undefined;
  if (passed) {
    context.host.repeats(passed.trips);
    const length = Number.isFinite(passed.trips) ? passed.trips : undefined;
    passed.types.slice(1).forEach((type, index) => {
      context.setType(index, index < count ? type : stacked(type, length, 0));
    });
    return;
  }
  const result = fixedPoint(carried, run, (found, index) => found.types[index + 1]);
  // Without a condition output that may end it early, the trip count is the length of every scan output.
  const trip = !context.has(1) && alwaysTrue(result) ? context.single(0) : undefined;
  for (let index = 0; index < context.outputCount; index++) {
    const after = result.types[index + 1];
    if (index < count) context.setType(index, after && after.kind !== carried[index]?.kind ? after : carried[index]);
    else context.setType(index, stacked(result.types[index + 1], trip, 0));
  }
}

/** Iterations that are gone through one by one, and nodes of all of them together. */
const MOST_ITERATIONS = 64;
const MOST_ITERATED_NODES = 100_000;

/**
 * Goes through the iterations of a loop, as far as its types change: the result of the last one, and how many there are,
 * Infinity for a loop that never ends. Undefined where the number of iterations is not constant, the body may end the loop,
 * or there is too much to go through.
 */
function iterate(
  context: RuleContext,
  body: Graph,
  carried: readonly (ValueType | undefined)[],
): (GraphResult & { readonly trips: number }) | undefined {
  const trips = context.has(0) ? context.single(0) : Number.POSITIVE_INFINITY;
  const goes = context.has(1) ? context.single(1) : 1;
  if (typeof trips !== 'number' || trips < 1 || goes !== 1) return undefined;
  if (body.nodes.size * Math.min(trips, MOST_ITERATIONS) > MOST_ITERATED_NODES) return undefined;
  let types = carried;
  let elements: readonly (Elements | undefined)[] = carried.map((_, at) => context.elements(at + 2));
  for (let trip = 0; ; trip++) {
    const number = tensorType(DataType.INT64, []);
    const condition = tensorType(DataType.BOOL, []);
    const result = context.host.inferSubgraph(
      body,
      [number, condition, ...types],
      [scalarElements(trip), scalarElements(1), ...elements],
    );
    if (!alwaysTrue(result)) return undefined;
    if (trip + 1 >= trips) return { ...result, trips };
    const next = result.types.slice(1, carried.length + 1);
    if (sameTypes(next, types)) {
      // They hold for all the rest only where they do not hang on a counter.
      const any = context.host.inferSubgraph(body, [number, condition, ...types], [undefined, scalarElements(1)]);
      if (sameTypes(any.types, result.types) && alwaysTrue(any)) return { ...result, trips };
    }
    if (trip + 1 >= MOST_ITERATIONS) return undefined;
    types = next;
    elements = result.elements.slice(1, carried.length + 1);
  }
}

function sameTypes(a: readonly (ValueType | undefined)[], b: readonly (ValueType | undefined)[]): boolean {
  return a.every((type, index) => formatType(type) === formatType(b[index]));
}

function alwaysTrue(result: GraphResult): boolean {
  const [condition] = result.elements;
  return condition?.items.length === 1 && condition.items[0] === 1;
}

/** The type of a scan output: the per-iteration tensor with a new axis. */
function stacked(type: ValueType | undefined, length: Dim, axis: number): ValueType | undefined {
  if (type?.kind !== 'tensor') return undefined;
  const { shape } = type;
  if (!shape) return tensorType(type.dataType);
  const at = axis < 0 ? axis + shape.length + 1 : axis;
  if (at < 0 || at > shape.length) return tensorType(type.dataType);
  return tensorType(type.dataType, [...shape.slice(0, at), length, ...shape.slice(at)]);
}

/** One element along the scanned axis. */
function scanned(type: ValueType | undefined, axis: number): ValueType | undefined {
  if (type?.kind !== 'tensor') return undefined;
  const { shape } = type;
  if (!shape) return type;
  const at = axis < 0 ? axis + shape.length : axis;
  return tensorType(type.dataType, at >= 0 && at < shape.length ? shape.filter((_, i) => i !== at) : undefined);
}

function scan(context: RuleContext): void {
  const body = context.graph('body');
  const scans = context.int('num_scan_inputs');
  if (!body || scans === undefined) return;
  // Opset 8 has a leading sequence_lens input and a batch axis before the scanned one.
  const batched = context.since < 9;
  const first = batched ? 1 : 0;
  const states = Math.max(context.inputCount - first - scans, 0);
  const inputAxes = batched ? [] : (context.ints('scan_input_axes') ?? []);
  const outputAxes = batched ? [] : (context.ints('scan_output_axes') ?? []);
  const batch = batched ? context.dim(first, 0) : undefined;
  const peel = (type: ValueType | undefined) => (batched ? scanned(type, 0) : type);
  const carried = Array.from({ length: states }, (_, at) => peel(context.type(first + at)));
  const parts = Array.from({ length: scans }, (_, at) =>
    scanned(peel(context.type(first + states + at)), inputAxes[at] ?? 0),
  );
  let length: Dim;
  for (let at = 0; at < scans; at++) {
    const shape: Shape = context.shape(first + states + at);
    const axis = (inputAxes[at] ?? 0) + (batched ? 1 : 0);
    length = unifyDims(length, shape?.at(axis), () => context.problem('scan inputs have different lengths'));
  }
  if (typeof length === 'number') context.host.repeats(length);
  const run = (types: readonly (ValueType | undefined)[]) => context.host.inferSubgraph(body, [...types, ...parts]);
  const result = fixedPoint(carried, run, (found, index) => found.types[index]);
  for (let index = 0; index < context.outputCount; index++) {
    const type =
      index < states ? carried[index] : stacked(result.types[index], length, outputAxes[index - states] ?? 0);
    context.setType(index, batched ? stacked(type, batch, 0) : type);
  }
}

export const controlRules: RuleTable = [
  ['If', ifRule],
  ['Loop', loop],
  ['Scan', scan],
];
