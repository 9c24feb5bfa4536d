import { ServeOptError } from '../errors.js';
import type { GateCommand } from '../gates/metrics.js';
import { parseBudget, parseBudgets } from '../gates/parse-budget.js';
import type { SearchGoals } from '../gates/search-goals.js';
import { parseDecibels, parseShare } from '../gates/units.js';
import { QUANTIZED_FORMATS } from '../quantize/place-names.js';
import type { SampleSource } from '../samples/types.js';
import {
  type BudgetOptions,
  COMPARE_DEFAULTS,
  type CompareOptions,
  type InspectOptions,
  type JudgingOptions,
  type LatencyTarget,
  type OptimizeOptions,
  PRUNE_METHODS,
  type PruneMethod,
  type PruneOptions,
  QUANTIZE_MODES,
  QUANTIZE_PLACES,
  type QuantizeMode,
  type QuantizeOptions,
  type SensitivityOptions,
  type WorkflowContext,
} from '../workflows/options.js';
import { parseOverride } from '../workflows/quantize/schemes/parse-override.js';
import { WEIGHT_METHODS, type WeightMethod } from '../workflows/weight-only-options.js';
import type { CommandContext } from './command.js';
import { type DimsFlag, ONE_DIM, parseDims, SET_DIM } from './dims.js';
import type { FlagValues } from './flags.js';
import { readingOptions } from './reading-options.js';

/** Signal and progress of a command, as every workflow takes them. */
export function workflowContext(context: CommandContext): WorkflowContext {
  return { signal: context.signal, onProgress: context.progress.handle };
}

/** Flags of `inspect` as options. */
export function inspectOptions(flags: FlagValues): InspectOptions {
  return {
    ...sizesOf(flags),
    ...given('zeros', flags.zeros),
    ...given('allowLinks', flags['allow-links']),
  };
}

/** Flags of `compare` as options; what was not given stays absent, so that the workflow's defaults hold. */
export function compareOptions(flags: FlagValues): CompareOptions {
  return {
    ...given('batch', single(flags, 'batch')),
    ...judgingOptions(flags, 'compare'),
    ...runOptions(flags),
  };
}

/** Which files are taken, and where and how models run. */
function runOptions(flags: FlagValues) {
  return {
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
    ...given('threads', single(flags, 'threads')),
    ...given('memory', flags.mem),
    ...given('executionProviders', flags.ep),
    ...readingOptions(flags),
  };
}

/** Budgets, and whether what cannot be decided is let pass. @throws SO1006 for one that the command does not take */
export function budgetOptions(flags: FlagValues, command: GateCommand): BudgetOptions {
  return {
    ...given('budgets', flags.budget && parseBudgets(flags.budget, command)),
    ...given('allowInconclusive', flags['allow-inconclusive']),
  };
}

/** The samples that `compare` runs on. */
export function compareSamples(flags: FlagValues): SampleSource {
  const { data, samples, seed = COMPARE_DEFAULTS.seed } = flags;
  const dims = sizesOf(flags);
  if (data !== undefined) return { kind: 'data', path: data, ...given('count', samples), ...dims };
  return { kind: 'seeded', seed, count: samples ?? COMPARE_DEFAULTS.samples, ...dims };
}

/** How labels are scored, and gates. @throws SO1006 for a gate that is no number */
function judgingOptions(flags: FlagValues, command: GateCommand): JudgingOptions {
  const loss = flags['max-loss'];
  const sqnr = flags['min-sqnr'];
  return {
    ...given('metric', flags.metric),
    ...given('outputName', flags['output-name']),
    ...given('maxLoss', loss === undefined ? undefined : parseShare(loss, '--max-loss')),
    ...given('minSqnr', sqnr === undefined ? undefined : parseDecibels(sqnr, '--min-sqnr')),
    ...budgetOptions(flags, command),
  };
}

/** Flags of `quantize` as options. */
export function quantizeOptions(flags: FlagValues): QuantizeOptions {
  return {
    ...given('outputPath', flags.output),
    ...given('mode', graphMode(flags.mode)),
    ...given('for', placeOf(flags, QUANTIZE_PLACES)),
    ...given('dataPath', flags.data),
    ...given('evalPath', flags.eval),
    ...judgingOptions(flags, 'quantize'),
    ...given('include', flags.include),
    ...given('exclude', flags.exclude),
    ...given('calibration', flags.calibration),
    ...given('samples', flags.samples),
    ...given('batch', single(flags, 'batch')),
    ...searchGoals(flags),
    ...given('allowSlower', flags['allow-slower']),
    ...given(
      'format',
      QUANTIZED_FORMATS.find((each) => each === flags.format),
    ),
    ...given('overrides', flags.override?.map(parseOverride)),
    ...given('schemePath', flags.scheme),
    ...given('perTensor', flags['per-tensor']),
    ...given('reduceRange', flags['reduce-range']),
    ...given('floatWeights', flags['float-weights']),
    ...given('effort', flags.effort),
    ...given('block', flags.block),
    ...given('method', weightMethod(flags.method)),
    ...given('asymmetric', flags.asymmetric),
    ...given('operators', flags.operators),
    ...given('fp16Io', flags['fp16-io']),
    ...(flags['no-verify'] ? { verify: false } : {}),
    ...(flags['no-optimize'] ? { optimize: false } : {}),
    ...given('fixInitializers', flags['fix-initializers']),
    ...given('maxGrowth', flags['max-growth']),
    ...sizesOf(flags),
    ...given('seed', flags.seed),
    ...runOptions(flags),
    ...given('dryRun', flags['dry-run']),
    ...given('force', flags.force),
  };
}

