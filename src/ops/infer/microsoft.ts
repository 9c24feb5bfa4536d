import type { Dim } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import { addDims, divideDimsExactly, multiplyDims } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';
import { convolution, globalPool, pool } from './convolution.js';
import { broadcast, sameShape } from './elementwise.js';
import { gemm, matmul, matmulShape } from './matmul.js';
import { unifyDims } from './merge.js';
import { dequantizeLinear, quantizeLinear } from './quantized.js';
import { recurrent } from './recurrent.js';

function broadcastOf(a: number, b: number): (context: RuleContext) => void {
  return (context) => context.setShape(0, broadcast(context, [context.shape(a), context.shape(b)]));
}

/** FusedMatMul: swaps the last two axes of an input, or (transBatch) reads it as [row, …batch, column]. */
function fusedMatMul(context: RuleContext): void {
  const turn = (slot: number, letter: string) => {
    const shape = context.shape(slot);
    if (!shape || shape.length < 2) return shape;
    const batch = context.int(`transBatch${letter}`) === 1;
    const row = shape.at(batch ? 0 : -2);
    const rest = batch ? shape.slice(1, -1) : shape.slice(0, -2);
    return context.int(`trans${letter}`) === 1 ? [...rest, shape.at(-1), row] : [...rest, row, shape.at(-1)];
  };
  context.setShape(0, matmulShape(context, turn(0, 'A'), turn(1, 'B')));
}

function gemmQuantized(context: RuleContext): void {
  context.setDataType(0, context.has(7) ? context.dataType(8) : DataType.FLOAT);
  gemm(0, 3)(context);
}

/** MatMulNBits and kin: the weight is packed, its sizes are the attributes N and K. */
function packedMatMul(context: RuleContext): void {
  const shape = context.shape(0);
  if (shape) context.setShape(0, [...shape.slice(0, -1), context.int('N')]);
}

/** Skip normalizations: mean and deviation keep one size of the last axis, the sum has the input's shape. */
function skipNormalization(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  context.setShape(0, shape);
  for (const index of [1, 2]) context.setShape(index, [...shape.slice(0, -1), 1]);
  context.setShape(3, shape);
}

function embedNormalization(context: RuleContext): void {
  const ids = context.shape(0);
  const embedding = context.shape(2);
  if (!ids || !embedding) return;
  const shape = [...ids, embedding.at(-1)];
  context.setShape(0, shape);
  context.setShape(1, [ids[0]]);
  context.setShape(2, shape);
}

/** com.microsoft Attention: one packed projection of Q, K and V. */
function attention(context: RuleContext): void {
  const input = context.shape(0);
  if (!input) return;
  const sizes = context.ints('qkv_hidden_sizes');
  const packed = context.dim(1, 1) ?? context.dim(2, 0);
  const hidden = sizes?.length === 3 ? sizes[2] : divideDimsExactly(packed, 3);
  context.setShape(0, [...input.slice(0, -1), hidden]);
  const past = context.shape(4);
  if (past?.length !== 5 || context.int('past_present_share_buffer') === 1) return;
  context.setShape(1, [past[0], past[1], past[2], addDims(past[3], input[1]), past[4]]);
}

/** com.microsoft MultiHeadAttention with separate projections, of values also as [batch, heads, positions, width]; packed layouts are left open. */
function multiHeadAttention(context: RuleContext): void {
  const query = context.shape(0);
  const value = context.shape(2);
  if (query?.length !== 3) return;
  const heads = value?.length === 4 ? multiplyDims(value[1], value[3]) : undefined;
  const hidden = value?.length === 3 ? value[2] : heads;
  context.setShape(0, [query[0], query[1], hidden]);
}

/** com.microsoft GroupQueryAttention: query [N, S, heads·width], alone or with keys and values packed into it; caches [N, heads, T, width]. */
function groupQueryAttention(context: RuleContext): void {
  const query = context.shape(0);
  const [heads, shared] = [context.int('num_heads'), context.int('kv_num_heads')];
  if (query?.length !== 3 || !heads || !shared) return;
  const isPacked = !context.has(1);
  const width = divideDimsExactly(query[2], isPacked ? heads + 2 * shared : heads);
  context.setShape(0, [query[0], query[1], isPacked ? multiplyDims(width, heads) : query[2]]);
  for (const index of [1, 2]) {
    // Without a past or scales, caches are of the type of what is put into them.
    if (!context.has(3) && !context.has(12)) context.setDataType(index, context.dataType(0));
    context.setShape(index, [query[0], shared, undefined, width]);
  }
}

