/**
 * The public API of serve-opt. What is not listed here may change in any release.
 *
 * Nothing prints. Long calls take their options and then a context `{ signal, onProgress }`, both optional; defaults are
 * exported. Errors are `ServeOptError` with a stable code. Passes are exported from `serve-opt/passes`.
 */

// Models: read, write, close, print.

export type { ExternalFilesOptions } from './codec/external-data.js';
export { parseModelBytes, type ReadModelOptions, readModel } from './ir/read-model.js';
export { type ParseOptions, parseModel } from './ir/text/parse-model.js';
export type { ExternalDataResolver } from './ir/text/parse-tensor.js';
export { type PrintOptions, printModel } from './ir/text/print-model.js';
export type { WriteContext, WriteModelOptions, WrittenModel } from './ir/write-model.js';
export { modelBytes, WRITE_DEFAULTS, writeModel } from './ir/write-model.js';

// What a model is made of.

export type { Attribute, AttributeKind, AttributeValue, Int64 } from './ir/attribute.js';
export { ATTRIBUTE_TYPE, attribute, floatAttribute, graphAttribute } from './ir/attribute.js';
export type { EditObserver } from './ir/edit-observer.js';
export { Graph, type NodeSpec } from './ir/graph.js';
export { Model, type ModelSource } from './ir/model.js';
export type { ModelFunction } from './ir/model-function.js';
export { type HeldGraph, Node } from './ir/node.js';
export type { NodeList } from './ir/node-list.js';
export type { Dim, MapType, OpaqueType, SequenceType, Shape, TensorType, ValueType } from './ir/type.js';
export { formatType, tensorType } from './ir/type.js';
export { type Use, Value } from './ir/value.js';
export { allGraphs, allNodes, constantTensor } from './ir/walk.js';
export { DataType, type DataTypeCode, dataTypeFromName, dataTypeName } from './tensor/dtype.js';
export { Tensor, type TensorBytes } from './tensor/tensor.js';

// What is known of a model without running it.

export { type Change, countModel, diffModels, type ModelCensus, type ModelDiff } from './ir/diff.js';
export type { Problem } from './ir/problem.js';
export { verifyModel } from './ir/verify.js';
export type { Elements } from './ops/infer/elements.js';
export { type InferenceProblem, type InferenceReport, inferTypes } from './ops/infer-types.js';

// Commands: what `serve-opt inspect`, `quantize`, `optimize` and `bench` do, from file to file.

