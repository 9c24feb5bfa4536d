import { ServeOptError } from '../../errors.js';
import { type Budget, checkBudgets } from '../../gates/parse-budget.js';
import { parseProviderChoice } from '../../runtime/provider-choice.js';
import { NUMBER_LIMITS, whyNotWholeNumber } from '../limits.js';
import { memoryBytes } from '../memory.js';
import type { MemoryOptions } from '../options.js';
import type { ReadingOptions } from '../reading-options.js';
import { checkOptionRules, type GivenOptions } from './check-rules.js';
import type { RuledCommand } from './option-rule.js';
import { namedProviders } from './providers.js';

/** Fields of the options of every workflow, and the flag that gives each; `true` where only the value `false` is given by one. */
const FLAG_OF_FIELD: ReadonlyMap<string, string> = new Map([
  ['outputPath', 'output'],
  ['dryRun', 'dry-run'],
  ['force', 'force'],
  ['mode', 'mode'],
  ['method', 'method'],
  ['amount', 'amount'],
  ['global', 'global'],
  ['pattern', 'pattern'],
  ['score', 'score'],
  ['targetMacs', 'target-macs'],
  ['targetParams', 'target-params'],
  ['targetLatency', 'target-latency'],
  ['allocation', 'allocation'],
  ['steps', 'steps'],
  ['align', 'align'],
  ['throughNormalization', 'through-normalization'],
  ['for', 'for'],
  ['floatWeights', 'float-weights'],
  ['operators', 'operators'],
  ['level', 'level'],
  ['add', 'passes'],
  ['remove', 'passes'],
  ['recipe', 'recipe'],
  ['opset', 'opset'],
  ['dumpPath', 'dump-after'],
  ['calibration', 'calibration'],
  ['format', 'format'],
  ['overrides', 'override'],
  ['schemePath', 'scheme'],
  ['perTensor', 'per-tensor'],
  ['reduceRange', 'reduce-range'],
  ['fp16Io', 'fp16-io'],
  ['block', 'block'],
  ['asymmetric', 'asymmetric'],
  ['effort', 'effort'],
  ['dataPath', 'data'],
  ['evalPath', 'eval'],
  ['samples', 'samples'],
  ['batch', 'batch'],
  ['seed', 'seed'],
  ['dims', 'dim'],
  ['include', 'include'],
  ['exclude', 'exclude'],
  ['allowLinks', 'allow-links'],
  ['allowInvalid', 'allow-invalid'],
  ['threads', 'threads'],
  ['memory', 'mem'],
  ['executionProviders', 'ep'],
  ['scenario', 'scenario'],
  ['rate', 'rate'],
  ['arrivals', 'arrivals'],
  ['streams', 'streams'],
  ['processes', 'processes'],
  ['baselinePath', 'baseline'],
  ['minEffect', 'min-effect'],
  ['profile', 'profile'],
  ['concurrency', 'concurrency'],
  ['metric', 'metric'],
  ['outputName', 'output-name'],
  ['maxDrop', 'max-drop'],
  ['maxSize', 'max-size'],
  ['minSpeedup', 'min-speedup'],
  ['allowSlower', 'allow-slower'],
  ['maxLoss', 'max-loss'],
  ['minSqnr', 'min-sqnr'],
  ['maxTokens', 'max-tokens'],
  ['budgets', 'budget'],
  ['allowInconclusive', 'allow-inconclusive'],
  ['precision', 'precision'],
  ['builderLevel', 'builder-level'],
  ['dlaCore', 'dla'],
  ['gpu', 'gpu'],
  ['inferenceStreams', 'inference-streams'],
  ['enginePath', 'engine'],
  ['image', 'docker'],
  ['trtexecPath', 'trtexec'],
  ['calibrationCachePath', 'calib'],
  ['durationMs', 'duration'],
  ['transfers', 'transfers'],
  ['percentiles', 'percentile'],
  ['teacherLogits', 'teacher-logits'],
  ['map', 'map'],
  ['features', 'feature'],
  ['cachePath', 'teacher-cache'],
  ['topK', 'top-k'],
  ['bins', 'bins'],
  ['resamples', 'resamples'],
]);

/** Fields that are on by default, and the flag that switches each off. */
const FLAG_OF_FALSE: ReadonlyMap<string, string> = new Map([
  ['verify', 'no-verify'],
  ['optimize', 'no-optimize'],
  ['speedGate', 'no-speed-gate'],
  ['cudaGraph', 'no-cuda-graph'],
  ['measure', 'no-measure'],
]);

/** Fields of `reading`, and the flag that gives each. */
const FLAG_OF_READING = [
  ['preprocess', 'preprocess'],
  ['tokenizerPath', 'tokenizer'],
  ['maxLength', 'max-length'],
  ['labelsPath', 'labels'],
] as const;

/** The options of a workflow as flags would give them. */
function givenOptions(options: object): GivenOptions {
  const given = new Map<string, string | readonly string[]>();
  for (const [field, value] of Object.entries(options) as [string, unknown][]) {
    const flag = value === false ? FLAG_OF_FALSE.get(field) : FLAG_OF_FIELD.get(field);
    if (flag === undefined || value === undefined || (value === false && !FLAG_OF_FALSE.has(field))) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    if (field === 'budgets') {
      given.set(
        flag,
        (value as readonly Budget[]).map(({ metric }) => metric),
      );
      continue;
    }
    given.set(flag, typeof value === 'boolean' || typeof value === 'object' ? '' : String(value));
  }
  const { reading } = options as ReadingOptions;
  for (const [field, flag] of FLAG_OF_READING) if (reading?.[field] !== undefined) given.set(flag, '');
  return given;
}

/**
 * What the options alone tell, before any file is opened: numbers within their limits, options that go together, budgets of what
 * the command measures, execution providers that exist. @returns warnings about options of which nothing comes
 * @throws SO1002, SO1006
 */
export function checkOptions(command: RuledCommand, options: object): string[] {
  const given = givenOptions(options);
  for (const [field, value] of Object.entries(options) as [string, unknown][]) checkNumbers(field, value);
  const { memory, executionProviders, include, exclude, budgets } = options as MemoryOptions & {
    readonly budgets?: readonly Budget[];
    readonly executionProviders?: readonly string[];
    readonly include?: readonly string[];
    readonly exclude?: readonly string[];
  };
  if (command !== 'inspect' && command !== 'sensitivity') checkBudgets(budgets, command);
  if (memory !== undefined) memoryBytes(memory);
  const both = include?.find((pattern) => exclude?.includes(pattern));
  if (both !== undefined) {
    throw new ServeOptError('SO1002', `--include ${both} and --exclude ${both} contradict each other`, {
      hint: 'leave one of them out',
    });
  }
  if (command === 'bench') executionProviders?.forEach(parseProviderChoice);
  else namedProviders(executionProviders ?? []);
  return checkOptionRules(command, given);
}

function checkNumbers(field: string, value: unknown): void {
  const flag = FLAG_OF_FIELD.get(field);
  if (flag === undefined || !Object.hasOwn(NUMBER_LIMITS, flag)) return;
  const limits = NUMBER_LIMITS[flag as keyof typeof NUMBER_LIMITS];
  for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
    const why = typeof each === 'number' ? whyNotWholeNumber(each, limits) : undefined;
    if (why !== undefined) {
      throw new ServeOptError('SO1006', `The value "${each}" of --${flag} is not allowed`, { why });
    }
  }
}