function quantizedConcat(context: RuleContext): void {
  const tensors: number[] = [];
  for (let slot = 2; slot < context.inputCount; slot += 3) tensors.push(slot);
  context.setDataType(0, context.dataType(1));
  const shapes = tensors.map((slot) => context.shape(slot));
  const [first] = shapes;
  const axis = first && context.axis(context.int('axis'), first.length);
  if (!first || axis === undefined || shapes.some((shape) => shape?.length !== first.length)) return;
  const dims = first.map((dim, at): Dim => {
    let total: Dim = at === axis ? 0 : dim;
    for (const shape of shapes)
      total =
        at === axis
          ? total === undefined
            ? undefined
            : addDims(total, shape?.[at])
          : unifyDims(total, shape?.[at], () => context.problem(`inputs differ in axis ${at}`));
    return total;
  });
  context.setShape(0, dims);
}

/** Quantized poolings also come channels-last, as nodes that ONNX Runtime made. */
function quantizedPool(rule: (context: RuleContext) => void): (context: RuleContext) => void {
  return (context) => {
    if (context.int('channels_last') !== 1) rule(context);
    else if (rule === globalPool) {
      const shape = context.shape(0);
      context.setShape(
        0,
        shape?.map((dim, at) => (at === 0 || at === shape.length - 1 ? dim : 1)),
      );
    }
  };
}

function quantizedConvolution(context: RuleContext): void {
  if (context.int('channels_last') !== 1) convolution(0, 3)(context);
}

function expandDims(context: RuleContext): void {
  const shape = context.shape(0);
  const at = context.single(1);
  const axis = shape && typeof at === 'number' ? context.axis(at, shape.length + 1) : undefined;
  if (shape && axis !== undefined) context.setShape(0, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
}

export const microsoftRules: RuleTable = [
  [
    'BiasAdd BiasGelu BiasSoftmax FastGelu Gelu GemmaRotaryEmbedding Inverse QLinearLeakyRelu QLinearSigmoid ' +
      'QLinearSoftmax QOrderedGelu QOrderedLayerNormalization QuickGelu RotaryEmbedding Trilu GroupNorm ' +
      'GatedRelativePositionBias MoE QMoE NGramRepeatBlock BiasDropout',
    sameShape,
  ],
  ['QLinearAdd QLinearMul', broadcastOf(0, 3)],
  ['MulInteger', broadcastOf(0, 2)],
  ['FusedConv', convolution(0, 1)],
  ['QLinearConv', quantizedConvolution],
  ['QLinearAveragePool', quantizedPool(pool)],
  ['QLinearGlobalAveragePool', quantizedPool(globalPool)],
  ['QLinearConcat', quantizedConcat],
  ['FusedGemm', gemm(0, 1)],
  ['QGemm', gemmQuantized],
  ['FusedMatMul TransposeMatMul FusedMatMulActivation', fusedMatMul],
  ['DynamicQuantizeMatMul MatMulIntegerToFloat MatMulInteger16', matmul(0, 1)],
  ['MatMulNBits MatMulBnb4', packedMatMul],
  ['SkipLayerNormalization SkipSimplifiedLayerNormalization', skipNormalization],
  ['EmbedLayerNormalization', embedNormalization],
  ['Attention', attention],
  ['MultiHeadAttention', multiHeadAttention],
  ['GroupQueryAttention', groupQueryAttention],
  ['DynamicQuantizeLSTM', dynamicLstm],
  ['QuantizeLinear', quantizeLinear],
  ['DequantizeLinear', dequantizeLinear],
  ['ExpandDims', expandDims],
];

/** The recurrence weights come transposed, so the hidden size must be the attribute. */
function dynamicLstm(context: RuleContext): void {
  if (context.int('hidden_size') !== undefined) recurrent(context);
}