export type { PlannedOutput } from './codec/output-target.js';
export {
  PLACE_ROWS,
  type PlaceName,
  type PlaceRow,
  QUANTIZED_FORMATS,
  type QuantizedFormat,
} from './quantize/place-names.js';
export {
  ACTIVATION_TYPES,
  type ActivationChoice,
  type SchemeChoicesOfModel,
  type SchemeOverride,
  WEIGHT_GRANULARITIES,
  WEIGHT_TYPES,
  type WeightChoice,
} from './quantize/scheme-choices.js';
export type { CheckpointLayerReport, CheckpointLeftReport, CheckpointReport } from './report/checkpoint-types.js';
export type { ValueSpec } from './samples/types.js';
export type { TensorFlowFormat } from './serving/tensorflow-serving.js';
export type { Autoscaler, KubernetesServer, Router, TokenMode } from './targets/kubernetes/options.js';
export { AUTOSCALERS, KUBERNETES_SERVERS, ROUTERS, TOKEN_MODES } from './targets/kubernetes/options.js';
export { CHECKPOINT_MODES, type CheckpointFormat, type CheckpointMode } from './targets/vllm/checkpoint-schemes.js';
export { benchModels } from './workflows/bench/bench-models.js';
export type { BenchServerContext, BenchServerOptions } from './workflows/bench-server/open-server-bench.js';
export { BENCH_SERVER_DEFAULTS } from './workflows/bench-server/open-server-bench.js';
export { benchServer } from './workflows/bench-server.js';
export type { CheckpointOptions } from './workflows/checkpoint/checkpoint-work.js';
export { quantizeCheckpoint } from './workflows/checkpoint/quantize-checkpoint.js';
export { inspectModel } from './workflows/inspect-model.js';
export { optimizeModel } from './workflows/optimize-model.js';
export type {
  BenchOptions,
  BudgetOptions,
  ExecutionOptions,
  FileOptions,
  Growth,
  InspectOptions,
  JudgedRunOptions,
  JudgingOptions,
  LatencyTarget,
  MemoryOptions,
  ModelOptions,
  OptimizeOptions,
  ProgressEvent,
  PruneAllocation,
  PruneMethod,
  PruneOptions,
  QuantizeMode,
  QuantizeOptions,
  QuantizePlace,
  RefusalOptions,
  RunFiles,
  SensitivityOptions,
  SourceOptions,
  WorkflowContext,
} from './workflows/options.js';
export {
  BENCH_DEFAULTS,
  OPTIMIZE_DEFAULTS,
  PRUNE_ALLOCATIONS,
  PRUNE_DEFAULTS,
  PRUNE_METHODS,
  QUANTIZE_DEFAULTS,
  QUANTIZE_MODES,
  QUANTIZE_PLACES,
} from './workflows/options.js';
export { checkPackage } from './workflows/package/check/check-package.js';
export type { PackageKubernetesOptions } from './workflows/package/kubernetes/kubernetes-options.js';
export { PACKAGE_KUBERNETES_DEFAULTS } from './workflows/package/kubernetes/kubernetes-options.js';
export { type PackagedKubernetes, packageKubernetes } from './workflows/package/kubernetes/package-kubernetes.js';
export { verifyPackage } from './workflows/package/verify/verify-package.js';
export { VERIFY_PACKAGE_DEFAULTS, type VerifyPackageOptions } from './workflows/package/verify/verify-run.js';
export { pruneModel } from './workflows/prune-model.js';
export { quantizeModel } from './workflows/quantize-model.js';
export type { RepairEffort } from './workflows/repair-effort.js';
export { REPAIR_EFFORTS } from './workflows/repair-effort.js';
export type { SchemeOptions } from './workflows/scheme-options.js';
export { sensitivity } from './workflows/sensitivity.js';
export { benchEngine } from './workflows/tensorrt/bench-engine.js';
export { buildEngine } from './workflows/tensorrt/build-engine.js';
export { planEngine } from './workflows/tensorrt/plan-engine.js';
export type {
  BenchEngineOptions,
  DimRange,
  DimRanges,
  EngineMeasureOptions,
  TensorRtOptions,
  TrtexecOptions,
} from './workflows/tensorrt/tensorrt-options.js';
export { ENGINE_DEFAULTS } from './workflows/tensorrt/tensorrt-options.js';
export {
  WEIGHT_METHODS,
  WEIGHT_MODES,
  type WeightMethod,
  type WeightMode,
  type WeightOnlyChoices,
} from './workflows/weight-only-options.js';

// Data.

export type { ReadingReport } from './report/reading-types.js';
export type { DataReading } from './samples/data-reading.js';
export type { ImageColor, ImageOptions, ResizeKernel, ResizeMethod } from './samples/images/image-options.js';
export { IMAGE_COLORS, RESIZE_KERNELS, RESIZE_METHODS } from './samples/images/image-options.js';
export type { RecipeFlag } from './samples/images/parse-image-options.js';
export { parseImageRecipe } from './samples/images/parse-image-options.js';
export type { DecoderConfig } from './samples/tokens/decoder-config.js';
export type { TokenRole } from './samples/tokens/token-role.js';
export type { ReadingOptions } from './workflows/reading-options.js';

// Packages for servers.

