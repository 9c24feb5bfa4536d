import { basename } from 'node:path';
import { readSmallTextFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import {
  IMAGE_COLORS,
  IMAGE_PRESETS,
  type ImageOptions,
  PRESET_SIDE,
  RESIZE_KERNELS,
  RESIZE_METHODS,
} from './image-options.js';
import { processorOptions } from './image-processor.js';

/** A recipe is a few hundred bytes. */
const MOST_FILE_BYTES = 1024 * 1024;

type KeyReader = (text: string) => ImageOptions | undefined;

/** Keys of a recipe. */
const KEYS: ReadonlyMap<string, KeyReader> = new Map<string, KeyReader>([
  ['size', (text) => sized(text, (width, height) => ({ width, height }))],
  ['resize', resizeOf],
  ['crop', (text) => sized(text, (width, height) => ({ width, height, cut: true }))],
  ['kernel', (text) => oneOf(RESIZE_KERNELS, text, (kernel) => ({ kernel }))],
  ['layout', (text) => oneOf(['nchw', 'nhwc'] as const, text.toLowerCase(), (layout) => ({ layout }))],
  ['color', (text) => oneOf(IMAGE_COLORS, text.toLowerCase(), (color) => ({ color }))],
  ['range', rangeOf],
  ['scale', scaleOf],
  ['mean', (text) => channels(text, (mean) => ({ mean }))],
  ['std', (text) => channels(text, (std) => ({ std }))],
  ['dtype', (text) => (/^[a-z]+\d*$/.test(text) ? { dtype: text } : undefined)],
]);

const EXAMPLE = 'resize=256 crop=224 mean=0.485,0.456,0.406 std=0.229,0.224,0.225';

/** How messages call where a recipe comes from. */
export type RecipeFlag = '--preprocess' | '--pixels';

/**
 * A recipe as `--preprocess` takes it: a preset (`imagenet`), `key=value` pairs separated by spaces, both, or the path of a
 * JSON file with the same keys or of a `preprocessor_config.json` of Hugging Face.
 * Without `size`, `resize` or `crop`, images must have the size of the input.
 * @throws SO1006 for a key, a value or a name that is not known, SO1002 for a key given twice, SO2001 … for a file
 * @example parseImageRecipe('imagenet resize=232')
 */
export function parseImageRecipe(text: string): ImageOptions {
  const words = text.trim().split(/\s+/);
  const [first = ''] = words;
  if (/\.json$/i.test(text.trim())) return readRecipe(text.trim());
  const preset = IMAGE_PRESETS.get(first);
  if (preset) return merged(preset, parsePairs(words.slice(1), '--preprocess'));
  if (!first.includes('='))
    throw new ServeOptError('SO1006', `The value "${text}" of --preprocess is not allowed`, {
      why: `it is no preset (${[...IMAGE_PRESETS.keys()].join(', ')}), no key=value and no .json file`,
      hint: `write --preprocess imagenet, or --preprocess '${EXAMPLE}'`,
    });
  return withResize(parsePairs(words, '--preprocess'));
}

/** `key=value` texts as options, each key once. @throws SO1006, SO1002 */
export function parsePairs(texts: readonly string[], flag: RecipeFlag): ImageOptions {
  let options: ImageOptions = {};
  const seen = new Set<string>();
  for (const text of texts) {
    const [, key = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(text) ?? [];
    const read = KEYS.get(key)?.(value);
    if (read === undefined) {
      const why = KEYS.has(key) ? `"${value}" is no value of ${key}` : `a key is one of ${[...KEYS.keys()].join(', ')}`;
      throw new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, {
        why,
        hint: `write ${flag} ${flag === '--pixels' ? 'size=224x224, mean=0.485,0.456,0.406, std=…, layout=nchw, color=bgr, resize=crop or scale=1' : `'${EXAMPLE}'`}`,
      });
    }
    if (seen.has(key)) throw new ServeOptError('SO1002', `${flag} has ${key} twice`, { hint: 'leave one of them out' });
    seen.add(key);
    options = merged(options, read);
  }
  if (seen.has('range') && seen.has('scale'))
    throw new ServeOptError('SO1002', `${flag} has range and scale`, {
      why: 'both say what pixels are multiplied by',
      hint: 'leave one of them out',
    });
  return options;
}

/** Later options over earlier ones; a new way to resize replaces the old one. */
function merged(before: ImageOptions, after: ImageOptions): ImageOptions {
  const resizes = after.resize !== undefined || after.shortSide !== undefined || after.resizeWidth !== undefined;
  if (!resizes) return { ...before, ...after };
  const { cropShare, shortSide, resize, resizeWidth, resizeHeight, ...rest } = before;
  // A preset cuts; what is cut stays what it was, also where the resize is another one.
  const cut =
    cropShare === undefined
      ? {}
      : { cut: true, width: before.width ?? PRESET_SIDE, height: before.height ?? PRESET_SIDE };
  return { ...rest, ...cut, ...after };
}

/** A recipe that says nothing of sizes does not resize. */
function withResize(options: ImageOptions): ImageOptions {
  const { resize, shortSide, cropShare, resizeWidth, width, cut } = options;
  if (resize !== undefined || shortSide !== undefined || cropShare !== undefined || resizeWidth !== undefined)
    return options;
  return width !== undefined && !cut ? options : { ...options, resize: 'none' };
}

function readRecipe(path: string): ImageOptions {
  const file = basename(path);
  const text = readSmallTextFile(path, MOST_FILE_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ServeOptError('SO1006', `"${file}" of --preprocess is not JSON`, {
      why: (cause as Error).message,
      cause,
    });
  }
  if (!isJsonObject(value))
    throw new ServeOptError('SO1006', `"${file}" of --preprocess is not an object`, {
      hint: 'write {"resize": 256, "crop": 224, "mean": [0.5], "std": [0.5]}',
    });
  const processor = processorOptions(value, file);
  if (processor) return processor;
  const { preset, ...rest } = value;
  const pairs = Object.entries(rest).map(
    ([key, item]) =>
      `${key}=${Array.isArray(item) ? item.join(key === 'size' || key === 'crop' ? 'x' : ',') : String(item)}`,
  );
  if (preset === undefined) return withResize(parsePairs(pairs, '--preprocess'));
  return merged(parseImageRecipe(String(preset)), parsePairs(pairs, '--preprocess'));
}

function oneOf<T extends string>(
  values: readonly T[],
  text: string,
  make: (value: T) => ImageOptions,
): ImageOptions | undefined {
  const found = values.find((value) => value === text);
  return found && make(found);
}

/** `224`, `224x160`: width × height. */
function sized(text: string, make: (width: number, height: number) => ImageOptions): ImageOptions | undefined {
  const [, width, height = width] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? [];
  return Number(width) > 0 && Number(height) > 0 ? make(Number(width), Number(height)) : undefined;
}

/** `stretch`, `crop`, `pad`, `none`; `256`: the shorter side; `256x192`: stretched to that. */
function resizeOf(text: string): ImageOptions | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) > 0 ? { shortSide: Number(text) } : undefined;
  return (
    oneOf([...RESIZE_METHODS, 'none'] as const, text, (resize) => ({ resize })) ??
    sized(text, (resizeWidth, resizeHeight) => ({ resize: 'stretch', resizeWidth, resizeHeight }))
  );
}

function rangeOf(text: string): ImageOptions | undefined {
  switch (text) {
    case '0..1':
      return { scale: 1 / 255 };
    case '0..255':
      return { scale: 1 };
    case '-1..1':
      return { scale: 1 / 127.5, offset: 1 };
    default:
      return undefined;
  }
}

/** `1/255`, `0.5`. */
function scaleOf(text: string): ImageOptions | undefined {
  const [value, divisor = 1, ...rest] = text.split('/').map(Number);
  const scale = (value ?? Number.NaN) / divisor;
  return Number.isFinite(scale) && scale > 0 && rest.length === 0 && text.trim() !== '' ? { scale } : undefined;
}

function channels(text: string, make: (values: readonly number[]) => ImageOptions): ImageOptions | undefined {
  const values = text.split(',').map((each) => (each.trim() === '' ? Number.NaN : Number(each)));
  return values.every(Number.isFinite) ? make(values) : undefined;
}
