import type { Dim } from '../../ir/type.js';
import { addDims, divideDimsExactly, divideProducts, multiplyDims, productOfDims } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';

function nonMaxSuppression(context: RuleContext): void {
  context.setShape(0, [undefined, 3]);
}

function roiAlign(context: RuleContext): void {
  context.setShape(0, [
    context.dim(1, 0),
    context.dim(0, 1),
    context.int('output_height') ?? 1,
    context.int('output_width') ?? 1,
  ]);
}

function maxRoiPool(context: RuleContext): void {
  const pooled = context.ints('pooled_shape');
  if (pooled) context.setShape(0, [context.dim(1, 0), context.dim(0, 1), ...pooled]);
}

/** GridSample: batch and channels of X, spatial axes of the grid. */
function gridSample(context: RuleContext): void {
  const grid = context.shape(1);
  if (grid) context.setShape(0, [context.dim(0, 0) ?? grid[0], context.dim(0, 1), ...grid.slice(1, -1)]);
}

function affineGrid(context: RuleContext): void {
  const size = context.elements(1)?.items;
  const rank = size?.length ?? context.dim(1, 0);
  if (rank !== 4 && rank !== 5) return;
  const [n, , ...spatial] = size ?? [];
  context.setShape(0, [n, ...(size ? spatial : new Array<Dim>(rank - 2).fill(undefined)), rank - 2]);
}

function col2Im(context: RuleContext): void {
  const image = context.elements(1)?.items;
  const block = context.elements(2)?.items;
  const spatial =
    image ??
    (typeof context.dim(1, 0) === 'number' ? new Array<Dim>(context.dim(1, 0) as number).fill(undefined) : undefined);
  if (!spatial) return;
  const channels = block ? divideDimsExactly(context.dim(0, 1), productOfDims(block)) : undefined;
  context.setShape(0, [context.dim(0, 0), channels, ...spatial]);
}

function imageDecoder(context: RuleContext): void {
  context.setShape(0, [undefined, undefined, context.string('pixel_format') === 'Grayscale' ? 1 : 3]);
}

/** The losses reduce to a scalar, or keep the shape of the target. */
function loss(context: RuleContext): void {
  context.setShape(0, context.string('reduction') === 'none' ? context.shape(1) : []);
  context.setShape(1, context.shape(0));
}

/** Attention (opset 23): 4-D tensors hold heads in axis 1, 3-D ones in the last axis. */
function attention(context: RuleContext): void {
  const query = context.shape(0);
  const key = context.shape(1);
  const value = context.shape(2);
  if (!query || !value) return;
  const heads = query.length === 4 ? query[1] : context.int('q_num_heads');
  const keyHeads = key?.length === 4 ? key[1] : context.int('kv_num_heads');
  const split = (shape: readonly Dim[] | undefined) =>
    shape?.length === 4 ? shape[3] : divideProducts([shape?.[2]], [keyHeads]);
  const valueSize = split(value);
  const sequence = query.length === 4 ? query[2] : query[1];
  context.setShape(
    0,
    query.length === 4 ? [query[0], heads, sequence, valueSize] : [query[0], sequence, multiplyDims(heads, valueSize)],
  );
  const added = key?.length === 4 ? key[2] : key?.[1];
  const past = context.has(4) ? context.dim(4, 2) : 0;
  const total = addDims(past, added);
  context.setShape(1, [query[0], keyHeads, total, split(key)]);
  context.setShape(2, [query[0], keyHeads, total, valueSize]);
  context.setShape(3, [query[0], heads, sequence, total]);
}

/** CausalConvWithState (opset 27): the state keeps the last positions that the kernel still reaches. */
function causalConvolution(context: RuleContext): void {
  const input = context.shape(0);
  context.setShape(0, input);
  if (input?.length === 3) context.setShape(1, [input[0], input[1], addDims(context.dim(1, -1), -1)]);
}

function flexAttention(context: RuleContext): void {
  const query = context.shape(0);
  if (query) context.setShape(0, [...query.slice(0, -1), context.dim(2, -1)]);
}

export const visionRules: RuleTable = [
  ['NonMaxSuppression', nonMaxSuppression],
  ['RoiAlign', roiAlign],
  ['MaxRoiPool', maxRoiPool],
  ['GridSample', gridSample],
  ['AffineGrid', affineGrid],
  ['Col2Im', col2Im],
  ['ImageDecoder', imageDecoder],
  ['NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss', loss],
  ['Attention', attention],
  ['CausalConvWithState', causalConvolution],
];

/** ai.onnx.preview */
export const previewRules: RuleTable = [['FlexAttention', flexAttention]];