/** The flag `--method` belongs to two commands. @throws SO1006 for a method of the other */
function weightMethod(text: FlagValues['method']): WeightMethod | undefined {
  return methodOf(text, WEIGHT_METHODS);
}

function pruneMethod(text: FlagValues['method']): PruneMethod | undefined {
  return methodOf(text, PRUNE_METHODS);
}

function methodOf<T extends string>(text: FlagValues['method'], methods: readonly T[]): T | undefined {
  const method = methods.find((each) => each === text);
  if (text === undefined || method !== undefined) return method;
  throw new ServeOptError('SO1006', `The value "${text}" of --method is not allowed`, {
    why: `it must be one of ${methods.join(', ')}`,
  });
}

/** What the search of `quantize` aims at. @throws SO1006 for what is no share, no size, no factor */
function searchGoals(flags: FlagValues): SearchGoals {
  const { 'max-drop': drop, 'max-size': size, 'min-speedup': speedup } = flags;
  return {
    ...given('maxDrop', drop === undefined ? undefined : parseShare(drop, '--max-drop')),
    ...given('maxSize', size === undefined ? undefined : limitOf('size', size, '--max-size')),
    ...given('minSpeedup', speedup === undefined ? undefined : limitOf('speed-up', speedup, '--min-speedup')),
  };
}

/** The limit of a budget that has a flag of its own. @throws SO1006 naming the flag */
function limitOf(metric: 'size' | 'speed-up', text: string, flag: string): number {
  try {
    return parseBudget(`${metric}=${text}`).limit;
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    throw new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, {
      ...(error.why === undefined ? {} : { why: error.why }),
      hint: `write ${flag} ${metric === 'size' ? '5MB' : '1.5x'}`,
    });
  }
}

/** Flags of `sensitivity` as options. */
export function sensitivityOptions(flags: FlagValues): SensitivityOptions {
  return {
    ...given('mode', graphMode(flags.mode)),
    ...given('dataPath', flags.data),
    ...given('metric', flags.metric),
    ...given('outputName', flags['output-name']),
    ...given('include', flags.include),
    ...given('exclude', flags.exclude),
    ...given('samples', flags.samples),
    ...given('batch', single(flags, 'batch')),
    ...given('perTensor', flags['per-tensor']),
    ...given('reduceRange', flags['reduce-range']),
    ...given('operators', flags.operators),
    ...(flags['no-optimize'] ? { optimize: false } : {}),
    ...given('fixInitializers', flags['fix-initializers']),
    ...sizesOf(flags),
    ...given('seed', flags.seed),
    ...runOptions(flags),
  };
}

/** A mode of ONNX models. @throws SO1002 for one of checkpoints */
function graphMode(text: FlagValues['mode']): QuantizeMode | undefined {
  const mode = QUANTIZE_MODES.find((each) => each === text);
  if (text === undefined || mode !== undefined) return mode;
  throw new ServeOptError('SO1002', `--mode ${text} needs --for vllm`, {
    why: 'it is a form of Hugging Face checkpoints, not of ONNX models',
    hint: `serve-opt quantize FOLDER --for vllm --mode ${text}`,
  });
}

/**
 * Flags of `optimize` as options, but for the passes, which take their table to understand. @throws SO1002, SO1006 for
 * dimensions that contradict each other or are no dimensions
 */
export function optimizeOptions(flags: FlagValues): OptimizeOptions {
  return {
    ...given('outputPath', flags.output),
    ...given('operators', flags.operators),
    ...given('maxGrowth', flags['max-growth']),
    ...given('setDims', flags['set-dim'] && fixedDims(flags['set-dim'], SET_DIM)),
    ...given('dynamic', flags.dynamic && openDims(flags.dynamic)),
    ...given('opset', flags.opset),
    ...given('fixInitializers', flags['fix-initializers']),
    ...given('explain', flags.explain === undefined ? undefined : true),
    ...given('dumpPath', flags['dump-after']),
    ...given('dataPath', flags.data),
    ...sizesOf(flags),
    ...given('seed', flags.seed),
    ...(flags['no-verify'] ? { verify: false } : {}),
    ...(flags['no-speed-gate'] ? { speedGate: false } : {}),
    ...budgetOptions(flags, 'optimize'),
    ...runOptions(flags),
    ...given('dryRun', flags['dry-run']),
    ...given('force', flags.force),
  };
}

