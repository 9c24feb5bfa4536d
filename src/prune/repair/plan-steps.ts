import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { layerTarget } from './layer-target.js';
import { ancestorsOf, readBy } from './sum-builder.js';

/** A layer whose sums are wanted. */
export interface StepLayer {
  /** Of the network that is changed layer by layer. */
  readonly node: Node;
  /** Outputs of the original's counterpart that the layer still has; undefined for all. */
  readonly kept?: Int32Array | undefined;
}

/** Which of the two networks a value is of: the one that is changed, or the original. */
export type Side = 'changed' | 'original';

/** A value that later steps start from. */
export interface KeptValue {
  readonly side: Side;
  readonly value: Value;
}

/** Layers that are looked at together, and what is kept of the run for later steps. */
export interface Step {
  readonly layers: readonly StepLayer[];
  readonly keep: readonly KeptValue[];
}

/** Both networks; without the original, sums of inputs alone are wanted. */
export interface Networks {
  readonly changed: Model;
  readonly original: Model | undefined;
}

/**
 * Orders the work on layers so that each network runs once in all: a step runs from the values that the one before kept to what its
 * layers read. Layers that multiply the same tensor are one step. What a step keeps does not depend on weights that are still
 * to be changed.
 * @param layers in the order of the network
 */
export function planSteps({ changed, original }: Networks, layers: readonly StepLayer[]): Step[] {
  const parts = stepsOf(layers);
  const reads = parts.map((part) => part.flatMap(({ node }) => node.input(0) ?? []));
  const beside = parts.map((part) => (original ? part.flatMap(({ node }) => layerTarget(node).others) : []));
  const wanted = reads.map((values, at) => [...values, ...(beside[at] ?? [])]);
  const kept = frontiers(changed, reads, wanted);
  const targets = parts.map((part) =>
    original ? part.flatMap(({ node }) => original.graph.values.get(layerTarget(node).value.name) ?? []) : [],
  );
  const ofOriginal = original ? frontiers(original, targets, targets) : parts.map(() => []);
  return parts.map((part, at) => ({
    layers: part,
    keep: [
      ...(kept[at] ?? []).map((value): KeptValue => ({ side: 'changed', value })),
      ...(ofOriginal[at] ?? []).map((value): KeptValue => ({ side: 'original', value })),
    ],
  }));
}

/** Products with the same tensor that follow each other, unless one is added to what another gives. */
function stepsOf(layers: readonly StepLayer[]): StepLayer[][] {
  const parts: StepLayer[][] = [];
  for (const layer of layers) {
    const part = parts.at(-1);
    const [first] = part ?? [];
    if (
      part &&
      first &&
      isProduct(first.node) &&
      isProduct(layer.node) &&
      first.node.input(0) === layer.node.input(0)
    ) {
      const behind = ancestorsOf(layerTarget(layer.node).others);
      if (!part.some(({ node }) => behind.has(node))) {
        part.push(layer);
        continue;
      }
    }
    parts.push([layer]);
  }
  return parts;
}

function isProduct(node: Node): boolean {
  return node.is('MatMul') || node.is('Gemm');
}

/**
 * Which values each step leaves for the later ones: those between what has been computed for good and what has not.
 * @param final by step: values whose computation later steps do not change
 * @param wanted by step: values that it needs
 */
function frontiers(
  { graph }: Model,
  final: readonly (readonly Value[])[],
  wanted: readonly (readonly Value[])[],
): Value[][] {
  const never = final.length;
  const firstDone = new Map<Node, number>();
  for (const [step, values] of final.entries())
    for (const node of ancestorsOf(values, ({ producer }) => producer !== undefined && firstDone.has(producer)))
      if (!firstDone.has(node)) firstDone.set(node, step);
  const lastNeed = new Map<Node, number>();
  const until = new Map<Value, number>();
  const keepUntil = (value: Value, step: number): void => {
    until.set(value, Math.max(until.get(value) ?? 0, step));
  };
  for (let step = never - 1; step >= 0; step--) {
    for (const value of wanted[step] ?? []) keepUntil(value, step);
    const known = ({ producer }: Value): boolean => producer !== undefined && lastNeed.has(producer);
    for (const node of ancestorsOf(wanted[step] ?? [], known)) if (!lastNeed.has(node)) lastNeed.set(node, step);
  }
  for (const [node, last] of lastNeed)
    for (const value of readBy(node)) keepUntil(value, Math.min(last, firstDone.get(node) ?? never));
  const kept: Value[][] = final.map(() => []);
  for (const [value, last] of until) {
    const first = value.producer && value.graph === graph ? firstDone.get(value.producer) : undefined;
    if (first === undefined || value.producer?.is('Constant') || !isKeepable(value)) continue;
    for (let step = first; step < last; step++) kept[step]?.push(value);
  }
  return kept;
}

const KEPT_TYPES: ReadonlySet<DataTypeCode> = new Set([
  DataType.FLOAT,
  DataType.FLOAT16,
  DataType.BOOL,
  DataType.INT32,
  DataType.INT64,
]);

/** Tensors that can be handed to a session; those that subgraphs read cannot be replaced by an input. */
function isKeepable({ type, uses, graph, isGraphOutput, outputOf }: Value): boolean {
  if (type?.kind !== 'tensor' || !KEPT_TYPES.has(type.dataType)) return false;
  for (const { node } of uses) if (node.graph !== graph) return false;
  return !isGraphOutput || outputOf.every((each) => each === graph);
}
