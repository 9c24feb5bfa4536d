/**
 * The public API of serve-opt. What is not listed here may change in any release.
 *
 * Nothing prints; long calls take `{ signal, onProgress }`; errors are `ServeOptError` with a stable code.
 */

// Statistics of measurements: pure.
export { medianOfPairedRatios } from './bench/paired-ratio.js';
export { quantileReports } from './bench/quantile-interval.js';
export type {
  BenchVerdict,
  LatencyComparison,
  LatencyReport,
  QuantileReport,
  RegressionReport,
} from './bench/results.js';
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
// Budgets: the grammar of `--budget`, and what they come to.
export type { BudgetReport } from './gates/budget-report.js';
export type { BudgetTest, GateCommand } from './gates/metrics.js';
export { METRICS } from './gates/metrics.js';
export type { Budget } from './gates/parse-budget.js';
export { parseBudget } from './gates/parse-budget.js';
export type { MetricUnit } from './gates/units.js';
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
export { defineRewrite } from './passes/engine/define-rewrite.js';
// Passes: steps for `model.transform(…)`.
export type {
  ConstantEvaluator,
  Match,
  Rewrite,
  RewriteContext,
  RewriteDefinition,
  RewritePassFactory,
  RewriteRules,
  SweepContext,
} from './passes/engine/rewrite.js';
export type { AppliedRewrite, NearMiss, RewriteOutcome, RewrittenNode } from './passes/engine/run-rewrites.js';
export type { AllowedOperators, OptimizeLevel, OptimizeStage } from './passes/levels.js';
export { ALLOWED_OPERATORS, OPTIMIZE_LEVELS, OPTIMIZE_STAGES } from './passes/levels.js';
export type { OptimizeGraphOptions, RecipeOptions } from './passes/optimize-graph.js';
export { optimizeGraph, optimizeRecipe } from './passes/optimize-graph.js';
export type { Numerics, OptionRow, OptionTable, PassDefinition, PassFactory, PassGroup } from './passes/pass.js';
export { definePass } from './passes/pass.js';
export type { PresetRow, RecipeRow } from './passes/presets.js';
export { OPTIMIZE_PRESET } from './passes/presets.js';
export type { PassMetadata } from './passes/registry.js';
export { PASSES } from './passes/registry.js';
// Measuring: these start ONNX Runtime in a process of its own.
export type { RangeMap, ValueRange } from './quantize/observers.js';
export type { BenchReport, ColdStartReport, ConfigurationReport } from './report/bench-types.js';
// Reports as pages and for CI.
export { githubAnnotations, githubOutputs } from './report/ci/github.js';
export { junitXml } from './report/ci/junit.js';
export { markdownReport } from './report/ci/markdown.js';
export { benchHtml } from './report/html/bench-html.js';
export { compareHtml } from './report/html/compare-html.js';
export { optimizeHtml } from './report/html/optimize-html.js';
export { quantizeHtml } from './report/html/quantize-html.js';
export type {
  CalibrationReport,
  CompareReport,
  DroppedRewriteReport,
  FloatLayerReport,
  InspectReport,
  LayerReport,
  OpCount,
  OptimizeReport,
  PassReport,
  QuantizeReport,
  ReportFile,
  ReportHeader,
  ReportModel,
  ReportValue,
  SlowPassReport,
  StepReport,
  VerificationReport,
} from './report/types.js';
export { REPORT_SCHEMA_VERSION } from './report/types.js';
export type { EnvironmentReport } from './runtime/environment.js';
export type { ProfileReport } from './runtime/profile.js';
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
  BudgetOptions,
  CompareOptions,
  ExecutionOptions,
  Growth,
  InspectOptions,
  MemoryOptions,
  OptimizeOptions,
  ProgressEvent,
  QuantizeMode,
  QuantizeOptions,
  RefusalOptions,
  SourceOptions,
  WorkflowContext,
} from './workflows/options.js';
export { BENCH_DEFAULTS, COMPARE_DEFAULTS, OPTIMIZE_DEFAULTS, QUANTIZE_DEFAULTS } from './workflows/options.js';
export { quantizeModel } from './workflows/quantize-model.js';
