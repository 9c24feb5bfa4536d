/** What the command line and the library hand to a workflow. Every field is optional; `undefined` means the default. */

import { LEAST_EFFECT } from '../bench/least-effect.js';
import type { ArrivalProcess, ScenarioKind } from '../bench/scenario.js';
import type { PlannedOutput } from '../codec/output-target.js';
import type { ScoringKind } from '../evaluate/scoring-kinds.js';
import type { Budget, ShorthandGates } from '../gates/parse-budget.js';
import type { SearchGoals } from '../gates/search-goals.js';
import type { AllowedOperators, OptimizeLevel } from '../passes/levels.js';
import type { PresetRow, RecipeRow } from '../passes/presets.js';
import type { UnitScore } from '../prune/score-names.js';
import type { RangeChoice } from '../quantize/observers/observer-names.js';
import type { PruneReport } from '../report/prune-types.js';
import type { OptimizeReport, QuantizeReport } from '../report/types.js';
import type { QuantizeMode } from './quantize-modes.js';
import type { ReadingOptions } from './reading-options.js';
import type { RepairEffort } from './repair-effort.js';
import type { SchemeOptions } from './scheme-options.js';
import type { WeightOnlyChoices } from './weight-only-options.js';

/** What a workflow tells while it runs. Stage names are short and lower-case, for example `calibrate`. */
export type ProgressEvent =
  | { readonly kind: 'start'; readonly stage: string; readonly total?: number }
  /** `done` counts from 0 to `total` (of this event, or of the start event). */
  | { readonly kind: 'advance'; readonly stage: string; readonly done: number; readonly total?: number }
  /** How far it is, from 0 to 1, where what is counted says too little. */
  | { readonly kind: 'fraction'; readonly stage: string; readonly fraction: number }
  /** `detail` is what the stage achieved, for example `−42 nodes`; `sizeBytes` what it wrote. */
  | { readonly kind: 'end'; readonly stage: string; readonly detail?: string; readonly sizeBytes?: number }
  /** Something the user must know although the run goes on. */
  | { readonly kind: 'warning'; readonly message: string }
  /** Something only a user who asked for details (`-v`) wants to know. */
  | { readonly kind: 'detail'; readonly message: string };

/** What every long call takes. */
export interface WorkflowContext {
  /** Aborting it makes the workflow remove its temporary files and throw SO8130. */
  readonly signal?: AbortSignal;
  /** Called as the workflow goes on; must not throw. */
  readonly onProgress?: (event: ProgressEvent) => void;
}

/** Options together with the context they are used in, as the parts of a workflow share them. */
export type InContext<O> = O & WorkflowContext;

/** The files of a run, all known before it does any work. */
export interface RunFiles {
  /** Models, their data files, samples. */
  readonly reads: readonly string[];
  readonly writes: readonly PlannedOutput[];
  /** The model is not read yet, which may name more files. */
  readonly moreToCome?: boolean;
}

/** For callers that write files of their own and must not write over those of the run. */
export interface FileOptions {
  /** Told before any work is done; may throw. */
  readonly onFiles?: (files: RunFiles) => void;
}

/** Where and how ONNX Runtime runs. */
export interface ExecutionOptions {
  /** Intra-op threads; default what `os.availableParallelism()` says. */
  readonly threads?: number;
  /** Execution providers, first choice first, as `--ep` writes them: `cpu`, `cuda:1`. Default `['cpu']`. */
  readonly executionProviders?: readonly string[];
}

/** How much memory a command may take. */
export interface MemoryOptions {
  /**
   * Most memory to take to run models, make inputs up and compute constants: bytes, or a text such as `2GB`. Default:
   * 1 GiB and four times the size of the models, and at most half of what is available.
   */
  readonly memory?: number | string;
}

/** Which files a model may refer to. */
export interface SourceOptions {
  /** Follow links among the external data files of the model; default false. */
  readonly allowLinks?: boolean;
}

/** What a result must keep. `compare` reports what came of it; a command that makes a model delivers none that misses. */
export interface BudgetOptions {
  /** Each as `parseBudget` reads it. One that is broken is SO7001. */
  readonly budgets?: readonly Budget[];
  /** Deliver a result of which a budget cannot be decided, which is SO7002 otherwise. Default false. */
  readonly allowInconclusive?: boolean;
}

/** For callers that want to show what a result missed. */
export interface RefusalOptions<Report> {
  /** Told the report of a result that is not delivered because of a budget, before SO7001 or SO7002 is thrown. */
  readonly onRefused?: (report: Report) => void;
}

