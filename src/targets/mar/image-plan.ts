import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { ImageOptions } from './mar-options.js';

/** How images become an input, complete. */
export interface ImagePlan {
  readonly width: number;
  readonly height: number;
  readonly layout: 'nchw' | 'nhwc';
  /** Of Pillow. */
  readonly mode: 'L' | 'RGB' | 'RGBA';
  readonly color: 'rgb' | 'bgr';
  readonly resize: 'stretch' | 'crop' | 'pad';
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const MODES: ReadonlyMap<number, ImagePlan['mode']> = new Map([
  [1, 'L'],
  [3, 'RGB'],
  [4, 'RGBA'],
]);

/** Types that pixels are given in. */
const PIXEL_TYPES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE, DataType.UINT8]);

/** The largest image side that is plausible; beyond, a number is a mistake. */
const MAX_SIDE = 16_384;

/**
 * Layout, size and channels from the input, completed by the options.
 * @throws SO3501 where the model takes no image, SO1006 where an option is missing or contradicts the input
 */
export function imagePlan(inputs: readonly ValueSpec[], options: ImageOptions): ImagePlan {
  const [input] = inputs;
  if (!input || inputs.length > 1) {
    throw noImage(`it has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(', ')}), not one`);
  }
  const { name, shape, dataType, typeText } = input;
  if (shape?.length !== 4) throw noImage(`the input "${name}" is ${typeText}, not of rank 4`);
  if (dataType === undefined || !PIXEL_TYPES.has(dataType)) throw noImage(`the input "${name}" is ${typeText}`);
  const layout = options.layout ?? layoutOf(name, shape);
  const [channelAxis, heightAxis, widthAxis] = layout === 'nchw' ? ([1, 2, 3] as const) : ([3, 1, 2] as const);
  const channels = shape[channelAxis];
  const mode = typeof channels === 'number' ? MODES.get(channels) : 'RGB';
  if (mode === undefined) throw noImage(`the input "${name}" has ${channels} channels; images have 1, 3 or 4`);
  const count = mode.length === 1 ? 1 : mode.length;
  const color = options.color ?? 'rgb';
  if (color === 'bgr' && mode !== 'RGB') throw wrongOption('color=bgr', `the input "${name}" has ${count} channels`);
  const byte = dataType === DataType.UINT8;
  for (const key of ['scale', 'mean', 'std'] as const) {
    if (byte && options[key] !== undefined) throw wrongOption(key, `the input "${name}" takes bytes, as they are`);
  }
  return {
    width: side('width', options.width, shape[widthAxis], name),
    height: side('height', options.height, shape[heightAxis], name),
    layout,
    mode,
    color,
    resize: options.resize ?? 'stretch',
    scale: options.scale ?? 1 / 255,
    mean: byChannel('mean', options.mean, count, 0),
    std: byChannel('std', options.std, count, 1),
  };
}

function layoutOf(name: string, shape: readonly Dim[]): 'nchw' | 'nhwc' {
  const channels = (dim: Dim): boolean => typeof dim === 'number' && MODES.has(dim);
  const [first, last] = [channels(shape[1]), channels(shape[3])];
  if (first !== last) return first ? 'nchw' : 'nhwc';
  throw new ServeOptError('SO1006', `The layout of the input "${name}" is not clear from its shape`, {
    why: first ? 'both the second and the last dimension could be channels' : 'no dimension is 1, 3 or 4 channels',
    hint: 'add --pixels layout=nchw or --pixels layout=nhwc',
  });
}

function side(key: 'width' | 'height', given: number | undefined, dim: Dim, name: string): number {
  if (given !== undefined && given > MAX_SIDE) throw wrongOption('size', `at most ${MAX_SIDE} pixels a side`);
  if (typeof dim === 'number') {
    if (given === undefined || given === dim) return dim;
    throw wrongOption('size', `the input "${name}" has a ${key} of ${dim}, not ${given}`);
  }
  if (given !== undefined) return given;
  throw new ServeOptError('SO1006', `The input "${name}" takes images of any ${key}`, {
    why: 'images of one size run in one batch',
    hint: 'add --pixels size=WIDTHxHEIGHT',
  });
}

function byChannel(
  key: 'mean' | 'std',
  given: readonly number[] | undefined,
  count: number,
  none: number,
): readonly number[] {
  if (given === undefined) return Array.from({ length: count }, () => none);
  const values = given.length === 1 ? Array.from({ length: count }, () => given[0] as number) : given;
  if (values.length !== count) throw wrongOption(key, `the input has ${count} channels, not ${given.length}`);
  if (key === 'std' && values.some((value) => value === 0)) throw wrongOption(key, 'it must not be 0');
  return values;
}

function noImage(why: string): ServeOptError {
  return new ServeOptError('SO3501', 'The model does not take images', {
    why,
    hint: 'use --preprocess json, and prepare images where requests are made',
  });
}

function wrongOption(what: string, why: string): ServeOptError {
  return new ServeOptError('SO1006', `The value ${what} of --pixels does not fit the model`, { why });
}
