import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import type { Value } from '../ir/value.js';
import { constantTensor, walkGraphs } from '../ir/walk.js';
import { type Elements, inferTypes } from '../ops/infer-types.js';
import { hasWholeBytes } from '../tensor/take-axes.js';
import { type AxisId, AxisTable, type FrozenReason } from './axis-table.js';
import { axesOfInput, axesOfValue, type DependencyOptions, type RoleMark, RuleContext } from './rule-context.js';
import type { AxisRule } from './rules/rule.js';
import { AXIS_RULES } from './rules/table.js';
import { type FactorPreference, type SolvedAxes, solveAxes } from './solve-axes.js';

/** Indices of one axis that belong to a unit. */
export interface UnitPart {
  readonly axis: AxisId;
  readonly indices: readonly number[];
}

/** What is cut as one: an output channel with all that depends on it, a head, a hidden neuron. */
export interface PruneUnit {
  readonly parts: readonly UnitPart[];
}

/** Units that touch the same axes, so that one may be weighed against the other. */
export interface DependencyGroup {
  /** Named for the first node whose weights make it. */
  readonly name: string;
  readonly units: readonly PruneUnit[];
  /** All axes that the units touch. */
  readonly axes: readonly AxisId[];
  /** Axes of weights among them, with what they are to their nodes. */
  readonly marks: readonly RoleMark[];
}

/** An axis of a weight of which nothing may be cut, and why. */
export interface FrozenAxis {
  readonly value: Value;
  readonly axis: number;
  /** The layer that reads the weight, and what the axis is to it. */
  readonly node: Node;
  readonly role: RoleMark['role'];
  readonly reason: FrozenReason;
}

/** What may be cut from a model, and what not. */
export interface Dependencies {
  readonly table: AxisTable;
  /** What is known of sizes, axes and positions that the model computes or has as constants. */
  readonly elements: ReadonlyMap<Value, Elements>;
  readonly solved: SolvedAxes;
  readonly groups: readonly DependencyGroup[];
  readonly frozen: readonly FrozenAxis[];
}

/** Options of `findDependencies`. */
export interface SearchOptions extends DependencyOptions, FactorPreference {}

/**
 * Finds which indices of which axes can only be cut together, over all tensors of the main graph. No weights are read.
 * Local functions are to be inlined before. Axes that a graph input or output has, that an operator reads as a whole, or of which
 * something is not known, stay.
 */
export function findDependencies(model: Model, options: SearchOptions = {}): Dependencies {
  const { elements } = inferTypes(model);
  const table = new AxisTable();
  const marks: RoleMark[] = [];
  for (const node of model.graph.nodes) applyRule(node, table, options, elements, marks);
  freezeInterface(model, table);
  freezeCaptured(model, table);
  freezeFixed(model, table);
  const solved = solveAxes(
    table,
    options,
    marks.map(({ axis }) => axis),
  );
  const groups = groupsOf(table, solved, marks);
  return { table, elements, solved, groups, frozen: frozenAxes(table, solved, marks, groups) };
}

function applyRule(
  node: Node,
  table: AxisTable,
  options: DependencyOptions,
  elements: ReadonlyMap<Value, Elements>,
  marks: RoleMark[],
): void {
  if (node.is('Constant')) return;
  const opset = node.graph.model.opset(node.domain);
  const context = new RuleContext(node, table, options, opset, elements, marks);
  const isAllKnown = node.inputs.every((value, slot) => !value || axesOfInput(table, value, node, slot) !== undefined);
  const rule = node.subgraphs().length === 0 ? ruleOf(node) : undefined;
  if (isAllKnown || node.is('Reshape')) rule?.(context);
  if (isAllKnown || rule === undefined) context.finish();
  else context.finish('the rank of an operand is not known');
}

/** Local functions are no operators, whatever they are called. */
function ruleOf(node: Node): AxisRule | undefined {
  const { model } = node.graph;
  for (const fn of model.functions.values()) if (fn.name === node.opType && fn.domain === node.domain) return undefined;
  return AXIS_RULES.get(node.domain === '' ? node.opType : `${node.domain}:${node.opType}`);
}

/** Constants that cannot be cut: of types that share bytes, sparse, of no numbers, or named by parts that are kept as they are. */
function freezeFixed(model: Model, table: AxisTable): void {
  for (const node of model.graph.nodes)
    for (const [slot, value] of node.inputs.entries()) {
      const text = value && fixedText(value);
      if (!value || text === undefined) continue;
      for (const axis of axesOfInput(table, value, node, slot) ?? []) table.freeze(axis, { text, node });
    }
}

