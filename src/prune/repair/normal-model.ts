import { bug } from '../../errors.js';
import { copyInitializers, copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { layerTarget } from './layer-target.js';
import type { KeptValue, Networks } from './plan-steps.js';
import type { RepairLayer } from './repair-layers.js';
import { ancestorsOf, Builder, dropUnneeded, inputRows, readBy } from './sum-builder.js';

/** Names of the outputs of a model that computes the sums of a layer; those of targets are empty where there is no original. */
export interface NormalOutputs {
  readonly gram: string;
  readonly cross: string;
  readonly sumX: string;
  readonly sumY: string;
  readonly energy: string;
  readonly rows: string;
}

/** A layer of the changed network. */
export interface SummedLayer {
  readonly layer: RepairLayer;
  /** Outputs of the original's counterpart that the layer still has; undefined for all. */
  readonly kept?: Int32Array | undefined;
}

/** Where a run starts, and what is kept of it. */
export interface RunParts {
  /** Values that are fed instead of computed. */
  readonly take?: readonly KeptValue[];
  /** Values that are given out; those of `take` are not. */
  readonly keep?: readonly KeptValue[];
}

/** A kept value, and the input or output that it is of a model. */
export type NamedValue = readonly [key: string, name: string];

/** A model that computes sums, and names of its inputs and outputs. */
export interface NormalModel {
  readonly model: Model;
  /** By layer. */
  readonly outputs: readonly NormalOutputs[];
  readonly take: readonly NamedValue[];
  readonly keep: readonly NamedValue[];
}

/** What a value is known by from step to step. */
export function keyOf({ side, value }: KeptValue): string {
  return `${side} ${value.name}`;
}

/**
 * A model that runs the changed and the original network on one input and gives the sums of the normal equations of layers: x is what the
 * changed network hands to a layer, y what the original makes of its own input in its place (`layerTarget`).
 */
export function normalModel(
  { changed, original }: Networks,
  layers: readonly SummedLayer[],
  { take = [], keep = [] }: RunParts = {},
): NormalModel {
  const model = changed.clone();
  const { graph } = model;
  const fed = new Map<string, Value>();
  for (const each of take) fed.set(keyOf(each), addInput(graph, each));
  const own = (value: Value): Value => {
    const known = fed.get(keyOf({ side: 'changed', value })) ?? graph.values.get(value.name);
    if (!known) throw bug('a value of the network has no counterpart');
    return known;
  };
  const build = new Builder(graph);
  const targets = layers.map(({ layer }) => (original ? layerTarget(layer.node) : undefined));
  const copied = original
    ? copyOriginal(original, graph, fed, [
        ...targets.flatMap((target) => (target ? twinOf(original, target.value) : [])),
        ...keep.flatMap(({ side, value }) => (side === 'original' ? value : [])),
      ])
    : new Map<Value, Value>();
  for (const { side, value } of take)
    if (side === 'changed') graph.values.get(value.name)?.replaceUsesWith(fed.get(keyOf({ side, value })) as Value);
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const sides = new Map<string, InputSide>();
  const outputs = layers.map(({ layer, kept }, at): NormalOutputs => {
    const x = layer.node.input(layer.data);
    if (!x) throw bug('a layer has no data');
    // Products with one tensor share its sums.
    const key = layer.kind === 'matrix' ? x.name : `${x.name} ${at}`;
    const side = sides.get(key) ?? inputSide(build, build.wide(own(x), layer), layer);
    sides.set(key, side);
    const target = targets[at];
    if (!target || !original) return { ...side.names, cross: '', sumY: '', energy: '' };
    const y = copied.get(twinOf(original, target.value)) as Value;
    const wanted = build.wide(kept ? build.take(y, kept, layer) : y, layer);
    const rest = build.without(wanted, target.others.map(own), layer);
    const rows = build.targets(rest, layer);
    return {
      ...side.names,
      cross: build.product(side.rows, rows).name,
      sumY: build.sum(rows).name,
      energy: build.sum(build.node('Mul', [rows, rows])).name,
    };
  });
  for (const name of new Set(outputs.flatMap((each) => Object.values(each))))
    if (name !== '') graph.addOutput(graph.values.get(name) as Value);
  const kept = keep.flatMap((each): NamedValue[] => {
    const key = keyOf(each);
    if (fed.has(key)) return [];
    const value = each.side === 'changed' ? own(each.value) : (copied.get(each.value) as Value);
    if (!value.isGraphOutput) graph.addOutput(value);
    return [[key, value.name]];
  });
  dropUnneeded(graph);
  if (take.length > 0) dropUnreadInputs(graph);
  return {
    model,
    outputs,
    take: [...fed].flatMap(([key, value]): NamedValue[] => (value.isGraphInput ? [[key, value.name]] : [])),
    keep: kept,
  };
}

/** What layers that read one tensor in one way share. */
interface InputSide {
  readonly rows: Value;
  readonly names: { readonly gram: string; readonly sumX: string; readonly rows: string };
}

function inputSide(build: Builder, x: Value, layer: RepairLayer): InputSide {
  const rows = inputRows(build, x, layer);
  const count = build.node('Slice', [build.node('Shape', [rows]), build.ints([2]), build.ints([3])]);
  return { rows, names: { gram: build.product(rows, rows).name, sumX: build.sum(rows).name, rows: count.name } };
}

/** Sizes are left open: they may differ from sample to sample. */
function addInput(graph: Graph, { side, value }: KeptValue): Value {
  const type =
    value.type?.kind === 'tensor'
      ? tensorType(
          value.type.dataType,
          value.type.shape?.map(() => undefined),
        )
      : undefined;
  const input = graph.newValue(graph.model.freshName(`${side}/${value.name}`), type);
  graph.addInput(input);
  return input;
}

function twinOf(original: Model, value: Value): Value {
  const twin = original.graph.values.get(value.name);
  if (!twin) throw bug('the original has no counterpart of a sum');
  return twin;
}

/** Copies what leads to values of the original; graph inputs are those of the same name. @returns all that was copied */
function copyOriginal(
  original: Model,
  graph: Graph,
  fed: ReadonlyMap<string, Value>,
  wanted: readonly Value[],
): Map<Value, Value> {
  const mapping: ValueMapping = new Map();
  for (const input of original.graph.inputs) {
    const own = graph.values.get(input.name);
    if (own) mapping.set(input, own);
  }
  for (const value of original.graph.values.values()) {
    const input = fed.get(keyOf({ side: 'original', value }));
    if (input) mapping.set(value, input);
  }
  const needed = ancestorsOf(wanted, (value) => mapping.has(value));
  const constants = new Set<Value>();
  for (const node of needed) for (const value of readBy(node)) constants.add(value);
  for (const value of original.graph.initializers)
    if (!constants.has(value) && !mapping.has(value)) mapping.set(value, undefined);
  copyInitializers(original.graph, graph, mapping);
  const inOrder = [...original.graph.nodes].filter((node) => needed.has(node));
  copyNodes(inOrder, graph, mapping, { namePrefix: 'original/' });
  return new Map([...mapping].flatMap(([value, copy]) => (copy ? [[value, copy] as const] : [])));
}

function dropUnreadInputs(graph: Graph): void {
  for (const value of [...graph.inputs])
    if (value.uses.size === 0 && !value.isGraphOutput) {
      graph.removeInput(value);
      if (value.tensor) graph.removeInitializer(value);
    }
}
