/** The conversion to 16-bit floats that the passes for FLOAT16 and BFLOAT16 share. */
import type { Model } from '../../../ir/model.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Refusal, TransformResult } from '../../../ir/transform.js';
import { allGraphs, constantTensor } from '../../../ir/walk.js';
import { inferTypes } from '../../../ops/infer-types.js';
import { WEIGHTED_OPERATORS } from '../../../quantize/operator-classes.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import { DataType } from '../../../tensor/dtype.js';
import { nodeSelector } from '../../node-filter.js';
import type { NarrowFloat } from './narrow-float.js';
import { nodeKey, planFloat16 } from './plan.js';
import { rangeReasons } from './ranges.js';
import { describeFloat16Report, describeKept, type Float16Report, newFloat16Report } from './report.js';
import { Float16Rewriter } from './rewriter.js';

/** Options of the passes that convert to 16-bit floats. */
export interface ConvertToFloat16Options {
  /** Graph inputs and outputs keep FLOAT, with one Cast each. */
  readonly keepIo: boolean;
  /** Node names, globs or op types to convert; all when empty. */
  readonly include: readonly string[];
  /** Node names, globs or op types to keep in FLOAT32; wins over `include`. */
  readonly exclude: readonly string[];
  /** Measured ranges by value name: nodes that touch a value beyond half of the type's range stay FLOAT32, masks aside. */
  readonly ranges: RangeMap | undefined;
  /** Reasons to keep nodes in FLOAT32, by the name of their first output. */
  readonly kept: ReadonlyMap<string, string> | undefined;
  /** Filled with what happened to each constant; complete once the model is written. */
  readonly report: Float16Report | undefined;
}

/** Converts to one of the 16-bit types; `name` is that of the pass. */
export function convertToNarrow(
  name: string,
  to: NarrowFloat,
  model: Model,
  options: ConvertToFloat16Options,
): TransformResult {
  const type = to.name.toUpperCase();
  const weights = floatWeightBytes(model, to);
  if (weights.narrow > weights.float32) {
    return { changed: 0, notes: [`nothing to convert: the weights are already ${type}`] };
  }
  inferTypes(model);
  const selected = nodeSelector(model, options);
  const plan = planFloat16(model, {
    to,
    keepIo: options.keepIo,
    selected,
    whyWide: rangeReasons(model, options.ranges ?? new Map(), to),
    kept: options.kept ?? new Map(),
  });
  const refusals: Refusal[] = [];
  const kept: { readonly node: string; readonly opType: string; readonly reason: string }[] = [];
  for (const [node, { reason }] of plan.nodes) {
    if (reason === undefined) continue;
    refusals.push({ pass: name, node: nodeLabel(node), opType: node.opType, reason });
    if (plan.chosen.has(node)) kept.push({ node: nodeLabel(node), opType: node.opType, reason });
  }
  const report = options.report ?? newFloat16Report();
  report.nodes.length = 0;
  for (const [node, { inputs, outputs }] of plan.nodes) {
    if (outputs.includes(true) || inputs.includes('float16')) report.nodes.push(nodeKey(node));
  }
  const rewriter = new Float16Rewriter(model, plan, { keepIo: options.keepIo, report, to });
  if (rewriter.isEmpty) {
    const notes = [`nothing to convert: no arithmetic can be ${type}`, ...describeKept(kept)];
    return { changed: 0, refusals, notes };
  }
  rewriter.run();
  const { constants, values, casts } = rewriter.counts;
  const notes = [`${count(constants, 'constant')} and ${count(values, 'value')} now ${type}, ${count(casts, 'Cast')}`];
  // Reports tell of each layer with weights why it stays as it is.
  const unweighted = kept.filter(({ opType }) => !WEIGHTED_OPERATORS.has(opType));
  notes.push(...describeKept(unweighted), ...describeFloat16Report(report, to));
  return { changed: constants + values + casts, refusals, notes };
}

function floatWeightBytes(model: Model, { dataType }: NarrowFloat): { narrow: number; float32: number } {
  const bytes = { narrow: 0, float32: 0 };
  for (const graph of allGraphs(model)) {
    for (const value of graph.values.values()) {
      const tensor = constantTensor(value);
      if (tensor?.dataType === dataType) bytes.narrow += tensor.byteLength;
      else if (tensor?.dataType === DataType.FLOAT) bytes.float32 += tensor.byteLength;
    }
  }
  return bytes;
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** Options of such passes, for their definitions. */
export const NARROW_OPTIONS = {
  keepIo: { description: 'keep graph inputs and outputs FLOAT', default: true },
  include: { description: 'only these nodes: names, globs or op types', default: [] },
  exclude: { description: 'not these nodes: names, globs or op types', default: [] },
  ranges: { description: 'measured ranges by value name', default: undefined, internal: true },
  kept: { description: 'reasons to keep nodes, by first output', default: undefined, internal: true },
  report: { description: 'receives what happened to each constant', default: undefined, internal: true },
} as const;