export type { DiffLine } from './report/line-diff.js';
export type { MarReport } from './report/mar-types.js';
export type { PackagedFile, PackageReport } from './report/package-types.js';
export type { EntryChange, TritonReport } from './report/triton-types.js';
export type {
  MarDevice,
  MarFormat,
  MarOptions,
  PreprocessKind,
  TextOptions,
} from './targets/mar/mar-options.js';
export {
  MAR_DEFAULTS,
  MAR_DEVICES,
  MAR_FORMATS,
  PREPROCESS_KINDS,
} from './targets/mar/mar-options.js';
export type {
  Accelerator,
  GraphOptimization,
  Priorities,
  QueueTimeout,
  SequenceStrategy,
  ServingOptions,
  TritonDevice,
  VersionPolicy,
} from './targets/triton/triton-options.js';
export { GRAPH_OPTIMIZATIONS, SEQUENCE_STRATEGIES, TENSORRT_PRECISIONS } from './targets/triton/triton-options.js';
export { checkMar } from './workflows/package/check-mar.js';
export { type PackageMarOptions, packageMar } from './workflows/package/package-mar.js';
export { packageTriton, packageTritonEnsemble } from './workflows/package/triton/package-triton.js';
export type {
  PackageEnsembleOptions,
  PackageTritonOptions,
  RepositoryOptions,
} from './workflows/package/triton/triton-package-options.js';
export type { WritePackageOptions } from './workflows/package/write-package.js';

// Pruning of models in memory.

export type { PruneMagnitudeOptions, SparseWeight } from './passes/prune/prune-magnitude.js';
export { PRUNE_MAGNITUDE_DEFAULTS, pruneMagnitude } from './passes/prune/prune-magnitude.js';
export type { CutGroup, PruneStructuredOptions } from './passes/prune/prune-structured.js';
export { PRUNE_STRUCTURED_DEFAULTS, pruneStructured } from './passes/prune/prune-structured.js';
export type { DependencyGroupView, GroupAxis, GroupReader } from './prune/dependency-view.js';
export { dependencyGroups } from './prune/dependency-view.js';
export { type AxisExplanation, explainDependencies } from './prune/explain-dependencies.js';
export type { GroupKind } from './prune/group-kind.js';
export type { AxisRole, DependencyOptions } from './prune/rule-context.js';

// Running models: these start ONNX Runtime in a process of its own.

export type { HistogramData, StatisticsData } from './quantize/observers/index.js';
export { type ObserverName, RANGE_CHOICES, type RangeChoice } from './quantize/observers/observer-names.js';
export type { Granularity, QuantizationScheme, QuantizedTypeName, SchemeChoices } from './quantize/scheme.js';
export { S8_WEIGHTS, S32_BIASES, schemeOf, schemeText, U8_ACTIVATIONS } from './quantize/scheme.js';
export type { RangeMap, ValueRange } from './quantize/value-range.js';
export type { InputPlace, SampleSource, SeedPlan } from './samples/types.js';
export { type Calibration, calibrate } from './workflows/calibrate.js';
export { CALIBRATE_DEFAULTS, type CalibrateOptions } from './workflows/calibrate-options.js';
export { compare } from './workflows/compare.js';
export type {
  DistillInput,
  DistillLogits,
  DistillModels,
  DistillOptions,
  NamePair,
  ScoreForm,
} from './workflows/distill/distill-options.js';
export { DISTILL_DEFAULTS, SCORE_FORMS } from './workflows/distill/distill-options.js';
export { distill } from './workflows/distill.js';
export { COMPARE_DEFAULTS, type CompareOptions } from './workflows/options.js';

// Passes: which there are, how `optimize` puts them together, recipes.

export type { RewriteGate } from './passes/engine/gate.js';
export type { AppliedRewrite, NearMiss, RewriteOutcome, RewrittenNode } from './passes/engine/run-rewrites.js';
export type { AllowedOperators, OptimizeLevel, OptimizeStage } from './passes/levels.js';
export { ALLOWED_OPERATORS, OPTIMIZE_LEVELS, OPTIMIZE_STAGES } from './passes/levels.js';
export type { OptimizeGraphContext, OptimizeGraphOptions, RecipeOptions } from './passes/optimize-graph.js';
export { OPTIMIZE_GRAPH_DEFAULTS, optimizeGraph, optimizeRecipe } from './passes/optimize-graph.js';
export { OPTIMIZE_PRESET, type PresetRow, type RecipeRow } from './passes/presets.js';
export { PASSES, type PassMetadata, type RegisteredPass } from './passes/registry.js';
export { parseRecipe, type RecipeDocument, type RecipeStep, recipeDocument } from './workflows/optimize/recipe.js';

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
export { defineRewrite } from './passes/engine/define-rewrite.js';
export type {
  ConstantEvaluator,
  Match,
  ReadyRewrite,
  Rewrite,
  RewriteContext,
  RewriteDefinition,
  RewritePassFactory,
  RewriteRules,
  SweepContext,
} from './passes/engine/rewrite.js';
export type { Numerics, OptionRow, OptionTable, PassDefinition, PassFactory, PassGroup } from './passes/pass.js';
export { definePass } from './passes/pass.js';

