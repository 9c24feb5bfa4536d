import {
  eliminateAddZero,
  eliminateCommonSizes,
  eliminateCommonSubexpressions,
  eliminateDead,
  eliminateDropout,
  eliminateDuplicateInitializers,
  eliminateIdempotent,
  eliminateIdentity,
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
  eliminateSequences,
  eliminateSoftmaxBeforeArgMax,
  eliminateZeroStates,
  liftConstants,
} from './eliminate/index.js';
import {
  foldAffineIntoConv,
  foldAffineIntoGather,
  foldAffineIntoNext,
  foldAffineIntoNormalization,
  foldBatchNormalization,
  foldCastOfConstantOfShape,
  foldConstants,
  foldKnownValues,
  foldReshapeTarget,
  foldShapePieces,
  foldUniformGather,
  inlineIf,
  unrollLoop,
} from './fold/index.js';
import {
  fuseBiasGeluOrt,
  fuseClip,
  fuseGelu,
  fuseGeluOrt,
  fuseHardSwish,
  fuseLeakyRelu,
  fuseLogSoftmax,
  fuseMish,
  fuseQuickGeluOrt,
  fuseSoftmax,
  fuseSoftmaxCasts,
  fuseSwish,
} from './fuse/activation/index.js';
import {
  fuseAttention,
  fuseAttentionOrt,
  fuseCacheIntoAttention,
  fuseHeadsIntoAttention,
  fuseMultiHeadAttention,
  fuseQkvMatmuls,
  fuseRotaryEmbedding,
  fuseRotaryEmbeddingOrt,
} from './fuse/attention/index.js';
import { fuseConvActivation, fusePadIntoConv, fusePads } from './fuse/convolution/index.js';
import {
  fuseCasts,
  fuseConsecutiveAffine,
  fuseExpands,
  fuseMinMax,
  fuseNot,
  fuseParallelElementwise,
  fuseReduces,
  fuseSigns,
  fuseWhere,
} from './fuse/elementwise/index.js';
import {
  fuseEinsum,
  fuseGemmActivation,
  fuseIntoFusedMatmul,
  fuseMatmulAdd,
  fuseMatmulScale,
  fuseMatmulTranspose,
  fuseMatmulViews,
  fuseScaleIntoGemm,
  fuseTransposeIntoGemm,
} from './fuse/matmul/index.js';
import {
  fuseEmbedLayerNormalization,
  fuseGroupNormalization,
  fuseInstanceNormalization,
  fuseLayerNormalization,
  fuseRmsNormalization,
  fuseSkipNormalizationOrt,
} from './fuse/normalization/index.js';
import { fuseGlobalPools, fusePadIntoPool } from './fuse/pool/index.js';
import {
  fuseConcats,
  fuseGathers,
  fuseGatherViews,
  fuseReduceViews,
  fuseSlices,
  fuseSlicesIntoSplit,
  fuseSplits,
  fuseTransposes,
  fuseViewSandwiches,
  fuseViews,
  sinkTransposes,
} from './fuse/views/index.js';
import { OPTIMIZE_STAGES, type OptimizeLevel, type OptimizeStage } from './levels.js';
import type { RegisteredPass } from './registry.js';
import { inlineFunctions, raiseOpsetForRuntime, resolveCastLike } from './rewrite/index.js';

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

/** A row of a stage. */
type StageRow = Omit<PresetRow, 'stage'>;

