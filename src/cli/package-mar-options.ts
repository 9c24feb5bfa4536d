import { ServeOptError } from '../errors.js';
import { parseDuration } from '../gates/units.js';
import { parseImageRecipe, parsePairs } from '../samples/images/parse-image-options.js';
import { MAR_FORMATS, PREPROCESS_KINDS } from '../targets/mar/mar-options.js';
import type { PackageMarOptions } from '../workflows/package/package-mar.js';
import type { FlagValues } from './flags.js';

/** Flags of `package mar` as options. @param sourceDate SOURCE_DATE_EPOCH of the environment @throws SO1002, SO1006 */
export function packageMarOptions(flags: FlagValues, sourceDate: string | undefined): PackageMarOptions {
  const delay = flags['max-delay'];
  return {
    ...given('outputPath', flags.output),
    ...given(
      'format',
      MAR_FORMATS.find((each) => each === flags.format),
    ),
    ...given('name', flags.name),
    ...given('version', flags.version),
    ...preprocessOptions(flags),
    ...textOptions(flags),
    ...given('labelsPath', flags.labels),
    ...given('topK', flags['top-k']),
    ...given('softmax', flags.softmax),
    ...given('outputName', flags['output-name']),
    ...(flags.device === undefined ? {} : parseDevice(flags.device)),
    ...given('workers', flags.workers),
    ...given('batchSize', flags['max-batch']),
    ...given('maxBatchDelayMs', delay === undefined ? undefined : milliseconds(delay)),
    ...given('responseTimeoutSeconds', seconds(flags, 'response-timeout')),
    ...given('startupTimeoutSeconds', seconds(flags, 'startup-timeout')),
    ...given('threads', oneThreadCount(flags)),
    ...given('sourceDate', sourceDate === undefined ? undefined : parseSourceDate(sourceDate)),
    ...given('force', flags.force),
    ...given('dryRun', flags['dry-run']),
    ...given('link', flags.link),
    ...(flags['no-verify'] ? { verify: false } : {}),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

/** A kind of requests, or a recipe of images as other commands take it, completed by `--pixels`. @throws SO1006, SO1002 */
function preprocessOptions({
  preprocess,
  pixels,
}: FlagValues): Pick<PackageMarOptions, 'preprocess' | 'image' | 'imageFlag'> {
  const image = pixels && parsePairs(pixels, '--pixels');
  const kind = PREPROCESS_KINDS.find((each) => each === preprocess);
  if (preprocess === undefined || kind !== undefined) return { ...given('preprocess', kind), ...given('image', image) };
  return { preprocess: 'image', image: { ...parseImageRecipe(preprocess), ...image }, imageFlag: '--preprocess' };
}

function textOptions(flags: FlagValues): Pick<PackageMarOptions, 'text'> {
  const maxLength = flags['max-length'];
  if (flags.tokenizer !== undefined)
    return { text: { tokenizerPath: flags.tokenizer, ...given('maxLength', maxLength) } };
  if (maxLength === undefined) return {};
  throw new ServeOptError('SO1002', '--max-length has no effect without --tokenizer', {
    hint: 'add --tokenizer tokenizer.json, or leave it out',
  });
}

/** TorchServe takes whole milliseconds. */
function milliseconds(text: string): number {
  const value = parseDuration(text, '--max-delay');
  if (Number.isInteger(value)) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of --max-delay is not allowed`, {
    why: 'TorchServe waits for whole milliseconds',
    hint: `write --max-delay ${Math.ceil(value)}ms`,
  });
}

function seconds(flags: FlagValues, flag: 'response-timeout' | 'startup-timeout'): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const value = parseDuration(text, `--${flag}`) / 1000;
  if (Number.isInteger(value) && value > 0) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of --${flag} is not allowed`, {
    why: 'TorchServe counts whole seconds',
    hint: `write --${flag} ${Math.max(1, Math.ceil(value))}s`,
  });
}

function oneThreadCount({ threads }: FlagValues): number | undefined {
  if (threads === undefined || threads.length === 1) return threads?.[0];
  throw new ServeOptError('SO1006', `The value "${threads.join(',')}" of --threads is not allowed`, {
    why: 'a worker has one number of threads',
    hint: `write --threads ${threads[0]}`,
  });
}

/** `auto`, `cpu`, `gpu`, or `gpu:0,1` with numbers of GPUs. */
function parseDevice(text: string): Pick<PackageMarOptions, 'device' | 'deviceIds'> {
  const [, device, list] = /^(auto|cpu|gpu)(?::(\d{1,3}(?:,\d{1,3})*))?$/.exec(text) ?? [];
  if (device === undefined || (list !== undefined && device !== 'gpu')) {
    throw new ServeOptError('SO1006', `The value "${text}" of --device is not allowed`, {
      why: 'it must be auto, cpu, gpu, or numbers of GPUs as in gpu:0,1',
      hint: 'write --device cpu, or --device gpu:0',
    });
  }
  return {
    device: device as 'auto' | 'cpu' | 'gpu',
    ...(list === undefined ? {} : { deviceIds: [...new Set(list.split(',').map(Number))] }),
  };
}

function parseSourceDate(text: string): number {
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : Number.NaN;
  // The last second of 9999: dates have years of four digits.
  if (seconds <= 253_402_300_799) return seconds;
  throw new ServeOptError('SO1006', `The value "${text}" of SOURCE_DATE_EPOCH is not allowed`, {
    why: 'it must be the seconds since 1970, up to the year 9999',
    hint: 'SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) serve-opt package mar …',
  });
}
