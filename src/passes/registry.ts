import { eliminateAddZero } from './eliminate/eliminate-add-zero.js';
import { eliminateCommonSizes } from './eliminate/eliminate-common-sizes.js';
import { eliminateCommonSubexpressions } from './eliminate/eliminate-common-subexpressions.js';
import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateDropout } from './eliminate/eliminate-dropout.js';
import { eliminateDuplicateInitializers } from './eliminate/eliminate-duplicate-initializers.js';
import { eliminateIdempotent } from './eliminate/eliminate-idempotent.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import { eliminateInversePairs } from './eliminate/eliminate-inverse-pairs.js';
import { eliminateNoOpArithmetic } from './eliminate/eliminate-no-op-arithmetic.js';
import { eliminateNoOpCast } from './eliminate/eliminate-no-op-cast.js';
import { eliminateNoOpConcat } from './eliminate/eliminate-no-op-concat.js';
import { eliminateNoOpExpand } from './eliminate/eliminate-no-op-expand.js';
import { eliminateNoOpGather } from './eliminate/eliminate-no-op-gather.js';
import { eliminateNoOpPad } from './eliminate/eliminate-no-op-pad.js';
import { eliminateNoOpPool } from './eliminate/eliminate-no-op-pool.js';
import { eliminateNoOpReshape } from './eliminate/eliminate-no-op-reshape.js';
import { eliminateNoOpResize } from './eliminate/eliminate-no-op-resize.js';
import { eliminateNoOpScatter } from './eliminate/eliminate-no-op-scatter.js';
import { eliminateNoOpSlice } from './eliminate/eliminate-no-op-slice.js';
import { eliminateNoOpSplit } from './eliminate/eliminate-no-op-split.js';
import { eliminateNoOpTranspose } from './eliminate/eliminate-no-op-transpose.js';
import { eliminateNoOpWhere } from './eliminate/eliminate-no-op-where.js';
import { eliminateSequences } from './eliminate/eliminate-sequences.js';
import { eliminateSoftmaxBeforeArgMax } from './eliminate/eliminate-softmax-before-arg-max.js';
import { eliminateZeroStates } from './eliminate/eliminate-zero-states.js';
import { liftConstants } from './eliminate/lift-constants.js';
import type { ReadyRewrite } from './engine/rewrite.js';
import { foldAffineIntoConv } from './fold/fold-affine-into-conv.js';
import { foldAffineIntoGather } from './fold/fold-affine-into-gather.js';
import { foldAffineIntoNext } from './fold/fold-affine-into-next.js';
import { foldAffineIntoNormalization } from './fold/fold-affine-into-normalization.js';
import { foldBatchNormalization } from './fold/fold-batch-normalization.js';
import { foldCastOfConstantOfShape } from './fold/fold-cast-of-constant-of-shape.js';
import { foldConstants } from './fold/fold-constants.js';
import { foldKnownValues } from './fold/fold-known-values.js';
import { foldReshapeTarget } from './fold/fold-reshape-target.js';
import { foldShapePieces } from './fold/fold-shape-pieces.js';
import { foldUniformGather } from './fold/fold-uniform-gather.js';
import { inlineIf } from './fold/inline-if.js';
import { unrollLoop } from './fold/unroll-loop.js';
import { fuseAttention } from './fuse/fuse-attention.js';
import { fuseAttentionOrt } from './fuse/fuse-attention-ort.js';
import { fuseBiasGeluOrt } from './fuse/fuse-bias-gelu-ort.js';
import { fuseCacheIntoAttention } from './fuse/fuse-cache-into-attention.js';
import { fuseCasts } from './fuse/fuse-casts.js';
import { fuseClip } from './fuse/fuse-clip.js';
import { fuseConcats } from './fuse/fuse-concats.js';
import { fuseConsecutiveAffine } from './fuse/fuse-consecutive-affine.js';
import { fuseConvActivation } from './fuse/fuse-conv-activation.js';
import { fuseEinsum } from './fuse/fuse-einsum.js';
import { fuseEmbedLayerNormalization } from './fuse/fuse-embed-layer-normalization.js';
import { fuseExpands } from './fuse/fuse-expands.js';
import { fuseGatherViews } from './fuse/fuse-gather-views.js';
import { fuseGathers } from './fuse/fuse-gathers.js';
import { fuseGelu } from './fuse/fuse-gelu.js';
import { fuseGeluOrt } from './fuse/fuse-gelu-ort.js';
import { fuseGemmActivation } from './fuse/fuse-gemm-activation.js';
import { fuseGlobalPools } from './fuse/fuse-global-pools.js';
import { fuseGroupNormalization } from './fuse/fuse-group-normalization.js';
import { fuseHardSwish } from './fuse/fuse-hard-swish.js';
import { fuseHeadsIntoAttention } from './fuse/fuse-heads-into-attention.js';
import { fuseInstanceNormalization } from './fuse/fuse-instance-normalization.js';
import { fuseIntoFusedMatmul } from './fuse/fuse-into-fused-matmul.js';
import { fuseLayerNormalization } from './fuse/fuse-layer-normalization.js';
import { fuseLeakyRelu } from './fuse/fuse-leaky-relu.js';
import { fuseLogSoftmax } from './fuse/fuse-log-softmax.js';
import { fuseMatmulAdd } from './fuse/fuse-matmul-add.js';
import { fuseMatmulScale } from './fuse/fuse-matmul-scale.js';
import { fuseMatmulTranspose } from './fuse/fuse-matmul-transpose.js';
import { fuseMatmulViews } from './fuse/fuse-matmul-views.js';
import { fuseMinMax } from './fuse/fuse-min-max.js';
import { fuseMish } from './fuse/fuse-mish.js';
import { fuseMultiHeadAttention } from './fuse/fuse-multi-head-attention.js';
import { fuseNot } from './fuse/fuse-not.js';
import { fusePadIntoConv } from './fuse/fuse-pad-into-conv.js';
import { fusePadIntoPool } from './fuse/fuse-pad-into-pool.js';
import { fusePads } from './fuse/fuse-pads.js';
import { fuseParallelElementwise } from './fuse/fuse-parallel-elementwise.js';
import { fuseQkvMatmuls } from './fuse/fuse-qkv-matmuls.js';
import { fuseQuickGeluOrt } from './fuse/fuse-quick-gelu-ort.js';
import { fuseReduceViews } from './fuse/fuse-reduce-views.js';
import { fuseReduces } from './fuse/fuse-reduces.js';
import { fuseRmsNormalization } from './fuse/fuse-rms-normalization.js';
import { fuseRotaryEmbedding } from './fuse/fuse-rotary-embedding.js';
import { fuseRotaryEmbeddingOrt } from './fuse/fuse-rotary-embedding-ort.js';
import { fuseScaleIntoGemm } from './fuse/fuse-scale-into-gemm.js';
import { fuseSigns } from './fuse/fuse-signs.js';
import { fuseSkipNormalizationOrt } from './fuse/fuse-skip-normalization-ort.js';
import { fuseSlices } from './fuse/fuse-slices.js';
import { fuseSlicesIntoSplit } from './fuse/fuse-slices-into-split.js';
import { fuseSoftmax } from './fuse/fuse-softmax.js';
import { fuseSoftmaxCasts } from './fuse/fuse-softmax-casts.js';
import { fuseSplits } from './fuse/fuse-splits.js';
import { fuseSwish } from './fuse/fuse-swish.js';
import { fuseTransposeIntoGemm } from './fuse/fuse-transpose-into-gemm.js';
import { fuseTransposes } from './fuse/fuse-transposes.js';
import { fuseViewSandwiches } from './fuse/fuse-view-sandwiches.js';
import { fuseViews } from './fuse/fuse-views.js';
import { fuseWhere } from './fuse/fuse-where.js';
import { sinkTransposes } from './fuse/sink-transposes.js';
import type { OptionRow, PassDefinition } from './pass.js';
import { convertToFloat16 } from './quantize/convert-to-float16.js';
import { quantizeDynamic } from './quantize/quantize-dynamic.js';
import { quantizeStatic } from './quantize/quantize-static.js';
import { initializersNotInputs } from './rewrite/initializers-not-inputs.js';
import { inlineFunctions } from './rewrite/inline-functions.js';
import { makeDynamic } from './rewrite/make-dynamic.js';
import { raiseOpsetForRuntime } from './rewrite/raise-opset-for-runtime.js';
import { resolveCastLike } from './rewrite/resolve-cast-like.js';
import { setDims } from './rewrite/set-dims.js';
import { upgradeOpset } from './rewrite/upgrade-opset.js';

