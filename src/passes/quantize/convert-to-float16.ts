import type { Model } from '../../ir/model.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Refusal } from '../../ir/transform.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import { inferTypes } from '../../ops/infer-types.js';
import type { RangeMap } from '../../quantize/observers.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';
import { DataType } from '../../tensor/dtype.js';
import { nodeSelector } from '../node-filter.js';
import { definePass } from '../pass.js';
import { nodeKey, planFloat16 } from './float16/plan.js';
import { rangeReasons } from './float16/ranges.js';
import { describeFloat16Report, describeKept, type Float16Report, newFloat16Report } from './float16/report.js';
import { Float16Rewriter } from './float16/rewriter.js';

export interface ConvertToFloat16Options {
  /** Graph inputs and outputs keep FLOAT, with one Cast each. */
  readonly keepIo: boolean;
  /** Node names, globs or op types to convert; all when empty. */
  readonly include: readonly string[];
  /** Node names, globs or op types to keep in FLOAT32; wins over `include`. */
  readonly exclude: readonly string[];
  /** Measured ranges by value name: nodes that touch a value beyond half of ±65504 stay FLOAT32, masks aside. */
  readonly ranges: RangeMap | undefined;
  /** Reasons to keep nodes in FLOAT32, by the name of their first output. */
  readonly kept: ReadonlyMap<string, string> | undefined;
  /** Filled with what happened to each constant; complete once the model is written. */
  readonly report: Float16Report | undefined;
}

const NAME = 'convert-to-float16';

/**
 * Turns FLOAT weights and arithmetic into FLOAT16: y = round16(op(round16(x), round16(w))).
 * - Fires on every node whose operator, at the model's opset, supports FLOAT16; in subgraphs too. Types come from
 *   inference over the whole model, not from names: each value has one type, and a Cast is inserted where two meet.
 * - Refuses, node by node and with the reason: operators that do not support FLOAT16, calls of local functions (bodies
 *   keep their types), quantized operators, sequences, values of unknown type, excluded nodes, measured ranges beyond
 *   half of ±65504 (fills of masks aside) and measured counts beyond 2048, small constants that do not fit, what makes
 *   values that end as integers, indices or flags, and the places of `float16/precision-regions.ts` where FLOAT16 is
 *   unsafe whatever the data.
 * - A model whose FLOAT16 weights outweigh its FLOAT ones counts as already converted. DOUBLE is never touched.
 * - Constants: rounded half to even; finite values beyond ±65504 clamped; in tensors of up to 1024 elements a nonzero
 *   value stays nonzero. Large ones are converted while the model is written (`report`). A constant that is used in
 *   both types gets a second form, or from 64 KiB on a Cast, so that the file does not grow.
 * - Numerics: lossy. Reference: onnxconverter-common float16.py, PyTorch autocast operator lists.
 * @throws SO1003 when a pattern of `include` or `exclude` means no node.
 */
export const convertToFloat16 = definePass<ConvertToFloat16Options>({
  name: NAME,
  summary: 'Converts FLOAT weights and arithmetic to FLOAT16.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [7, null],
  options: {
    keepIo: { description: 'keep graph inputs and outputs FLOAT', default: true },
    include: { description: 'only these nodes: names, globs or op types', default: [] },
    exclude: { description: 'not these nodes: names, globs or op types', default: [] },
    ranges: { description: 'measured ranges by value name', default: undefined, internal: true },
    kept: { description: 'reasons to keep nodes, by first output', default: undefined, internal: true },
    report: { description: 'receives what happened to each constant', default: undefined, internal: true },
  },
  run(model, options) {
    const weights = floatWeightBytes(model);
    if (weights.float16 > weights.float32) {
      return { changed: 0, notes: ['nothing to convert: the weights are already FLOAT16'] };
    }
    inferTypes(model);
    const selected = nodeSelector(model, options);
    const plan = planFloat16(model, {
      keepIo: options.keepIo,
      selected,
      whyWide: rangeReasons(model, options.ranges ?? new Map()),
      kept: options.kept ?? new Map(),
    });
    const refusals: Refusal[] = [];
    const kept: { readonly node: string; readonly opType: string; readonly reason: string }[] = [];
    for (const [node, { reason }] of plan.nodes) {
      if (reason === undefined) continue;
      refusals.push({ pass: NAME, node: nodeLabel(node), opType: node.opType, reason });
      if (plan.chosen.has(node)) kept.push({ node: nodeLabel(node), opType: node.opType, reason });
    }
    const report = options.report ?? newFloat16Report();
    report.nodes.length = 0;
    for (const [node, { inputs, outputs }] of plan.nodes) {
      if (outputs.includes(true) || inputs.includes('float16')) report.nodes.push(nodeKey(node));
    }
    const rewriter = new Float16Rewriter(model, plan, { keepIo: options.keepIo, report });
    if (rewriter.isEmpty) {
      const notes = ['nothing to convert: no arithmetic can be FLOAT16', ...describeKept(kept)];
      return { changed: 0, refusals, notes };
    }
    rewriter.run();
    const { constants, values, casts } = rewriter.counts;
    const notes = [
      `${count(constants, 'constant')} and ${count(values, 'value')} now FLOAT16, ${count(casts, 'Cast')}`,
    ];
    // Reports tell of each layer with weights why it stays as it is.
    const unweighted = kept.filter(({ opType }) => !WEIGHTED_OPERATORS.has(opType));
    notes.push(...describeKept(unweighted), ...describeFloat16Report(report));
    return { changed: constants + values + casts, refusals, notes };
  },
});

function floatWeightBytes(model: Model): { float16: number; float32: number } {
  const bytes = { float16: 0, float32: 0 };
  for (const graph of allGraphs(model)) {
    for (const value of graph.values.values()) {
      const tensor = constantTensor(value);
      if (tensor?.dataType === DataType.FLOAT16) bytes.float16 += tensor.byteLength;
      else if (tensor?.dataType === DataType.FLOAT) bytes.float32 += tensor.byteLength;
    }
  }
  return bytes;
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