// Reports: plain data with a `schemaVersion`.

export type {
  BenchVerdict,
  EstimateReport,
  LatencyComparison,
  LatencyReport,
  QuantileReport,
  RegressionReport,
  SegmentReport,
} from './bench/results.js';
export type { Accumulator } from './evaluate/accumulator.js';
export type { LostClass } from './evaluate/agreement.js';
export type { ChangedAnswer, ChangedAnswers } from './evaluate/changed-answers.js';
export type {
  ComparisonResult,
  ComparisonSource,
  ConstantChannels,
  MetricComparison,
  MetricName,
  MetricValue,
  OutputDifference,
  OutputMeasure,
  WorstChannel,
} from './evaluate/comparison.js';
export type { Interval } from './evaluate/distill/bootstrap.js';
export type { ReliabilityBin, ReliabilityResult } from './evaluate/distill/calibration.js';
export type {
  ClassCountsResult,
  ClassDelta,
  ConfusionCell,
  ConfusionTable,
  F1Scores,
} from './evaluate/distill/class-counts.js';
export type {
  BootstrapResult,
  ClassesResult,
  FidelityResult,
  FlippedRow,
  HeatResult,
  LabelledResult,
  QualityResult,
} from './evaluate/distill/class-result.js';
export type { AgreementResult, ConfidenceDecile } from './evaluate/distill/confidence-deciles.js';
export { CONVENTION_NAMES, type Convention, type ConventionLoss } from './evaluate/distill/conventions.js';
export type { SequenceQuality, SequencesResult } from './evaluate/distill/decoded-sequences.js';
export type {
  CtcResult,
  DistillEvaluation,
  DistillKind,
  EmbeddingResult,
  FeatureTerms,
} from './evaluate/distill/distill-result.js';
export { DISTILL_KINDS } from './evaluate/distill/distill-result.js';
export type { AttentionErrors, AttentionTransfer, FeatureErrors } from './evaluate/distill/feature-pairs.js';
export type { SimilarityResult } from './evaluate/distill/feature-similarity.js';
export type { LabelHeat, LabelQuality, MultiLabelResult } from './evaluate/distill/multi-label.js';
export type { RegressionResult, ValueErrors, ValueLoss } from './evaluate/distill/regression.js';
export type { RidgeResult } from './evaluate/distill/ridge-projection.js';
export type { RelationsResult } from './evaluate/distill/sample-relations.js';
export type { Bounds, TopKLoss, TopKQuality, TopKResult } from './evaluate/distill/top-k-pairs.js';
export type { OutputAgreement, WorstError } from './evaluate/equality.js';
export type { FlipsResult } from './evaluate/flips.js';
export type { Proportion } from './evaluate/proportion.js';
export type { Divergence } from './evaluate/score-divergence.js';
export type { SequenceFigures } from './evaluate/sequence-agreement.js';
export { UNIT_SCORES, type UnitScore } from './prune/score-names.js';
export type {
  BenchReport,
  ColdStart,
  ColdStartReport,
  ConfigurationReport,
  MemoryReport,
  NoiseReport,
} from './report/bench-types.js';
export type { ConfirmedForm } from './report/confirmed-form.js';
export type {
  CostLatency,
  DistillCost,
  DistillReport,
  DistillStudent,
  DistillSubject,
} from './report/distill-types.js';
export type { KubernetesPackageReport } from './report/kubernetes-types.js';
export type { ModelReport } from './report/model-report.js';
export type {
  FindingSeverity,
  PackageCheckReport,
  PackageFinding,
  PackageKind,
} from './report/package-check-types.js';
export type { PackageVerifyReport, VerifiedModel, VerifiedWire } from './report/package-verify-types.js';
export type {
  CutCheckReport,
  DroppedBlockReport,
  OutsideLayerReport,
  PruneAttemptReport,
  PruneCost,
  PrunedGroupReport,
  PruneReport,
  RepairReport,
  SparseWeightReport,
  WholeAxisReport,
} from './report/prune-types.js';
export type { LayerErrorReport, QuantizeRepairReport, RepairStepReport } from './report/repair-types.js';
export type {
  AlternativeReport,
  SearchReport,
  SearchStepReport,
  SensitivityLayerReport,
} from './report/search-types.js';
export type { SensitivityReport } from './report/sensitivity-types.js';
export type { LayerSparsityReport, SparseRuntimeReport, SparsityReport } from './report/sparsity-types.js';
export type {
  EngineLayer,
  EngineProfile,
  EngineTensor,
  ProfileShape,
  TensorRtConditions,
  TensorRtConversion,
  TensorRtConversionMode,
  TensorRtDevice,
  TensorRtPlanReport,
  TensorRtPrecision,
  TensorRtReport,
  TensorRtSpan,
  TensorRtSummary,
} from './report/tensorrt-types.js';
export type {
  CalibrationReport,
  CompareReport,
  DroppedRewriteReport,
  FloatLayerReport,
  InspectReport,
  LayerReport,
  ObservedRangeReport,
  OpCount,
  OptimizeReport,
  PassReport,
  ProblemReport,
  QuantizeReport,
  RangeChooser,
  ReportFile,
  ReportHeader,
  ReportModel,
  ReportValue,
  SlowPassReport,
  StepReport,
  SyntheticInputsReport,
  TriedRangesReport,
  VerificationReport,
} from './report/types.js';
export { REPORT_SCHEMA_VERSION } from './report/types.js';
export type {
  AccuracyLevelReport,
  MixedBitsReport,
  QuantizedWeightReport,
  RaisedWeightReport,
  ScaledGroupReport,
  TriedWeightsReport,
  WeightOnlyMode,
  WeightOnlyReport,
} from './report/weight-only-types.js';
export type { EnvironmentReport } from './runtime/environment.js';
export type { NodeTime, OperatorTime, ProfileReport, ProviderUse } from './runtime/profile.js';
export { packageVersion } from './version.js';

