import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import type { Value } from '../ir/value.js';
import { constantTensor, walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AxisId } from './axis-table.js';
import { type Dependencies, findDependencies, TOGETHER } from './dependency-groups.js';
import type { DependencyOptions } from './rule-context.js';

/** What can become of one axis of a weight. */
export interface AxisExplanation {
  /** Name of the constant. */
  readonly weight: string;
  /** The node that reads it, and as which input. */
  readonly node: string;
  readonly operator: string;
  readonly input: number;
  /** Position among the axes of the constant, and its size. */
  readonly axis: number;
  readonly size: number;
  /** How many of its indices may be cut. */
  readonly prunable: number;
  /** Groups that they belong to, by name. */
  readonly groups: readonly string[];
  /** Why the others stay; each text names a node. Empty where all may be cut. */
  readonly reasons: readonly string[];
}

/** Integers of these types are sizes, positions and conditions, not weights. */
const NO_WEIGHTS: ReadonlySet<number> = new Set([DataType.INT64, DataType.BOOL, DataType.STRING]);

/** What they read behind their data are scales and sizes, also in floats. */
const SIZED: ReadonlySet<string> = new Set(['Resize', 'Upsample']);

/**
 * Every axis of every weight, with what may be cut of it, or why not. Axes of size 1 are left out. Finds dependencies as
 * `dependencyGroups` does, and changes nothing but inferred types.
 */
export function explainDependencies(model: Model, options: DependencyOptions = {}): AxisExplanation[] {
  const dependencies = findDependencies(model, { heads: true, ...options });
  const groups = groupNames(dependencies);
  const explanations: AxisExplanation[] = [];
  for (const graph of walkGraphs(model.graph))
    for (const node of graph.nodes) explanations.push(...explainNode(node, graph, model, dependencies, groups));
  return explanations;
}

function explainNode(
  node: Node,
  graph: Graph,
  model: Model,
  dependencies: Dependencies,
  groups: ReadonlyMap<AxisId, string[]>,
): AxisExplanation[] {
  const found: AxisExplanation[] = [];
  for (const [slot, value] of node.inputs.entries()) {
    const tensor = slot > 0 && SIZED.has(node.opType) ? undefined : weightTensor(value);
    if (!value || !tensor) continue;
    const axes = graph === model.graph ? dependencies.table.known(value, node, slot) : undefined;
    for (const [axis, size] of tensor.dims.entries()) {
      if (size < 2) continue;
      const explained = axes === undefined ? inSubgraph(node) : explainAxis(axes[axis] as AxisId, dependencies, groups);
      const place = { weight: value.name, node: nodeLabel(node), operator: node.opType, input: slot, axis, size };
      found.push({ ...place, ...explained });
    }
  }
  return found;
}

type Verdict = Pick<AxisExplanation, 'prunable' | 'groups' | 'reasons'>;

function inSubgraph(node: Node): Verdict {
  return { prunable: 0, groups: [], reasons: [`subgraphs are not analyzed (${node.opType} ${nodeLabel(node)})`] };
}

function explainAxis(axis: AxisId, { table, solved }: Dependencies, groups: ReadonlyMap<AxisId, string[]>): Verdict {
  const reasons = new Set<string>();
  let prunable = 0;
  for (let index = 0; index < table.size(axis); index++) {
    const reason = solved.reasonOf(solved.unitOf(axis, index));
    if (reason) reasons.add(reason.text);
    else prunable++;
  }
  const names = groups.get(axis) ?? [];
  if (prunable > 0 && names.length === 0) {
    prunable = 0;
    reasons.add(TOGETHER.text);
  }
  return { prunable, groups: names, reasons: [...reasons] };
}

function weightTensor(value: Value | undefined): Tensor | undefined {
  const tensor = constantTensor(value);
  return tensor && !NO_WEIGHTS.has(tensor.dataType) ? tensor : undefined;
}

function groupNames({ groups }: Dependencies): Map<AxisId, string[]> {
  const names = new Map<AxisId, string[]>();
  for (const { name, axes } of groups)
    for (const axis of axes) {
      const known = names.get(axis);
      if (known === undefined) names.set(axis, [name]);
      else if (!known.includes(name)) known.push(name);
    }
  return names;
}