/** How labels are scored, and what a result must keep. */
export interface JudgingOptions extends BudgetOptions, ShorthandGates {
  /** How labels are read. Default: by what they and the outputs are. */
  readonly metric?: ScoringKind;
  /** The output that labels are about. Default: the one that fits best. */
  readonly outputName?: string;
}

/** Options of `inspectModel`. */
export interface InspectOptions extends SourceOptions {
  /** Sizes by the name of an open dimension, or by `input:axis`, at which multiply-adds are counted. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Read the weights and count zeros. Default: for models in one file with weights of at most 64 MiB. */
  readonly zeros?: boolean;
}

/** Which models are worked with. */
export interface ModelOptions {
  /** Go on with a model that breaks the rules of its operators, or that ONNX Runtime refuses as invalid; default false. */
  readonly allowInvalid?: boolean;
}

/** What every command takes that runs two models and judges one by the other. */
export interface JudgedRunOptions
  extends MemoryOptions,
    ExecutionOptions,
    ReadingOptions,
    SourceOptions,
    ModelOptions,
    FileOptions,
    JudgingOptions {}

/** Options of `compare`. */
export interface CompareOptions extends JudgedRunOptions {
  /** Samples in one run. Default: as many as change nothing, where the models take more than one. */
  readonly batch?: number;
  /** Measure both latencies in turns too, which takes up to four seconds. Default true. */
  readonly latency?: boolean;
}

/** How much larger than its input a file may become: bytes, `unlimited`, or a text such as `2 MB` or `5%`. */
export type Growth = number | string;

/** What every command takes that makes a model from another. */
export interface ProduceOptions
  extends MemoryOptions,
    ExecutionOptions,
    ReadingOptions,
    SourceOptions,
    ModelOptions,
    FileOptions,
    BudgetOptions {
  /** Path to write. Default: beside the model, named for what was done to it. */
  readonly outputPath?: string;
  /** Put nothing beside the result but its report: no genai_config.json and tokenizer of a decoder. Default false. */
  readonly alone?: boolean;
  /** Folder or file of samples. */
  readonly dataPath?: string;
  /** Sizes of open dimensions by name, or by `input:axis`: synthetic inputs are made at them; the model stays as it is, and samples of data must have them. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Inputs with a default, which callers may override, become constants. */
  readonly fixInitializers?: boolean;
  /** How much larger than its input the output may become. Default 0.1 %, or 512 bytes where that is less. */
  readonly maxGrowth?: Growth;
  /** Load, run and compare the result with the original. */
  readonly verify?: boolean;
  /** Seed of synthetic inputs. */
  readonly seed?: number;
  /** Do everything but write. */
  readonly dryRun?: boolean;
  /** Replace an existing output. */
  readonly force?: boolean;
}

export { QUANTIZE_MODES, type QuantizeMode } from './quantize-modes.js';
export { QUANTIZE_PLACES, type QuantizePlace } from './scheme-options.js';

/** Options of `quantizeModel`. */
export interface QuantizeOptions
  extends ProduceOptions,
    SchemeOptions,
    JudgedRunOptions,
    RefusalOptions<QuantizeReport>,
    SearchGoals,
    WeightOnlyChoices {
  /** Deliver INT8 that is slower than the original on this machine, instead of another form. For places that run here only. Default false. */
  readonly allowSlower?: boolean;
  readonly mode?: QuantizeMode;
  /** With `for: 'tensorrt'`: weights stay FLOAT in front of a QuantizeLinear, as TensorRT before 10 needs. Default false. */
  readonly floatWeights?: boolean;
  /** Folder or file of labelled samples to measure the metric on. */
  readonly evalPath?: string;
  /** Node names, globs or operator types; only these are quantized. */
  readonly include?: readonly string[];
  /** Node names, globs or operator types that stay in float. */
  readonly exclude?: readonly string[];
  /** Static INT8: what chooses ranges of activations. Default `auto`. */
  readonly calibration?: RangeChoice;
  /** At most this many calibration samples. */
  readonly samples?: number;
  /** Samples in one run while calibrating. */
  readonly batch?: number;
  /** How much work is put into making up for the errors of static INT8. `low` does nothing that takes runs. */
  readonly effort?: RepairEffort;
  /** Which operators the result may use. */
  readonly operators?: AllowedOperators;
  /** Run the standard level of `optimize` first. Default true. */
  readonly optimize?: boolean;
  /** Default: nothing for INT8, and 4 kB of Casts for FP16. A model that would grow more is handed over as it was. */
  readonly maxGrowth?: Growth;
  /** Graph inputs and outputs become FLOAT16 too (mode fp16). */
  readonly fp16Io?: boolean;
}

