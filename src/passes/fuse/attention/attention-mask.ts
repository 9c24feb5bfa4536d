/**
 * Masks for the Attention of opset 23 as ONNX Runtime 1.30 computes it: where every score of a row has the lowest number or
 * −Infinity added to it the row of the result is 0, while Softmax gives the mean of all values, or NaN.
 */

import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType, type DataTypeCode, isInteger } from '../../../tensor/dtype.js';
import { float32Chunks } from '../../../tensor/float-chunks.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { type WrittenList, writeList } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { scalarOf } from '../../scalar.js';
import { dataTypeOf, sameDim, shapeOf } from '../../types.js';
import { type BiasPlan, type ScoreDims, scalarTensor } from './attention-bias.js';
import type { AfterOutput } from './attention-output.js';
import { type AttentionSite, type QueryShape, scoreDims, siteBias } from './attention-site.js';

/** Low enough to outweigh any score, and not taken for a mask of the whole row. */
const LOW: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT, -1e38],
  [DataType.FLOAT16, -60000],
]);

/** How to have rows that are masked as a whole 0 after an operator that has a plain Softmax inside. */
export interface RowGuard {
  /** Nodes that it takes. */
  readonly cost: number;
  /** Adds all of them but the last before a node, and tells of that, which is given the output and comes directly after it. */
  build(bias: Value, before: Node): AfterOutput;
}

/** The guard that a site needs; undefined for none, a reason where it cannot be told which rows are masked. */
export function planRowGuard(
  site: AttentionSite,
  bias: BiasPlan | undefined,
  context: RewriteContext,
): RowGuard | string | undefined {
  if (!bias || !site.core.zeroesMaskedRows || !lowsOfSteps(site, context).infinite) return undefined;
  const { root } = site.core;
  if (!root.is('Softmax') || context.opset(root) < 11) return 'rows whose scores are all masked become 0';
  if (bias.shape[1] !== 1) return 'rows whose scores are all masked become 0, and each head has its own mask';
  const [batch, , queries] = bias.shape;
  return {
    cost: 4,
    build(value, before) {
      const { graph } = before;
      const add = (
        opType: string,
        inputs: Value[],
        dataType: DataTypeCode,
        shape: Dim[],
        list: WrittenList,
        attributes: Attribute[] = [],
      ) =>
        graph
          .addNode(
            {
              opType,
              inputs: [...inputs, ...list.inputs],
              outputs: [{ name: 'masked_rows', type: tensorType(dataType, shape) }],
              attributes: [...list.attributes, ...attributes],
            },
            before,
          )
          .output();
      const none: WrittenList = { inputs: [], attributes: [] };
      const axes = writeList(context, before, 'ReduceMax', 'axes', [3]);
      const largest = add('ReduceMax', [value], site.dataType, [batch, 1, queries, 1], axes, [
        attribute('keepdims', 1),
      ]);
      const infinite = addConstant(graph, 'infinite', scalarTensor(site.dataType, Number.NEGATIVE_INFINITY), before);
      const masked = add('Equal', [largest, infinite], DataType.BOOL, [batch, 1, queries, 1], none);
      const rows = add(
        'Squeeze',
        [masked],
        DataType.BOOL,
        [batch, queries, 1],
        writeList(context, before, 'Squeeze', 'axes', [1]),
      );
      const zero = addConstant(graph, 'zero', scalarTensor(site.dataType, 0), before);
      return (output) => ({ opType: 'Where', inputs: [rows, zero, output] });
    },
  };
}

/** How to make the mask of a site; undefined where there is none, a reason where that cannot be. */
export function planMask(
  site: AttentionSite,
  query: QueryShape,
  context: RewriteContext,
): BiasPlan | string | undefined {
  const { steps, zeroesMaskedRows } = site.core;
  const low = LOW.get(site.dataType);
  if (steps.length === 0) return undefined;
  const condition = keptWhereTrue(site, scoreDims(site, query));
  if (condition) return { shape: shapeOf(condition) ?? [], cost: 0, build: () => condition };
  const lows = lowsOfSteps(site, context);
  if (zeroesMaskedRows && lows.finite && lows.infinite) return 'it is unknown which of its rows become 0';
  if (low === undefined) return siteBias(site, query, context);
  return siteBias(site, query, context, { fill: low, ...(lows.finite ? { floor: low } : {}) });
}