function fixedText(value: Value): string | undefined {
  if (value.pinned) return `parts of the model that are kept as they are name "${value.name}"`;
  if (value.producer && !value.producer.is('Constant')) return undefined;
  const tensor = constantTensor(value);
  if (tensor === undefined)
    return value.isGraphInput ? undefined : `the constant "${value.name}" is sparse or of no numbers`;
  return hasWholeBytes(tensor) ? undefined : `elements of the constant "${value.name}" share bytes`;
}

function freezeInterface(model: Model, table: AxisTable): void {
  const kinds = [
    ['input', model.graph.inputs.filter((value) => !constantTensor(value))],
    ['output', model.graph.outputs],
  ] as const;
  for (const [kind, values] of kinds)
    for (const value of values)
      for (const axis of axesOfValue(table, value) ?? []) table.freeze(axis, { text: `graph ${kind} "${value.name}"` });
}

/** What nodes of subgraphs read stays: they are not looked into. */
function freezeCaptured(model: Model, table: AxisTable): void {
  const { graph } = model;
  for (const inner of walkGraphs(graph)) {
    if (inner === graph) continue;
    for (const node of inner.nodes)
      for (const value of node.inputs)
        if (value?.graph === graph)
          for (const axis of axesOfValue(table, value) ?? [])
            table.freeze(axis, { text: `a subgraph reads it (${node.opType} ${nodeLabel(node)})`, node });
    for (const output of inner.outputs)
      if (output.graph === graph)
        for (const axis of axesOfValue(table, output) ?? []) table.freeze(axis, { text: 'a subgraph gives it out' });
  }
}

function groupsOf(table: AxisTable, solved: SolvedAxes, marks: readonly RoleMark[]): DependencyGroup[] {
  const parts = new Map<number, { axis: AxisId; indices: number[] }[]>();
  for (const axis of table.places.keys()) {
    for (let index = 0; index < table.size(axis); index++) {
      const unit = solved.unitOf(axis, index);
      if (solved.reasonOf(unit) !== undefined) continue;
      const known = parts.get(unit);
      if (known === undefined) parts.set(unit, [{ axis, indices: [index] }]);
      else if (known.at(-1)?.axis === axis) known.at(-1)?.indices.push(index);
      else known.push({ axis, indices: [index] });
    }
  }
  const bySignature = new Map<string, PruneUnit[]>();
  for (const unit of parts.values()) {
    const signature = unit.map(({ axis, indices }) => `${axis}:${indices.length}`).join(' ');
    const units = bySignature.get(signature);
    if (units === undefined) bySignature.set(signature, [{ parts: unit }]);
    else units.push({ parts: unit });
  }
  const byAxis = new Map<AxisId, RoleMark[]>();
  for (const mark of marks) byAxis.set(mark.axis, [...(byAxis.get(mark.axis) ?? []), mark]);
  const groups: DependencyGroup[] = [];
  for (const units of bySignature.values()) {
    const axes = units[0]?.parts.map(({ axis }) => axis) ?? [];
    const own = axes.flatMap((axis) => byAxis.get(axis) ?? []);
    // Without weights there is nothing to gain, and with one unit nothing to choose.
    if (units.length < 2 || !own.some(({ role }) => role !== 'scales')) continue;
    const maker = own.find(({ role }) => role === 'produces') ?? own[0];
    groups.push({ name: maker ? nodeLabel(maker.node) : 'unnamed', units, axes, marks: own });
  }
  return groups;
}

/** Why an axis stays whose indices are all one unit. */
export const TOGETHER: FrozenReason = { text: 'all of it stands or falls together, so that nothing would be left' };

function frozenAxes(
  table: AxisTable,
  solved: SolvedAxes,
  marks: readonly RoleMark[],
  groups: readonly DependencyGroup[],
): FrozenAxis[] {
  const grouped = new Set(groups.flatMap(({ axes }) => axes));
  const frozen: FrozenAxis[] = [];
  const seen = new Set<AxisId>();
  for (const { axis, node, role } of marks) {
    const { value, axis: at } = table.places[axis] ?? {};
    if (value === undefined || at === undefined || seen.has(axis) || grouped.has(axis)) continue;
    seen.add(axis);
    frozen.push({ value, axis: at, node, role, reason: reasonOf(table, solved, axis) });
  }
  return frozen;
}

function reasonOf(table: AxisTable, solved: SolvedAxes, axis: AxisId): FrozenReason {
  for (let index = 0; index < table.size(axis); index++) {
    const reason = solved.reasonOf(solved.unitOf(axis, index));
    if (reason) return reason;
  }
  return TOGETHER;
}