/** Options of `sensitivity`: those of `quantizeModel` that decide which layers are quantized, and on what they are tried. */
export type SensitivityOptions = Omit<
  QuantizeOptions,
  | 'outputPath'
  | Exclude<keyof SchemeOptions, 'perTensor' | 'reduceRange'>
  | 'floatWeights'
  | 'evalPath'
  | 'verify'
  | 'dryRun'
  | 'force'
  | 'onRefused'
  | 'fp16Io'
  | keyof BudgetOptions
  | keyof (SearchGoals & WeightOnlyChoices)
  | 'allowSlower'
>;

/** Options of `optimizeModel`. */
export interface OptimizeOptions extends ProduceOptions, RefusalOptions<OptimizeReport> {
  readonly level?: OptimizeLevel;
  /** Which operators the result may use. */
  readonly operators?: AllowedOperators;
  /** Passes besides those of the level, by name. */
  readonly add?: readonly string[];
  /** Passes of the level to leave out, by name. */
  readonly remove?: readonly string[];
  /** Exactly these passes, in this order within their stages, instead of those of a level. */
  readonly recipe?: readonly RecipeRow[];
  /** Passes that are not registered, beside those of the level. */
  readonly ownPasses?: readonly PresetRow[];
  /** Sizes by the name of a dimension of the inputs, or by `input:axis`: fixed in the result. */
  readonly setDims?: ReadonlyMap<string, number>;
  /** Places (`input:axis`) by the name of the open dimension they become; without any, axis 0 of every input. */
  readonly dynamic?: ReadonlyMap<string, readonly string[]>;
  /** ai.onnx operator set to bring the model to first. */
  readonly opset?: number;
  /** Put each rewrite and each near miss with its reason into the report. */
  readonly explain?: boolean;
  /** Folder for a text of the graph after each pass that changed something. */
  readonly dumpPath?: string;
  /** Folder or file of samples to verify and measure on, beside synthetic ones. */
  readonly dataPath?: string;
  /** Measure, and leave fusions out that make the model slower. */
  readonly speedGate?: boolean;
}

/** What `pruneModel` takes away: single weights, or whole units so that the model gets smaller. */
export const PRUNE_METHODS = [
  'structured',
  'channels',
  'heads',
  'neurons',
  'layers',
  'magnitude',
  'obs',
  'wanda',
] as const;
/** One of `PRUNE_METHODS`; `structured` is all units, `layers` whole blocks that a sum leads around. */
export type PruneMethod = (typeof PRUNE_METHODS)[number];

/** How what is cut is spread over groups. */
export const PRUNE_ALLOCATIONS = ['uniform', 'global', 'sensitivity', 'latency'] as const;
/** One of `PRUNE_ALLOCATIONS`. */
export type PruneAllocation = (typeof PRUNE_ALLOCATIONS)[number];

/** A latency to be reached: so many times as fast as the original, or a median in ms. */
export type LatencyTarget = { readonly speedUp: number } | { readonly ms: number };

/** Options of `pruneModel`. */
export interface PruneOptions extends ProduceOptions, JudgedRunOptions, RefusalOptions<PruneReport> {
  readonly method?: PruneMethod;
  /** Of the units of each group, or of the weights of each layer: a fraction below 1, or a count from 1 on. */
  readonly amount?: number;
  /** Weigh all groups, or the weights of all layers, against each other. */
  readonly global?: boolean;
  /** Keep N of every M inputs of an output, written `2:4`: for hardware with sparse products. */
  readonly pattern?: string;
  /** What makes a unit important. Default `activation` with data, `l2` without. */
  readonly score?: UnitScore;
  /** Cut so much that at most this share of the multiply-adds is left: 0.5 or `0.5x`. */
  readonly targetMacs?: number;
  /** The same for parameters. */
  readonly targetParams?: number;
  /** Cut so much that the result is so fast here, measured beside the original. */
  readonly targetLatency?: LatencyTarget;
  /**
   * `uniform`: the same share of every group. `global`: scores of all groups weighed against each other. `sensitivity`: by how
   * much the outputs change where each group is cut. `latency`: that against the measured time of its layers. Default
   * `latency` with `targetLatency`, else `uniform`.
   */
  readonly allocation?: PruneAllocation;
  /** Cut in so many steps, each scored anew on the network as it was cut and repaired so far. Default 1. */
  readonly steps?: number;
  /** Kept units of a group are a multiple of this where it is large enough. Default 8 for channels and neurons, 1 for small groups and heads. */
  readonly align?: number;
  /** Cut axes over which a normalization computes statistics too. Default false. */
  readonly throughNormalization?: boolean;
  /** Node names, globs or operator types: only groups with weights of these. */
  readonly include?: readonly string[];
  /** Groups with weights of these stay whole. */
  readonly exclude?: readonly string[];
  /** Folder or file of labelled samples to measure the metric on. */
  readonly evalPath?: string;
  /** At most this many samples of the data. */
  readonly samples?: number;
}

