import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import { DataType, dataTypeFromName, dataTypeName } from '../../tensor/dtype.js';
import type { ValueSpec } from '../types.js';
import { type ImageOptions, PRESET_SIDE, type ResizeKernel, type ResizeMethod } from './image-options.js';
import type { RecipeFlag } from './parse-image-options.js';

/** How images become an input, complete. Plain data, as reports and handlers have it. */
export interface ImagePlan {
  /** Of the input, after the cut. */
  readonly width: number;
  readonly height: number;
  readonly layout: 'nchw' | 'nhwc';
  /** Of Pillow. */
  readonly mode: 'L' | 'RGB' | 'RGBA';
  readonly color: 'rgb' | 'bgr';
  /** `short`: the shorter side becomes `shortSide`; the others, but `none`, give `resizeWidth` × `resizeHeight`. */
  readonly resize: ResizeMethod | 'short' | 'none';
  readonly shortSide: number | null;
  readonly resizeWidth: number;
  readonly resizeHeight: number;
  /** The centre of what is larger than width × height is cut out; otherwise it is refused. */
  readonly cut: boolean;
  readonly kernel: ResizeKernel;
  /** A pixel p from 0 to 255 becomes (p · scale − mean) / std, by channel. */
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

/** What asks for the plan: words of messages. */
export interface PlanFlag {
  /** The flag that completes a recipe. */
  readonly flag: RecipeFlag;
  /** What to do where the model takes no images. */
  readonly instead: string;
}

export const PIXELS_FLAG: PlanFlag = {
  flag: '--pixels',
  instead: 'use --preprocess json, and prepare images where requests are made',
};
export const PREPROCESS_FLAG: PlanFlag = {
  flag: '--preprocess',
  instead: 'give arrays with the names of the inputs as .npz instead of images',
};

/**
 * Layout, size and channels from the input, completed by the options.
 * @throws SO3501 where the model takes no image, SO1006 where an option is missing or contradicts the input
 */
export function imagePlan(
  inputs: readonly ValueSpec[],
  options: ImageOptions,
  asked: PlanFlag = PIXELS_FLAG,
): ImagePlan {
  const { flag } = asked;
  const { name, shape, dataType } = imageInput(inputs, asked);
  const layout = options.layout ?? layoutOf(name, shape, flag);
  const [channelAxis, heightAxis, widthAxis] = layout === 'nchw' ? ([1, 2, 3] as const) : ([3, 1, 2] as const);
  const channels = shape[channelAxis];
  const mode = typeof channels === 'number' ? MODES.get(channels) : options.color === 'gray' ? 'L' : 'RGB';
  if (mode === undefined) throw noImage(`the input "${name}" has ${channels} channels; images have 1, 3 or 4`, asked);
  const count = mode.length === 1 ? 1 : mode.length;
  const { color = 'rgb' } = options;
  if (color === 'bgr' && mode !== 'RGB')
    throw wrongOption('color=bgr', `the input "${name}" has ${count} channels`, flag);
  if (color === 'gray' && mode !== 'L')
    throw wrongOption('color=gray', `the input "${name}" has ${count} channels`, flag);
  if (options.dtype !== undefined && namedType(options.dtype) !== dataType)
    throw wrongOption(`dtype=${options.dtype}`, `the input "${name}" is ${dataTypeName(dataType)}`, flag);
  const preset = options.cropShare === undefined ? undefined : PRESET_SIDE;
  const width = side('width', options.width ?? preset, shape[widthAxis], name, options, flag);
  const height = side('height', options.height ?? preset, shape[heightAxis], name, options, flag);
  const byte = dataType === DataType.UINT8;
  return {
    width,
    height,
    layout,
    mode,
    color: color === 'bgr' ? 'bgr' : 'rgb',
    ...resizePlan(options, width, height, flag),
    kernel: options.kernel ?? 'bilinear',
    ...valuePlan(options, byte, count, name, flag),
  };
}

/** The one input that images are for. @throws SO3501 */
function imageInput(inputs: readonly ValueSpec[], asked: PlanFlag) {
  const [input] = inputs;
  if (!input || inputs.length > 1)
    throw noImage(`it has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(', ')}), not one`, asked);
  const { name, shape, dataType, typeText } = input;
  if (shape?.length !== 4) throw noImage(`the input "${name}" is ${typeText}, not of rank 4`, asked);
  if (dataType === undefined || !PIXEL_TYPES.has(dataType)) throw noImage(`the input "${name}" is ${typeText}`, asked);
  return { name, shape, dataType };
}

function resizePlan(options: ImageOptions, width: number, height: number, flag: RecipeFlag) {
  const { resize = 'stretch', shortSide, cropShare, resizeWidth, resizeHeight, cut = false } = options;
  const target = { resizeWidth: resizeWidth ?? width, resizeHeight: resizeHeight ?? height };
  const short = cropShare === undefined ? shortSide : Math.round(Math.min(width, height) / cropShare);
  if (short === undefined) return { resize, shortSide: null, ...target, cut };
  if (short > MAX_SIDE) throw wrongOption(`resize=${short}`, `at most ${MAX_SIDE} pixels a side`, flag);
  if (short < Math.min(width, height))
    throw wrongOption(`resize=${short}`, `${width} × ${height} pixels cannot be cut from a side of ${short}`, flag);
  return { resize: 'short' as const, shortSide: short, ...target, cut: true };
}

function valuePlan(options: ImageOptions, byte: boolean, count: number, name: string, flag: RecipeFlag) {
  const { scale = byte ? 1 : 1 / 255, offset = 0 } = options;
  const plain = scale === 1 && offset === 0;
  for (const key of ['scale', 'mean', 'std'] as const) {
    if (byte && options[key] !== undefined && !(key === 'scale' && plain))
      throw wrongOption(key, `the input "${name}" takes bytes, as they are`, flag);
  }
  return {
    scale,
    mean: byChannel('mean', options.mean, count, 0, flag).map((value) => value + offset),
    std: byChannel('std', options.std, count, 1, flag),
  };
}

/** `float32` as numpy calls it, or `float` as ONNX does. */
function namedType(name: string): number | undefined {
  return dataTypeFromName(name === 'float32' ? 'float' : name === 'float64' ? 'double' : name);
}

function layoutOf(name: string, shape: readonly Dim[], flag: RecipeFlag): 'nchw' | 'nhwc' {
  const channels = (dim: Dim): boolean => typeof dim === 'number' && MODES.has(dim);
  const [first, last] = [channels(shape[1]), channels(shape[3])];
  if (first !== last) return first ? 'nchw' : 'nhwc';
  throw new ServeOptError('SO1006', `The layout of the input "${name}" is not clear from its shape`, {
    why: first ? 'both the second and the last dimension could be channels' : 'no dimension is 1, 3 or 4 channels',
    hint:
      flag === '--pixels'
        ? 'add --pixels layout=nchw or --pixels layout=nhwc'
        : `add layout=nchw or layout=nhwc to ${flag}`,
  });
}

function side(
  key: 'width' | 'height',
  given: number | undefined,
  dim: Dim,
  name: string,
  options: ImageOptions,
  flag: RecipeFlag,
): number {
  if (given !== undefined && given > MAX_SIDE) throw wrongOption('size', `at most ${MAX_SIDE} pixels a side`, flag);
  if (typeof dim === 'number') {
    // A preset's own size is a habit; that of the input counts.
    if (given === undefined || given === dim || (options[key] === undefined && options.cropShare !== undefined))
      return dim;
    throw wrongOption('size', `the input "${name}" has a ${key} of ${dim}, not ${given}`, flag);
  }
  if (given !== undefined) return given;
  throw new ServeOptError('SO1006', `The input "${name}" takes images of any ${key}`, {
    why: 'images of one size run in one batch',
    hint: flag === '--pixels' ? 'add --pixels size=WIDTHxHEIGHT' : `add size=WIDTHxHEIGHT to ${flag}`,
  });
}

function byChannel(
  key: 'mean' | 'std',
  given: readonly number[] | undefined,
  count: number,
  none: number,
  flag: RecipeFlag,
): readonly number[] {
  if (given === undefined) return Array.from({ length: count }, () => none);
  const values = given.length === 1 ? Array.from({ length: count }, () => given[0] as number) : given;
  if (values.length !== count) throw wrongOption(key, `the input has ${count} channels, not ${given.length}`, flag);
  if (key === 'std' && values.some((value) => value === 0)) throw wrongOption(key, 'it must not be 0', flag);
  return values;
}

function noImage(why: string, { instead }: PlanFlag): ServeOptError {
  return new ServeOptError('SO3501', 'The model does not take images', { why, hint: instead });
}

function wrongOption(what: string, why: string, flag: RecipeFlag): ServeOptError {
  return new ServeOptError('SO1006', `The value ${what} of ${flag} does not fit the model`, { why });
}
