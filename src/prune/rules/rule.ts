import type { RuleContext } from '../rule-context.js';

/** Says how the axes of a node depend on each other. */
export type AxisRule = (context: RuleContext) => void;

/** Rules by operator; `domain:Op` for those of another domain than ai.onnx. */
export type AxisRules = ReadonlyMap<string, AxisRule>;

/** One rule for several operators. */
export function rulesFor(names: string, rule: AxisRule): [string, AxisRule][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [name, rule]);
}

/** A position that may count from the end. */
export function fromStart(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