/** Options of `benchModels`. */
export interface BenchOptions extends MemoryOptions, ReadingOptions, SourceOptions, ModelOptions, FileOptions {
  /** Alternatives, each a configuration of its own, as the command line writes them: `cpu`, `cuda:1`, `tensorrt+cuda`, `auto`. */
  readonly executionProviders?: readonly string[];
  /** Intra-op threads, each number a configuration of its own. Default what `os.availableParallelism()` says. */
  readonly threads?: readonly number[];
  /** Rows of a run, each a configuration of its own: the open first dimension of the inputs. */
  readonly batch?: readonly number[];
  /** Sizes of open dimensions by name, or by `input:axis`; several sizes are configurations of their own. */
  readonly dims?: ReadonlyMap<string, readonly number[]>;
  /** Folder or file of samples; default synthetic ones. */
  readonly dataPath?: string;
  /** Seed of synthetic inputs, of arrivals and of the bootstrap. */
  readonly seed?: number;
  readonly scenario?: ScenarioKind;
  /** Processes at once in the scenario `multi-stream`. */
  readonly streams?: number;
  /** Requests a second in the scenario `server`. */
  readonly rate?: number;
  readonly arrivals?: ArrivalProcess;
  /** Time to measure each configuration, over all its processes, in ms. */
  readonly durationMs?: number;
  /** Fresh processes a configuration is measured in at least, each with a cold start. */
  readonly processes?: number;
  /** Requirements; measuring goes on until each is decided. */
  readonly budgets?: readonly Budget[];
  /** A model to measure in turns, or a report of `bench` from this machine. */
  readonly baselinePath?: string;
  /** Smaller slow-downs do not count: 0.03 is 3 %. */
  readonly minEffect?: number;
  /** Time after which gates that are not decided are inconclusive, in ms for each configuration. */
  readonly maxTimeMs?: number;
  /** Tell the time of each operator, from ONNX Runtime's profile. */
  readonly profile?: boolean;
}

// Defaults that are plain numbers and words: the help of the command line shows them from here.

/** Defaults of `compare`: the seed and number of synthetic samples, and whether latencies are measured. */
export const COMPARE_DEFAULTS = { seed: 0, samples: 8, latency: true } as const;
/** Defaults of every command that makes a model from another. */
export const PRODUCE_DEFAULTS = { maxGrowth: '0.1%', seed: 0, verify: true } as const satisfies ProduceOptions;
/** Defaults of `quantizeModel`. */
export const QUANTIZE_DEFAULTS = {
  ...PRODUCE_DEFAULTS,
  mode: 'auto',
  for: 'ort-cpu',
  calibration: 'auto',
  samples: 128,
  batch: 1,
  effort: 'medium',
  operators: 'portable',
} as const satisfies QuantizeOptions;
/** Defaults of `optimizeModel`. */
export const OPTIMIZE_DEFAULTS = {
  ...PRODUCE_DEFAULTS,
  level: 'standard',
  operators: 'portable',
  speedGate: true,
} as const satisfies OptimizeOptions;
/** Defaults of `pruneModel`. */
export const PRUNE_DEFAULTS = {
  ...PRODUCE_DEFAULTS,
  method: 'structured',
  amount: 0.3,
  align: 8,
  steps: 1,
} as const satisfies PruneOptions;
/** Defaults of `benchModels`. */
export const BENCH_DEFAULTS = {
  scenario: 'single-stream',
  streams: 2,
  arrivals: 'poisson',
  durationMs: 2000,
  processes: 5,
  minEffect: LEAST_EFFECT,
  maxTimeMs: 60_000,
  seed: 0,
} as const satisfies BenchOptions;