/** Flags of `prune` as options. @throws SO1006 for an amount or a target that is no number */
export function pruneOptions(flags: FlagValues): PruneOptions {
  return {
    ...given('outputPath', flags.output),
    ...given('method', pruneMethod(flags.method)),
    ...given('amount', flags.amount === undefined ? undefined : parseAmount(flags.amount, '--amount')),
    ...given('global', flags.global),
    ...given('pattern', flags.pattern),
    ...given('score', flags.score),
    ...given('align', flags.align === undefined ? undefined : parseAmount(flags.align, '--align')),
    ...given('targetMacs', targetShare(flags, 'target-macs')),
    ...given('targetParams', targetShare(flags, 'target-params')),
    ...given('targetLatency', targetLatency(flags['target-latency'])),
    ...given('allocation', flags.allocation),
    ...given('steps', flags.steps),
    ...given('throughNormalization', flags['through-normalization']),
    ...given('dataPath', flags.data),
    ...given('evalPath', flags.eval),
    ...judgingOptions(flags, 'prune'),
    ...given('include', flags.include),
    ...given('exclude', flags.exclude),
    ...given('samples', flags.samples),
    ...given('batch', single(flags, 'batch')),
    ...(flags['no-verify'] ? { verify: false } : {}),
    ...given('maxGrowth', flags['max-growth']),
    ...sizesOf(flags),
    ...given('seed', flags.seed),
    ...runOptions(flags),
    ...given('dryRun', flags['dry-run']),
    ...given('force', flags.force),
  };
}

function parseAmount(text: string, flag: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+(e-?\d+)?$/i.test(text) && Number.isFinite(value)) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, {
    why: value < 0 ? 'it is below 0' : 'it is not a number',
    hint: flag === '--align' ? 'write --align 8' : 'write --amount 0.3 for a share, --amount 16 for a number',
  });
}

/** `0.5x`, `0.5` or `50%` of the original. */
function targetShare(flags: FlagValues, name: 'target-macs' | 'target-params'): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d*\.?\d+)(x|%)?$/.exec(text) ?? [];
  if (digits !== undefined) return unit === '%' ? Number(digits) / 100 : Number(digits);
  throw new ServeOptError('SO1006', `The value "${text}" of --${name} is not allowed`, {
    why: 'it must be a share of the original',
    hint: `write --${name} 0.5x`,
  });
}

/** `1.5x` as fast, or `10ms`. */
function targetLatency(text: string | undefined): LatencyTarget | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d*\.?\d+)(x|ms)$/.exec(text) ?? [];
  if (digits !== undefined) return unit === 'ms' ? { ms: Number(digits) } : { speedUp: Number(digits) };
  throw new ServeOptError('SO1006', `The value "${text}" of --target-latency is not allowed`, {
    why: 'it must be a speed-up, or a time in milliseconds',
    hint: 'write --target-latency 1.5x, or --target-latency 10ms',
  });
}

/** Sizes of open dimensions: one of each. */
function sizesOf({ dim }: FlagValues): { readonly dims?: ReadonlyMap<string, number> } {
  return dim === undefined ? {} : { dims: fixedDims(dim, ONE_DIM) };
}

/** `batch=1`, `x:0=1`. */
function fixedDims(texts: readonly string[], flag: DimsFlag): Map<string, number> {
  return new Map([...parseDims(texts, flag)].map(([name, [size = 1]]) => [name, size]));
}

/** `batch`, `batch=x:0,y:0`. */
function openDims(texts: readonly string[]): Map<string, readonly string[]> {
  const dims = new Map<string, readonly string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const places = at < 0 ? [] : text.slice(at + 1).split(',');
    if (places.includes('')) {
      throw new ServeOptError('SO1006', `The value "${text}" of --dynamic is not allowed`, {
        hint: 'write --dynamic batch, or --dynamic batch=INPUT:AXIS,INPUT:AXIS',
      });
    }
    if (dims.has(name)) {
      throw new ServeOptError('SO1002', `--dynamic ${name} and --dynamic ${text} contradict each other`, {
        hint: 'list all its dimensions in one option',
      });
    }
    dims.set(name, places);
  }
  return dims;
}

/** Where a result will run: `--for`, of which each command takes some values. @throws SO1006 for another one */
export function placeOf<P extends string>(flags: FlagValues, places: readonly P[]): P | undefined {
  const place = places.find((each) => each === flags.for);
  if (flags.for === undefined || place !== undefined) return place;
  throw new ServeOptError('SO1006', `The value "${flags.for}" of --for is not allowed`, {
    why: `it must be one of ${places.join(', ')} here`,
    hint: `write --for ${places.at(-1)}`,
  });
}

/** The only number of a list. @throws SO1006 where there are several: those are for `bench` */
export function single(flags: FlagValues, name: 'threads' | 'batch'): number | undefined {
  const [value, second] = flags[name] ?? [];
  if (second === undefined) return value;
  throw new ServeOptError('SO1006', `The value "${flags[name]?.join(',')}" of --${name} is not allowed`, {
    why: 'it must be one number; only bench accepts several',
  });
}

/** An absent key where there is no value: `undefined` would not be allowed in its place. */
export function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