/** What `optimize` is made of: stage by stage as they run, and in each in the order in which passes are tried at a node. */
const STAGES: Readonly<Record<OptimizeStage, readonly StageRow[]>> = {
  // what has to be done once, before anything is searched for.
  prepare: [
    { pass: inlineFunctions, level: undefined },
    { pass: raiseOpsetForRuntime, level: 'standard' },
  ],
  // exact, and whatever makes patterns easier to see; takes part in the stages after it, too.
  clean: [
    { pass: eliminateIdentity, level: 'basic' },
    { pass: fuseTransposes, level: 'basic' },
    { pass: fuseViews, level: 'basic' },
    { pass: fuseMinMax, level: 'standard' },
    { pass: eliminateAddZero, level: 'standard' },
    { pass: eliminateDropout, level: 'basic' },
    { pass: eliminateDuplicateInitializers, level: 'basic' },
    { pass: eliminateIdempotent, level: 'basic' },
    { pass: eliminateInversePairs, level: 'basic' },
    { pass: eliminateNoOpArithmetic, level: 'basic' },
    { pass: eliminateNoOpCast, level: 'basic' },
    { pass: eliminateNoOpConcat, level: 'basic' },
    { pass: eliminateNoOpExpand, level: 'basic' },
    { pass: eliminateNoOpGather, level: 'basic' },
    { pass: eliminateNoOpPad, level: 'basic' },
    { pass: eliminateNoOpPool, level: 'basic' },
    { pass: eliminateNoOpReshape, level: 'basic' },
    { pass: eliminateNoOpResize, level: 'basic' },
    { pass: eliminateNoOpScatter, level: 'basic' },
    { pass: eliminateNoOpSlice, level: 'basic' },
    { pass: eliminateNoOpSplit, level: 'basic' },
    { pass: eliminateNoOpTranspose, level: 'basic' },
    { pass: eliminateNoOpWhere, level: 'basic' },
    { pass: eliminateZeroStates, level: 'basic' },
    { pass: fuseSlices, level: 'basic' },
    { pass: fuseGathers, level: 'basic' },
    { pass: fuseGatherViews, level: 'basic' },
    { pass: fuseConcats, level: 'basic' },
    { pass: fuseSplits, level: 'basic' },
    { pass: fuseCasts, level: 'basic' },
    { pass: fusePads, level: 'basic' },
    { pass: fuseExpands, level: 'basic' },
    { pass: fuseNot, level: 'basic' },
    { pass: fuseWhere, level: 'basic' },
    { pass: fuseReduceViews, level: 'basic' },
    { pass: eliminateSoftmaxBeforeArgMax, level: 'max' },
    { pass: eliminateSequences, level: 'basic' },
    { pass: fuseViewSandwiches, level: 'basic' },
    { pass: fuseMatmulViews, level: 'standard' },
    { pass: fuseEinsum, level: 'standard' },
    { pass: liftConstants, level: 'basic' },
    { pass: foldKnownValues, level: 'basic' },
    { pass: foldReshapeTarget, level: 'basic' },
    { pass: foldUniformGather, level: 'basic' },
    { pass: foldAffineIntoGather, level: 'basic' },
    { pass: foldShapePieces, level: 'basic' },
    { pass: eliminateCommonSizes, level: 'basic' },
    { pass: eliminateCommonSubexpressions, level: 'basic', options: { heavy: false } },
    { pass: eliminateDead, level: 'basic' },
    { pass: resolveCastLike, level: 'basic' },
    { pass: foldCastOfConstantOfShape, level: 'basic' },
    { pass: foldConstants, level: 'basic' },
    { pass: inlineIf, level: 'basic' },
    { pass: unrollLoop, level: 'max' },
  ],
  // several nodes that are one operator: the larger ones first, since a merged pattern is not taken apart again.
  patterns: [
    { pass: fuseRotaryEmbedding, level: 'standard' },
    { pass: fuseRotaryEmbeddingOrt, level: 'standard' },
    { pass: fuseEmbedLayerNormalization, level: 'standard' },
    { pass: fuseAttentionOrt, level: 'standard' },
    { pass: fuseMultiHeadAttention, level: 'standard' },
    // Before the layer normalization, which would take the same nodes and leave scale and bias.
    { pass: fuseInstanceNormalization, level: 'standard' },
    { pass: fuseAttention, level: 'standard' },
    { pass: fuseCacheIntoAttention, level: 'standard' },
    { pass: fuseHeadsIntoAttention, level: 'standard' },
    { pass: fuseLayerNormalization, level: 'standard' },
    { pass: fuseRmsNormalization, level: 'standard' },
    { pass: fuseGelu, level: 'standard' },
    { pass: fuseGeluOrt, level: 'standard' },
    { pass: fuseClip, level: 'standard' },
    { pass: fuseHardSwish, level: 'standard' },
    { pass: fuseLeakyRelu, level: 'standard' },
    { pass: fuseMish, level: 'standard' },
    // ONNX Runtime 1.30 runs Swish at opset 24 and no other, so only where it is asked for.
    { pass: fuseSwish, level: undefined },
    { pass: fuseQuickGeluOrt, level: 'standard' },
    { pass: fuseSoftmax, level: 'standard' },
    { pass: fuseSoftmax, level: 'max', options: { anyAxis: true } },
    { pass: fuseLogSoftmax, level: 'standard' },
    { pass: fuseSoftmaxCasts, level: 'max' },
    // ONNX Runtime 1.30 takes it apart into E[x²] − E[x]², which cancels; so only where it is asked for.
    { pass: fuseGroupNormalization, level: undefined },
    { pass: fuseLogSoftmax, level: 'max', options: { anyAxis: true } },
  ],
  // constants, pads, transposes and signs go into what stands beside them.
  merge: [
    { pass: foldBatchNormalization, level: 'standard' },
    { pass: foldAffineIntoConv, level: 'standard' },
    { pass: foldAffineIntoNext, level: 'standard' },
    { pass: fuseQkvMatmuls, level: 'max' },
    { pass: fuseMatmulAdd, level: 'standard' },
    { pass: fuseTransposeIntoGemm, level: 'standard' },
    { pass: fuseScaleIntoGemm, level: 'standard' },
    { pass: fusePadIntoConv, level: 'standard' },
    { pass: fusePadIntoPool, level: 'standard' },
    { pass: fuseIntoFusedMatmul, level: 'standard' },
    { pass: fuseReduces, level: 'standard' },
    { pass: fuseSigns, level: 'basic' },
    { pass: fuseGlobalPools, level: 'max' },
    { pass: sinkTransposes, level: 'standard' },
    { pass: fuseSlicesIntoSplit, level: 'basic' },
    { pass: fuseParallelElementwise, level: 'standard' },
    { pass: foldAffineIntoNormalization, level: 'standard' },
    { pass: fuseConsecutiveAffine, level: 'standard' },
  ],
  // what only pays, or only shows, when everything else is in place.
  finish: [
    { pass: eliminateCommonSubexpressions, level: 'basic' },
    { pass: fuseConvActivation, level: 'standard' },
    { pass: fuseGemmActivation, level: 'standard' },
    { pass: fuseMatmulTranspose, level: 'standard' },
    { pass: fuseMatmulScale, level: 'standard' },
    { pass: fuseSkipNormalizationOrt, level: 'standard' },
    { pass: fuseSkipNormalizationOrt, level: 'max', options: { always: true } },
    { pass: fuseBiasGeluOrt, level: 'standard' },
  ],
};

/** All rows of all stages, in order. */
export const OPTIMIZE_PRESET: readonly PresetRow[] = OPTIMIZE_STAGES.flatMap((stage) =>
  STAGES[stage].map((row) => ({ ...row, stage })),
);
