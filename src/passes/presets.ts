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
import type { OptimizeLevel, OptimizeStage } from './levels.js';
import type { RegisteredPass } from './registry.js';
import { inlineFunctions } from './rewrite/inline-functions.js';
import { raiseOpsetForRuntime } from './rewrite/raise-opset-for-runtime.js';
import { resolveCastLike } from './rewrite/resolve-cast-like.js';

/** A pass in its place among others. */
export interface RecipeRow {
  readonly pass: RegisteredPass;
  readonly stage: OptimizeStage;
  /** Options of the pass; default those of its table. */
  readonly options?: object;
}

export interface PresetRow extends RecipeRow {
  /** The lowest level that has it; undefined for one that runs only where it is asked for by name. */
  readonly level: OptimizeLevel | undefined;
}

/** What `optimize` is made of, in the order in which passes are tried at a node. */
export const OPTIMIZE_PRESET: readonly PresetRow[] = [
  { pass: inlineFunctions, stage: 'prepare', level: undefined },
  { pass: raiseOpsetForRuntime, stage: 'prepare', level: 'standard' },
  // clean: exact, and whatever makes patterns easier to see.
  { pass: eliminateIdentity, stage: 'clean', level: 'basic' },
  { pass: fuseTransposes, stage: 'clean', level: 'basic' },
  { pass: fuseViews, stage: 'clean', level: 'basic' },
  { pass: fuseMinMax, stage: 'clean', level: 'standard' },
  { pass: eliminateAddZero, stage: 'clean', level: 'standard' },
  { pass: eliminateDropout, stage: 'clean', level: 'basic' },
  { pass: eliminateDuplicateInitializers, stage: 'clean', level: 'basic' },
  { pass: eliminateIdempotent, stage: 'clean', level: 'basic' },
  { pass: eliminateInversePairs, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpArithmetic, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpCast, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpConcat, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpExpand, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpGather, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpPad, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpPool, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpReshape, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpResize, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpScatter, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpSlice, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpSplit, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpTranspose, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpWhere, stage: 'clean', level: 'basic' },
  { pass: eliminateZeroStates, stage: 'clean', level: 'basic' },
  { pass: fuseSlices, stage: 'clean', level: 'basic' },
  { pass: fuseGathers, stage: 'clean', level: 'basic' },
  { pass: fuseGatherViews, stage: 'clean', level: 'basic' },
  { pass: fuseConcats, stage: 'clean', level: 'basic' },
  { pass: fuseSplits, stage: 'clean', level: 'basic' },
  { pass: fuseCasts, stage: 'clean', level: 'basic' },
  { pass: fusePads, stage: 'clean', level: 'basic' },
  { pass: fuseExpands, stage: 'clean', level: 'basic' },
  { pass: fuseNot, stage: 'clean', level: 'basic' },
  { pass: fuseWhere, stage: 'clean', level: 'basic' },
  { pass: fuseReduceViews, stage: 'clean', level: 'basic' },
  { pass: eliminateSoftmaxBeforeArgMax, stage: 'clean', level: 'max' },
  { pass: eliminateSequences, stage: 'clean', level: 'basic' },
  { pass: fuseViewSandwiches, stage: 'clean', level: 'basic' },
  { pass: fuseMatmulViews, stage: 'clean', level: 'standard' },
  { pass: fuseEinsum, stage: 'clean', level: 'standard' },
  { pass: liftConstants, stage: 'clean', level: 'basic' },
  { pass: foldKnownValues, stage: 'clean', level: 'basic' },
  { pass: foldReshapeTarget, stage: 'clean', level: 'basic' },
  { pass: foldUniformGather, stage: 'clean', level: 'basic' },
  { pass: foldAffineIntoGather, stage: 'clean', level: 'basic' },
  { pass: foldShapePieces, stage: 'clean', level: 'basic' },
  { pass: eliminateCommonSizes, stage: 'clean', level: 'basic' },
  { pass: eliminateCommonSubexpressions, stage: 'clean', level: 'basic', options: { heavy: false } },
  { pass: eliminateDead, stage: 'clean', level: 'basic' },
  { pass: resolveCastLike, stage: 'clean', level: 'basic' },
  { pass: foldCastOfConstantOfShape, stage: 'clean', level: 'basic' },
  { pass: foldConstants, stage: 'clean', level: 'basic' },
  { pass: inlineIf, stage: 'clean', level: 'basic' },
  { pass: unrollLoop, stage: 'clean', level: 'max' },
  // patterns: several nodes that are one operator of the specification.
  { pass: fuseRotaryEmbedding, stage: 'patterns', level: 'standard' },
  { pass: fuseRotaryEmbeddingOrt, stage: 'patterns', level: 'standard' },
  { pass: fuseEmbedLayerNormalization, stage: 'patterns', level: 'standard' },
  { pass: fuseAttentionOrt, stage: 'patterns', level: 'standard' },
  { pass: fuseMultiHeadAttention, stage: 'patterns', level: 'standard' },
  // Before the layer normalization, which would take the same nodes and leave scale and bias.
  { pass: fuseInstanceNormalization, stage: 'patterns', level: 'standard' },
  { pass: fuseAttention, stage: 'patterns', level: 'standard' },
  { pass: fuseCacheIntoAttention, stage: 'patterns', level: 'standard' },
  { pass: fuseHeadsIntoAttention, stage: 'patterns', level: 'standard' },
  { pass: fuseLayerNormalization, stage: 'patterns', level: 'standard' },
  // merge: multiplications and additions of constants go into the weights beside them.
  { pass: foldBatchNormalization, stage: 'merge', level: 'standard' },
  { pass: foldAffineIntoConv, stage: 'merge', level: 'standard' },
  // patterns: several nodes that are one operator of the specification.
  { pass: fuseRmsNormalization, stage: 'patterns', level: 'standard' },
  { pass: fuseGelu, stage: 'patterns', level: 'standard' },
  { pass: fuseGeluOrt, stage: 'patterns', level: 'standard' },
  { pass: fuseClip, stage: 'patterns', level: 'standard' },
  { pass: fuseHardSwish, stage: 'patterns', level: 'standard' },
  { pass: fuseLeakyRelu, stage: 'patterns', level: 'standard' },
  { pass: fuseMish, stage: 'patterns', level: 'standard' },
  // ONNX Runtime 1.30 runs Swish at opset 24 and no other, so only where it is asked for.
  { pass: fuseSwish, stage: 'patterns', level: undefined },
  { pass: fuseQuickGeluOrt, stage: 'patterns', level: 'standard' },
  { pass: fuseSoftmax, stage: 'patterns', level: 'standard' },
  { pass: fuseSoftmax, stage: 'patterns', level: 'max', options: { anyAxis: true } },
  { pass: fuseLogSoftmax, stage: 'patterns', level: 'standard' },
  { pass: fuseSoftmaxCasts, stage: 'patterns', level: 'max' },
  { pass: fuseGroupNormalization, stage: 'patterns', level: 'max' },
  { pass: fuseLogSoftmax, stage: 'patterns', level: 'max', options: { anyAxis: true } },
  { pass: foldAffineIntoNext, stage: 'merge', level: 'standard' },
  { pass: fuseQkvMatmuls, stage: 'merge', level: 'max' },
  { pass: fuseMatmulAdd, stage: 'merge', level: 'standard' },
  { pass: fuseTransposeIntoGemm, stage: 'merge', level: 'standard' },
  { pass: fuseScaleIntoGemm, stage: 'merge', level: 'standard' },
  { pass: fusePadIntoConv, stage: 'merge', level: 'standard' },
  { pass: fusePadIntoPool, stage: 'merge', level: 'standard' },
  { pass: fuseIntoFusedMatmul, stage: 'merge', level: 'standard' },
  { pass: fuseReduces, stage: 'merge', level: 'standard' },
  { pass: fuseSigns, stage: 'merge', level: 'basic' },
  { pass: fuseGlobalPools, stage: 'merge', level: 'max' },
  { pass: sinkTransposes, stage: 'merge', level: 'standard' },
  { pass: fuseSlicesIntoSplit, stage: 'merge', level: 'basic' },
  { pass: fuseParallelElementwise, stage: 'merge', level: 'standard' },
  // target: what only pays, or only shows, when everything else is in place.
  { pass: eliminateCommonSubexpressions, stage: 'target', level: 'basic' },
  { pass: fuseConvActivation, stage: 'target', level: 'standard' },
  { pass: fuseGemmActivation, stage: 'target', level: 'standard' },
  { pass: fuseMatmulTranspose, stage: 'target', level: 'standard' },
  { pass: fuseMatmulScale, stage: 'target', level: 'standard' },
  // patterns: the larger ones first.
  { pass: foldAffineIntoNormalization, stage: 'merge', level: 'standard' },
  { pass: fuseConsecutiveAffine, stage: 'merge', level: 'standard' },
  { pass: fuseSkipNormalizationOrt, stage: 'target', level: 'standard' },
  { pass: fuseSkipNormalizationOrt, stage: 'target', level: 'max', options: { always: true } },
  { pass: fuseBiasGeluOrt, stage: 'target', level: 'standard' },
];
