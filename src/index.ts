/**
 * The public API of serve-opt. What is not listed here may change in any release.
 *
 * Nothing prints; long calls take `{ signal, onProgress }`; errors are `ServeOptError` with a stable code.
 */

// Statistics of measurements: pure.
export type { Budget, BudgetTest, MetricUnit } from './bench/budgets.js';
export { METRICS, parseBudget } from './bench/budgets.js';
export { medianOfPairedRatios } from './bench/paired-ratio.js';
export { quantileReports } from './bench/quantile-interval.js';
export type { Scenario, ScenarioKind } from './bench/scenario.js';
// Errors.
export type { ErrorCode, ErrorLocation, ExitCode } from './errors.js';
export { ERROR_TABLE, EXIT, ServeOptError } from './errors.js';
// Reports: plain data with a `schemaVersion`.
export type {
  ComparisonResult,
  ComparisonSource,
  MetricComparison,
  MetricName,
  MetricValue,
  OutputDifference,
} from './evaluate/comparison.js';
// What a model is made of.
export type { Attribute, AttributeKind, AttributeValue } from './ir/attribute.js';
export { attribute, floatAttribute, graphAttribute } from './ir/attribute.js';
// What is known of a model without running it.
export type { Change, ModelCensus, ModelDiff } from './ir/diff.js';
export { countModel, diffModels } from './ir/diff.js';
export type { NodeSpec } from './ir/graph.js';
export { Graph } from './ir/graph.js';
export type { ModelSource } from './ir/model.js';
export { Model } from './ir/model.js';
export type { ModelFunction } from './ir/model-function.js';
export { Node } from './ir/node.js';
export type { Problem } from './ir/problem.js';
// Models: read, write, print.
export type { ReadModelOptions } from './ir/read-model.js';
export { parseModelBytes, readModel } from './ir/read-model.js';
export type { ParseOptions } from './ir/text/parse-model.js';
export { parseModel } from './ir/text/parse-model.js';
export type { PrintOptions } from './ir/text/print-model.js';
export { printModel } from './ir/text/print-model.js';
// Passes of your own.
export type {
  Refusal,
  Transform,
  TransformContext,
  TransformReport,
  TransformResult,
  TransformStep,
  TransformStepReport,
} from './ir/transform.js';
export type { Dim, MapType, OpaqueType, SequenceType, Shape, TensorType, ValueType } from './ir/type.js';
export { formatType, tensorType } from './ir/type.js';
export type { Use } from './ir/value.js';
export { Value } from './ir/value.js';
export { verifyModel } from './ir/verify.js';
export { allGraphs, allNodes, constantTensor } from './ir/walk.js';
export type { WriteModelOptions, WrittenModel } from './ir/write-model.js';
export { modelBytes, writeModel } from './ir/write-model.js';
export type { InferenceProblem, InferenceReport } from './ops/infer-types.js';
export { inferTypes } from './ops/infer-types.js';
export { eliminateAddZero } from './passes/eliminate/eliminate-add-zero.js';
export { eliminateCommonSizes } from './passes/eliminate/eliminate-common-sizes.js';
export type { EliminateCommonSubexpressionsOptions } from './passes/eliminate/eliminate-common-subexpressions.js';
export { eliminateCommonSubexpressions } from './passes/eliminate/eliminate-common-subexpressions.js';
// Passes: steps for `model.transform(…)`.
export { eliminateDead } from './passes/eliminate/eliminate-dead.js';
export { eliminateDropout } from './passes/eliminate/eliminate-dropout.js';
export { eliminateDuplicateInitializers } from './passes/eliminate/eliminate-duplicate-initializers.js';
export { eliminateIdempotent } from './passes/eliminate/eliminate-idempotent.js';
export { eliminateIdentity } from './passes/eliminate/eliminate-identity.js';
export { eliminateInversePairs } from './passes/eliminate/eliminate-inverse-pairs.js';
export { eliminateNoOpArithmetic } from './passes/eliminate/eliminate-no-op-arithmetic.js';
export { eliminateNoOpCast } from './passes/eliminate/eliminate-no-op-cast.js';
export { eliminateNoOpConcat } from './passes/eliminate/eliminate-no-op-concat.js';
export { eliminateNoOpExpand } from './passes/eliminate/eliminate-no-op-expand.js';
export { eliminateNoOpGather } from './passes/eliminate/eliminate-no-op-gather.js';
export { eliminateNoOpPad } from './passes/eliminate/eliminate-no-op-pad.js';
export { eliminateNoOpPool } from './passes/eliminate/eliminate-no-op-pool.js';
export { eliminateNoOpReshape } from './passes/eliminate/eliminate-no-op-reshape.js';
export { eliminateNoOpResize } from './passes/eliminate/eliminate-no-op-resize.js';
export { eliminateNoOpScatter } from './passes/eliminate/eliminate-no-op-scatter.js';
export { eliminateNoOpSlice } from './passes/eliminate/eliminate-no-op-slice.js';
export { eliminateNoOpSplit } from './passes/eliminate/eliminate-no-op-split.js';
export { eliminateNoOpTranspose } from './passes/eliminate/eliminate-no-op-transpose.js';
export { eliminateNoOpWhere } from './passes/eliminate/eliminate-no-op-where.js';
export { eliminateSequences } from './passes/eliminate/eliminate-sequences.js';
export { eliminateSoftmaxBeforeArgMax } from './passes/eliminate/eliminate-softmax-before-arg-max.js';
export { eliminateZeroStates } from './passes/eliminate/eliminate-zero-states.js';
export { liftConstants } from './passes/eliminate/lift-constants.js';
export type {
  ConstantEvaluator,
  Match,
  Rewrite,
  RewriteContext,
  RewriteDefinition,
  RewritePassFactory,
  RewriteRules,
  RewriteTarget,
  SweepContext,
} from './passes/engine/rewrite.js';
export { defineRewrite } from './passes/engine/rewrite.js';
export type { AppliedRewrite, NearMiss, RewriteOutcome, RewrittenNode } from './passes/engine/run-rewrites.js';
export { foldAffineIntoConv } from './passes/fold/fold-affine-into-conv.js';
export { foldAffineIntoGather } from './passes/fold/fold-affine-into-gather.js';
export { foldAffineIntoNext } from './passes/fold/fold-affine-into-next.js';
export { foldAffineIntoNormalization } from './passes/fold/fold-affine-into-normalization.js';
export { foldBatchNormalization } from './passes/fold/fold-batch-normalization.js';
export { foldCastOfConstantOfShape } from './passes/fold/fold-cast-of-constant-of-shape.js';
export { foldConstants } from './passes/fold/fold-constants.js';
export { foldKnownValues } from './passes/fold/fold-known-values.js';
export { foldReshapeTarget } from './passes/fold/fold-reshape-target.js';
export { foldShapePieces } from './passes/fold/fold-shape-pieces.js';
export { foldUniformGather } from './passes/fold/fold-uniform-gather.js';
export { inlineIf } from './passes/fold/inline-if.js';
export type { UnrollLoopOptions } from './passes/fold/unroll-loop.js';
export { unrollLoop } from './passes/fold/unroll-loop.js';
export { fuseAttention } from './passes/fuse/fuse-attention.js';
export { fuseAttentionOrt } from './passes/fuse/fuse-attention-ort.js';
export { fuseBiasGeluOrt } from './passes/fuse/fuse-bias-gelu-ort.js';
export { fuseCacheIntoAttention } from './passes/fuse/fuse-cache-into-attention.js';
export { fuseCasts } from './passes/fuse/fuse-casts.js';
export { fuseClip } from './passes/fuse/fuse-clip.js';
export { fuseConcats } from './passes/fuse/fuse-concats.js';
export { fuseConsecutiveAffine } from './passes/fuse/fuse-consecutive-affine.js';
export { fuseConvActivation } from './passes/fuse/fuse-conv-activation.js';
export { fuseEinsum } from './passes/fuse/fuse-einsum.js';
export { fuseEmbedLayerNormalization } from './passes/fuse/fuse-embed-layer-normalization.js';
export { fuseExpands } from './passes/fuse/fuse-expands.js';
export { fuseGatherViews } from './passes/fuse/fuse-gather-views.js';
export { fuseGathers } from './passes/fuse/fuse-gathers.js';
export { fuseGelu } from './passes/fuse/fuse-gelu.js';
export { fuseGeluOrt } from './passes/fuse/fuse-gelu-ort.js';
export { fuseGemmActivation } from './passes/fuse/fuse-gemm-activation.js';
export { fuseGlobalPools } from './passes/fuse/fuse-global-pools.js';
export { fuseGroupNormalization } from './passes/fuse/fuse-group-normalization.js';
export { fuseHardSwish } from './passes/fuse/fuse-hard-swish.js';
export { fuseHeadsIntoAttention } from './passes/fuse/fuse-heads-into-attention.js';
export { fuseInstanceNormalization } from './passes/fuse/fuse-instance-normalization.js';
export { fuseIntoFusedMatmul } from './passes/fuse/fuse-into-fused-matmul.js';
export { fuseLayerNormalization } from './passes/fuse/fuse-layer-normalization.js';
export { fuseLeakyRelu } from './passes/fuse/fuse-leaky-relu.js';
export { fuseLogSoftmax } from './passes/fuse/fuse-log-softmax.js';
export { fuseMatmulAdd } from './passes/fuse/fuse-matmul-add.js';
export { fuseMatmulScale } from './passes/fuse/fuse-matmul-scale.js';
export { fuseMatmulTranspose } from './passes/fuse/fuse-matmul-transpose.js';
export { fuseMatmulViews } from './passes/fuse/fuse-matmul-views.js';
export { fuseMinMax } from './passes/fuse/fuse-min-max.js';
export { fuseMish } from './passes/fuse/fuse-mish.js';
export { fuseMultiHeadAttention } from './passes/fuse/fuse-multi-head-attention.js';
export { fuseNot } from './passes/fuse/fuse-not.js';
export { fusePadIntoConv } from './passes/fuse/fuse-pad-into-conv.js';
export { fusePadIntoPool } from './passes/fuse/fuse-pad-into-pool.js';
export { fusePads } from './passes/fuse/fuse-pads.js';
export { fuseParallelElementwise } from './passes/fuse/fuse-parallel-elementwise.js';
export { fuseQkvMatmuls } from './passes/fuse/fuse-qkv-matmuls.js';
export { fuseQuickGeluOrt } from './passes/fuse/fuse-quick-gelu-ort.js';
export { fuseReduceViews } from './passes/fuse/fuse-reduce-views.js';
export { fuseReduces } from './passes/fuse/fuse-reduces.js';
export { fuseRmsNormalization } from './passes/fuse/fuse-rms-normalization.js';
export { fuseRotaryEmbedding } from './passes/fuse/fuse-rotary-embedding.js';
export { fuseRotaryEmbeddingOrt } from './passes/fuse/fuse-rotary-embedding-ort.js';
export { fuseScaleIntoGemm } from './passes/fuse/fuse-scale-into-gemm.js';
export { fuseSigns } from './passes/fuse/fuse-signs.js';
export type { FuseSkipNormalizationOrtOptions } from './passes/fuse/fuse-skip-normalization-ort.js';
export { fuseSkipNormalizationOrt } from './passes/fuse/fuse-skip-normalization-ort.js';
export { fuseSlices } from './passes/fuse/fuse-slices.js';
export { fuseSlicesIntoSplit } from './passes/fuse/fuse-slices-into-split.js';
export type { SoftmaxOptions } from './passes/fuse/fuse-softmax.js';
export { fuseSoftmax } from './passes/fuse/fuse-softmax.js';
export { fuseSoftmaxCasts } from './passes/fuse/fuse-softmax-casts.js';
export { fuseSplits } from './passes/fuse/fuse-splits.js';
export { fuseSwish } from './passes/fuse/fuse-swish.js';
export { fuseTransposeIntoGemm } from './passes/fuse/fuse-transpose-into-gemm.js';
export { fuseTransposes } from './passes/fuse/fuse-transposes.js';
export { fuseViewSandwiches } from './passes/fuse/fuse-view-sandwiches.js';
export { fuseViews } from './passes/fuse/fuse-views.js';
export { fuseWhere } from './passes/fuse/fuse-where.js';
export { sinkTransposes } from './passes/fuse/sink-transposes.js';
export type { OptimizeLevel, OptimizeStage } from './passes/levels.js';
export { OPTIMIZE_LEVELS, OPTIMIZE_STAGES } from './passes/levels.js';
export type { OptimizeGraphOptions, RecipeOptions } from './passes/optimize-graph.js';
export { optimizeGraph, optimizeRecipe } from './passes/optimize-graph.js';
export type { Numerics, OptionRow, OptionTable, PassDefinition, PassFactory, PassGroup } from './passes/pass.js';
export { definePass } from './passes/pass.js';
export type { PresetRow, RecipeRow } from './passes/presets.js';
export { OPTIMIZE_PRESET } from './passes/presets.js';
export type { ConvertToFloat16Options } from './passes/quantize/convert-to-float16.js';
export { convertToFloat16 } from './passes/quantize/convert-to-float16.js';
export type { QuantizeDynamicOptions } from './passes/quantize/quantize-dynamic.js';
export { quantizeDynamic } from './passes/quantize/quantize-dynamic.js';
export type { QuantizeStaticOptions } from './passes/quantize/quantize-static.js';
export { quantizeStatic } from './passes/quantize/quantize-static.js';
export type { PassMetadata } from './passes/registry.js';
export { PASSES } from './passes/registry.js';
export { initializersNotInputs } from './passes/rewrite/initializers-not-inputs.js';
export { inlineFunctions } from './passes/rewrite/inline-functions.js';
export type { MakeDynamicOptions } from './passes/rewrite/make-dynamic.js';
export { makeDynamic } from './passes/rewrite/make-dynamic.js';
export { raiseOpsetForRuntime } from './passes/rewrite/raise-opset-for-runtime.js';
export { resolveCastLike } from './passes/rewrite/resolve-cast-like.js';
export type { SetDimsOptions } from './passes/rewrite/set-dims.js';
export { setDims } from './passes/rewrite/set-dims.js';
export type { UpgradeOpsetOptions } from './passes/rewrite/upgrade-opset.js';
export { upgradeOpset } from './passes/rewrite/upgrade-opset.js';
// Measuring: these start ONNX Runtime in a process of its own.
export type { RangeMap, ValueRange } from './quantize/observers.js';
export type { BenchReport, BudgetReport, ColdStartReport, ConfigurationReport } from './report/bench-types.js';
export type { BenchVerdict, LatencyReport, QuantileReport, RegressionReport } from './bench/results.js';
export type { EnvironmentReport } from './runtime/environment.js';
export type { ProfileReport } from './runtime/profile.js';
// Reports as pages and for CI.
export { githubAnnotations, githubOutputs } from './report/ci/github.js';
export { junitXml } from './report/ci/junit.js';
export { markdownReport } from './report/ci/markdown.js';
export { benchHtml } from './report/html/bench-html.js';
export { compareHtml } from './report/html/compare-html.js';
export { optimizeHtml } from './report/html/optimize-html.js';
export { quantizeHtml } from './report/html/quantize-html.js';
export type { CalibrationReport, CompareReport, DroppedRewriteReport, FloatLayerReport, InspectReport, LayerReport, OpCount, OptimizeReport, OptimizeVerification, PassReport, QuantizeReport, ReportFile, ReportHeader, ReportModel, ReportValue, SlowPassReport, StepReport, VerificationReport } from './report/types.js';
export type { LatencyComparison } from './bench/results.js';
export { REPORT_SCHEMA_VERSION } from './report/types.js';
export type { DataTypeCode } from './tensor/dtype.js';
export { DataType, dataTypeFromName, dataTypeName } from './tensor/dtype.js';
export type { TensorBytes } from './tensor/tensor.js';
export { Tensor } from './tensor/tensor.js';
export { packageVersion } from './version.js';
// Whole commands, from file to file: what `serve-opt quantize`, `inspect`, `compare` and `bench` do.
export { benchModels } from './workflows/bench/bench-models.js';
export type { BenchServerHooks, BenchServerOptions } from './workflows/bench-server/open-server-bench.js';
export { benchServer } from './workflows/bench-server.js';
export type { CalibrateOptions, Calibration } from './workflows/calibrate.js';
export { calibrate } from './workflows/calibrate.js';
export type { ComparePairOptions } from './workflows/compare.js';
export { compare } from './workflows/compare.js';
export { compareModels } from './workflows/compare-models.js';
export { inspectModel } from './workflows/inspect-model.js';
export type { RecipeDocument, RecipeStep } from './workflows/optimize/recipe.js';
export { parseRecipe, recipeDocument } from './workflows/optimize/recipe.js';
export { optimizeModel } from './workflows/optimize-model.js';
export type {
  BenchOptions,
  CompareOptions,
  ExecutionOptions,
  Growth,
  InspectOptions,
  MemoryOptions,
  OptimizeOptions,
  ProgressEvent,
  QuantizeMode,
  QuantizeOptions,
  QuantizeTarget,
  SourceOptions,
  WorkflowContext,
} from './workflows/options.js';
export { BENCH_DEFAULTS, COMPARE_DEFAULTS, OPTIMIZE_DEFAULTS, QUANTIZE_DEFAULTS } from './workflows/options.js';
export { quantizeModel } from './workflows/quantize-model.js';