// Reports as pages and for CI.

export { engineJunit, engineMarkdown } from './report/ci/engine-formats.js';
export { githubAnnotations, githubOutputs } from './report/ci/github.js';
export { junitXml } from './report/ci/junit.js';
export { markdownReport } from './report/ci/markdown.js';
export { benchHtml } from './report/html/bench-html.js';
export { compareHtml } from './report/html/compare-html.js';
export { distillHtml } from './report/html/distill-html.js';
export { optimizeHtml } from './report/html/optimize-html.js';
export { pruneHtml } from './report/html/prune-html.js';
export { quantizeHtml } from './report/html/quantize-html.js';
export { sensitivityHtml } from './report/html/sensitivity-html.js';
export { tensorRtHtml } from './report/html/tensorrt-html.js';

// Budgets: the grammar of `--budget`, and what they come to.

export type { BudgetReport } from './gates/budget-report.js';
export { type BudgetTest, type GateCommand, METRICS } from './gates/metrics.js';
export { type Budget, parseBudget } from './gates/parse-budget.js';
export type { SearchGoals } from './gates/search-goals.js';
export type { MetricUnit } from './gates/units.js';

// Statistics of measurements: pure.

export { medianOfPairedRatios, type RatioEstimate } from './bench/paired-ratio.js';
export { quantileReports } from './bench/quantile-interval.js';
export type { ArrivalProcess, Scenario, ScenarioKind } from './bench/scenario.js';
export { ARRIVAL_PROCESSES, SCENARIO_KINDS } from './bench/scenario.js';

// Errors.

export type { ErrorCode, ErrorLocation, ExitCode, ServeOptErrorDetails } from './errors.js';
export { ERROR_TABLE, EXIT, ServeOptError } from './errors.js';
