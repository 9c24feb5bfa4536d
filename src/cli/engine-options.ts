import { ServeOptError } from '../errors.js';
import { parseBudgets } from '../gates/parse-budget.js';
import { parseDuration, parseShare } from '../gates/units.js';
import { parseBytes } from '../tensor/byte-size.js';
import { readWholeNumber, whyNotWholeNumber } from '../workflows/limits.js';
import type {
  BenchEngineOptions,
  DimRange,
  DimRanges,
  EngineMeasureOptions,
  TensorRtOptions,
  TrtexecOptions,
} from '../workflows/tensorrt/tensorrt-options.js';
import type { CommandContext } from './command.js';
import { ONE_DIM, parseDims } from './dims.js';
import type { FlagValues } from './flags.js';
import { given } from './workflow-options.js';

/** Flags of `tensorrt` as options. @throws SO1002, SO1006 for values that cannot be read */
export function tensorRtOptions(flags: FlagValues, { env }: Pick<CommandContext, 'env'>): TensorRtOptions {
  if (flags.output === '-') {
    throw new ServeOptError('SO1006', 'An engine cannot be written to stdout', {
      why: 'trtexec writes it to a file, and its report stands beside it',
      hint: 'write it to a file with -o model.plan',
    });
  }
  return {
    ...trtexecOptions(flags, env),
    ...measureOptions(flags, 'tensorrt'),
    ...given('outputPath', flags.output),
    ...given('force', flags.force),
    ...given('precision', flags.precision),
    ...given('dataPath', flags.data),
    ...given('samples', flags.samples),
    ...given('dims', flags.dim && parseRanges(flags.dim, '--dim')),
    ...given(
      'profiles',
      flags['opt-profile']?.map((text) => parseRanges(text.split(','), '--opt-profile')),
    ),
    ...given('workspaceBytes', flags.workspace === undefined ? undefined : parseSize(flags.workspace)),
    ...given('timingCachePath', flags['timing-cache']),
    ...given('builderLevel', flags['builder-level']),
    ...given('sparsity', flags.sparsity),
    ...given('versionCompatible', flags['version-compatible']),
    ...given('hardware', flags.hardware),
    ...given('stripWeights', flags['strip-weights']),
    ...given('refit', flags.refit),
    ...(flags['no-tf32'] ? { tf32: false } : {}),
    ...given('dlaCore', flags.dla),
    ...given('calibrationCachePath', flags.calib),
    ...(flags['no-measure'] ? { measure: false } : {}),
    ...given('skipPreflight', flags['skip-preflight']),
    ...given('memory', flags.mem),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
  };
}

/** Flags of `bench --engine` as options. Errors as `tensorRtOptions`. */
export function benchEngineOptions(
  flags: FlagValues,
  dims: readonly string[],
  { env }: Pick<CommandContext, 'env'>,
): BenchEngineOptions {
  return {
    ...trtexecOptions(flags, env),
    ...measureOptions(flags, 'bench --engine'),
    ...(dims.length > 0
      ? { dims: new Map([...parseDims(dims, ONE_DIM)].map(([name, [size = 1]]) => [name, size])) }
      : {}),
  };
}

function trtexecOptions(flags: FlagValues, env: CommandContext['env']): TrtexecOptions {
  return {
    env,
    ...given('trtexecPath', flags.trtexec),
    ...given('image', flags.docker),
    ...given('tensorRtVersion', flags['tensorrt-version']),
    ...given('plugins', flags.plugin),
    ...given('gpu', flags.gpu),
    ...given('trtexecFlags', flags['trtexec-flag']),
    ...given('verboseLog', flags['trtexec-verbose']),
    ...given(
      'buildTimeoutMs',
      flags['build-timeout'] === undefined ? undefined : parseDuration(flags['build-timeout'], '--build-timeout'),
    ),
  };
}

function measureOptions(flags: FlagValues, command: 'tensorrt' | 'bench --engine'): EngineMeasureOptions {
  return {
    ...given('durationMs', flags.duration === undefined ? undefined : parseDuration(flags.duration, '--duration')),
    ...given('processes', flags.processes),
    ...given('inferenceStreams', flags['inference-streams']),
    ...(flags['no-cuda-graph'] ? { cudaGraph: false } : {}),
    ...given('transfers', flags.transfers),
    ...given('percentiles', flags.percentile === undefined ? undefined : parsePercentiles(flags.percentile)),
    ...given('budgets', flags.budget && parseBudgets(flags.budget, command)),
    ...given('baselinePath', flags.baseline),
    ...given(
      'minEffect',
      flags['min-effect'] === undefined ? undefined : parseShare(flags['min-effect'], '--min-effect'),
    ),
    ...given('allowInconclusive', flags['allow-inconclusive']),
  };
}

/** `batch=1:8:32`, or `batch=8` for one size. */
export function parseRanges(texts: readonly string[], flag: string): DimRanges {
  const ranges = new Map<string, DimRange>();
  for (const text of texts) {
    const notAllowed = (why: string): ServeOptError =>
      new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, {
        why,
        hint: `write ${flag} batch=1:8:32 (smallest:best:largest), or ${flag} batch=8 for one size`,
      });
    // Names may hold colons: `input:0=1:8:32`.
    const [, name, list] = /^(.+)=([^=]+)$/s.exec(text) ?? [];
    if (name === undefined || list === undefined) throw notAllowed('it must be the name of a dimension and its sizes');
    const sizes = list.split(':').map(readWholeNumber);
    for (const size of sizes) {
      const why = whyNotWholeNumber(size, { minimum: 1 });
      if (why !== undefined) throw notAllowed(why);
    }
    const [min = 1, opt = min, max = opt] = sizes;
    if (sizes.length === 2 || sizes.length > 3) throw notAllowed('it must be one size or three');
    if (min > opt || opt > max) throw notAllowed('the sizes must be in order: smallest:best:largest');
    const known = ranges.get(name);
    if (known && (known.min !== min || known.opt !== opt || known.max !== max)) {
      throw new ServeOptError('SO1002', `${flag} gives the dimension "${name}" two ranges`, {
        hint: 'leave one of them out; --opt-profile makes several profiles',
      });
    }
    ranges.set(name, { min, opt, max });
  }
  return ranges;
}

/** trtexec counts in MiB; a number without a unit is one of bytes here. */
const LEAST_WORKSPACE_BYTES = 2 ** 20;

function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes >= LEAST_WORKSPACE_BYTES) return bytes;
  throw new ServeOptError('SO1006', `The value "${text}" of --workspace is not allowed`, {
    why: bytes === undefined ? 'it must be a size with a unit' : 'it must be at least 1 MiB',
    hint: 'write --workspace 4GiB',
  });
}

function parsePercentiles(text: string): readonly number[] {
  const values = text.split(',').map((part) => (/^\d+(?:\.\d+)?$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (values.every((value) => value > 0 && value < 100)) return [...new Set(values)];
  throw new ServeOptError('SO1006', `The value "${text}" of --percentile is not allowed`, {
    why: 'it must be numbers between 0 and 100, with commas between them',
    hint: 'write --percentile 50,90,99',
  });
}