/** The condition of `Where(condition, scores, −Infinity)`, where it has the sizes of the scores: that is a mask as it is. */
function keptWhereTrue({ core }: AttentionSite, dims: ScoreDims): Value | undefined {
  const [step, more] = core.steps;
  if (step?.kind !== 'fill' || more || step.fills || step.number !== Number.NEGATIVE_INFINITY) return undefined;
  const shape = shapeOf(step.condition);
  if (!shape || (shape.length !== 4 && shape.length !== 2) || core.scoreShape.length !== 4) return undefined;
  const full = [dims.batch, dims.heads, dims.queries, dims.keys].slice(-shape.length);
  const fits = shape.every((dim, axis) => sameDim(dim, full[axis]) || (dim === 1 && axis < shape.length - 2));
  return fits ? step.condition : undefined;
}

/** Whether a row of a mask may hold nothing but low numbers: some as low as their type goes, or −Infinity. */
interface Lows {
  readonly finite: boolean;
  readonly infinite: boolean;
}

const NEITHER: Lows = { finite: false, infinite: false };
const EITHER: Lows = { finite: true, infinite: true };

/** Of all that is added to the scores. Fills that are finite can be raised, and do not count. */
function lowsOfSteps({ core }: AttentionSite, context: RewriteContext): Lows {
  return core.steps
    .map((step) =>
      step.kind === 'fill'
        ? { finite: false, infinite: step.number === Number.NEGATIVE_INFINITY }
        : lowsOf(step.value, context, true),
    )
    .reduce(sumOfLows, NEITHER);
}

/** Two low numbers may add up to −Infinity. */
function sumOfLows(a: Lows, b: Lows): Lows {
  return { finite: a.finite || b.finite, infinite: a.infinite || b.infinite || (a.finite && b.finite) };
}

/** @param isWhole that the rows of the value are rows of the mask; else parts of them may be */
function lowsOf(value: Value, context: RewriteContext, isWhole: boolean): Lows {
  const tensor = context.constant(value);
  if (tensor) return lowsOfConstant(tensor, isWhole);
  const node = value.producer;
  if (node?.domain !== '') return EITHER;
  const ofInput = (slot: number): Lows => {
    const input = node.input(slot);
    return input ? lowsOf(input, context, false) : EITHER;
  };
  switch (node.opType) {
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Reshape':
    case 'Expand':
    case 'Slice':
    case 'Transpose':
      return ofInput(0);
    case 'Where': {
      const [yes, no] = [ofInput(1), ofInput(2)];
      return { finite: yes.finite || no.finite, infinite: yes.infinite || no.infinite };
    }
    case 'Add':
      return sumOfLows(ofInput(0), ofInput(1));
    case 'Mul':
      return isSmallProduct(node, context) ? NEITHER : EITHER;
    default:
      return EITHER;
  }
}

function lowsOfConstant(tensor: Tensor, isWhole: boolean): Lows {
  if (!LOW.has(tensor.dataType)) return EITHER;
  const isLow = (number: number) => number < -3e38 || (tensor.dataType === DataType.FLOAT16 && number <= -65504);
  const columns = isWhole ? (tensor.dims.at(-1) ?? 1) : 1;
  let lows = NEITHER;
  let row = { low: true, finite: false, infinite: false };
  let at = 0;
  for (const chunk of float32Chunks(tensor))
    for (const number of chunk) {
      row = {
        low: row.low && isLow(number),
        finite: row.finite || (isLow(number) && Number.isFinite(number)),
        infinite: row.infinite || number === Number.NEGATIVE_INFINITY,
      };
      if (++at % columns !== 0) continue;
      if (row.low) lows = { finite: lows.finite || row.finite, infinite: lows.infinite || row.infinite };
      row = { low: true, finite: false, infinite: false };
    }
  return lows;
}

/** True for a whole number, or 1 less such a one, times a constant that keeps it far from the lowest number. */
function isSmallProduct(node: Node, context: RewriteContext): boolean {
  if (dataTypeOf(node.output()) !== DataType.FLOAT) return false;
  return node.inputs.some((input, slot) => {
    const factor = scalarOf(context.constant(input));
    const other = node.input(1 - slot);
    return factor !== undefined && Math.abs(factor) < 1e18 && other !== undefined && isWhole(other, context);
  });
}

function isWhole(value: Value, context: RewriteContext): boolean {
  const node = value.producer;
  if (node?.is('Cast')) return isInteger(dataTypeOf(node.input(0)) ?? 0) || dataTypeOf(node.input(0)) === DataType.BOOL;
  if (!node?.is('Sub')) return false;
  const first = scalarOf(context.constant(node.input(0)));
  return (
    first !== undefined &&
    Math.abs(first) < 1e6 &&
    node.input(1) !== undefined &&
    isWhole(node.input(1) as Value, context)
  );
}
