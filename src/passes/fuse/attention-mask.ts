/**
 * Masks for the Attention of opset 23 as ONNX Runtime 1.30 computes it: where every score of a row has the lowest number or
 * −Infinity added to it the row of the result is 0, while Softmax gives the mean of all values, or NaN.
 */
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType, type DataTypeCode, isInteger } from '../../tensor/dtype.js';
import { float32Chunks } from '../../tensor/float-chunks.js';
import type { RewriteContext } from '../engine/rewrite.js';
import { scalarOf } from '../scalar.js';
import { dataTypeOf, sameDim, shapeOf } from '../types.js';
import type { BiasPlan, ScoreDims } from './attention-bias.js';
import { type AttentionSite, type QueryShape, scoreDims, siteBias } from './attention-site.js';

/** Low enough to outweigh any score, and not taken for a mask of the whole row. */
const LOW: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT, -1e38],
  [DataType.FLOAT16, -60000],
]);

/**
 * True where rows whose scores are all masked become 0 though Softmax makes NaN of them, and it may come to that: then nothing
 * that has a plain Softmax inside does the same.
 */
export function mayZeroRows({ core }: AttentionSite, context: RewriteContext): boolean {
  return (
    core.zeroesMaskedRows &&
    core.steps.some((step) =>
      step.kind === 'fill' ? step.number === Number.NEGATIVE_INFINITY : mayReachLowest(step.value, context),
    )
  );
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
  if (condition) return { cost: 0, build: () => condition };
  const isInfinite = steps.every((step) => step.kind === 'fill' && step.number === Number.NEGATIVE_INFINITY);
  if (zeroesMaskedRows && !isInfinite) return 'it cannot be told which of its rows become 0';
  if (zeroesMaskedRows || low === undefined) return siteBias(site, query, context);
  const reaches = steps.some((step) => step.kind === 'add' && mayReachLowest(step.value, context));
  return siteBias(site, query, context, { fill: low, ...(reaches ? { floor: low } : {}) });
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

/** False where a value is known to have no row that is all −Infinity or as low as its type goes. */
function mayReachLowest(value: Value, context: RewriteContext): boolean {
  const tensor = context.constant(value);
  if (tensor) {
    const columns = tensor.dims.at(-1) ?? 1;
    let at = 0;
    let isMasked = true;
    for (const chunk of float32Chunks(tensor))
      for (const number of chunk) {
        isMasked &&= number < -3e38 || (tensor.dataType === DataType.FLOAT16 && number <= -65504);
        if (++at % columns !== 0) continue;
        if (isMasked) return true;
        isMasked = true;
      }
    return false;
  }
  const node = value.producer;
  if (node?.domain !== '') return true;
  if (node.is('Unsqueeze') || node.is('Reshape') || node.is('Expand') || node.is('Slice') || node.is('Transpose'))
    return !node.input(0) || mayReachLowest(node.input(0) as Value, context);
  return node.is('Mul') ? !isSmallProduct(node, context) : true;
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