/** What is known of a pass without running it. */
export type PassMetadata = Omit<PassDefinition<object>, 'options' | 'run'> & { readonly options: object };

/** A pass as the registry lists it: what is known of it, and for a rewriting one the way to run it together with others. */
export interface RegisteredPass {
  readonly definition: PassMetadata;
  readonly ready?: (options?: object) => ReadyRewrite;
}

/** The options of a pass as rows, by name. */
export function passOptions({ options }: PassMetadata): ReadonlyMap<string, OptionRow> {
  return new Map(Object.entries(options as Readonly<Record<string, OptionRow>>));
}

/** Every pass of serve-opt, in the order in which they are shown. A pass that is not in this list does not exist. */
export const PASSES: readonly RegisteredPass[] = [
  eliminateDead,
  eliminateIdentity,
  eliminateAddZero,
  foldUniformGather,
  foldAffineIntoGather,
  eliminateCommonSizes,
  eliminateCommonSubexpressions,
  eliminateDropout,
  eliminateDuplicateInitializers,
  eliminateIdempotent,
  eliminateInversePairs,
  eliminateNoOpArithmetic,
  eliminateNoOpCast,
  eliminateNoOpConcat,
  eliminateNoOpExpand,
  eliminateNoOpGather,
  eliminateNoOpPad,
  eliminateNoOpPool,
  eliminateNoOpReshape,
  eliminateNoOpResize,
  eliminateNoOpScatter,
  eliminateNoOpSlice,
  eliminateNoOpSplit,
  eliminateNoOpTranspose,
  eliminateNoOpWhere,
  eliminateSoftmaxBeforeArgMax,
  eliminateSequences,
  eliminateZeroStates,
  liftConstants,
  foldBatchNormalization,
  foldAffineIntoConv,
  foldAffineIntoNext,
  foldAffineIntoNormalization,
  foldCastOfConstantOfShape,
  foldConstants,
  inlineIf,
  unrollLoop,
  foldKnownValues,
  foldReshapeTarget,
  fuseRotaryEmbedding,
  fuseRotaryEmbeddingOrt,
  fuseEmbedLayerNormalization,
  fuseAttentionOrt,
  foldShapePieces,
  fuseHardSwish,
  fuseAttention,
  fuseCacheIntoAttention,
  fuseHeadsIntoAttention,
  fuseLayerNormalization,
  fuseQkvMatmuls,
  fuseMatmulAdd,
  fusePadIntoConv,
  fusePadIntoPool,
  fuseScaleIntoGemm,
  fuseTransposeIntoGemm,
  fuseTransposes,
  fuseViews,
  fuseSlicesIntoSplit,
  fuseParallelElementwise,
  fuseEinsum,
  fuseViewSandwiches,
  fuseMatmulViews,
  sinkTransposes,
  fuseRmsNormalization,
  fuseGelu,
  fuseClip,
  fuseConvActivation,
  fuseGemmActivation,
  fuseIntoFusedMatmul,
  fuseMatmulScale,
  fuseMatmulTranspose,
  fuseMinMax,
  fuseMultiHeadAttention,
  fuseSlices,
  fuseGathers,
  fuseGatherViews,
  fuseConcats,
  fuseSplits,
  fuseCasts,
  fusePads,
  fuseExpands,
  fuseNot,
  fuseWhere,
  fuseReduceViews,
  fuseReduces,
  fuseSigns,
  fuseConsecutiveAffine,
  fuseSwish,
  fuseQuickGeluOrt,
  fuseGeluOrt,
  fuseSkipNormalizationOrt,
  fuseBiasGeluOrt,
  fuseGlobalPools,
  fuseSoftmax,
  fuseLogSoftmax,
  fuseLeakyRelu,
  fuseMish,
  fuseSoftmaxCasts,
  fuseGroupNormalization,
  fuseInstanceNormalization,
  initializersNotInputs,
  inlineFunctions,
  setDims,
  makeDynamic,
  upgradeOpset,
  raiseOpsetForRuntime,
  resolveCastLike,
  quantizeStatic,
  quantizeDynamic,
  convertToFloat16,
];
