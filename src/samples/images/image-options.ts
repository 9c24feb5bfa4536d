/** How images become the input of a model, as far as a user says it: what is absent follows from the input. Plain data. */

/** How an image gets a size: stretched, cut to the same shape from its centre, or with black bars. */
export const RESIZE_METHODS = ['stretch', 'crop', 'pad'] as const;
/** One of `RESIZE_METHODS`. */
export type ResizeMethod = (typeof RESIZE_METHODS)[number];

/** Kernels of resampling, with the names of Pillow. All but `nearest` widen where an image becomes smaller. */
export const RESIZE_KERNELS = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
/** One of `RESIZE_KERNELS`. */
export type ResizeKernel = (typeof RESIZE_KERNELS)[number];

/** Order of channels; `gray` is one channel. */
export const IMAGE_COLORS = ['rgb', 'bgr', 'gray'] as const;
/** One of `IMAGE_COLORS`. */
export type ImageColor = (typeof IMAGE_COLORS)[number];

/** How images become the model's input. What is absent follows from the input. */
export interface ImageOptions {
  /** Pixels; default the size that the input is fixed at. */
  readonly width?: number;
  readonly height?: number;
  /** Order of the dimensions; default by where the channels are. */
  readonly layout?: 'nchw' | 'nhwc';
  readonly color?: ImageColor;
  /** How an image gets `resizeWidth` × `resizeHeight`, or else `width` × `height`. `none`: images must have the size. Default `stretch`. */
  readonly resize?: ResizeMethod | 'none';
  /** In place of `resize`: the shorter side becomes so many pixels, the longer one keeps the proportion. */
  readonly shortSide?: number;
  /** In place of `shortSide`: the size that is cut, as a share of it. ImageNet's 224 of 256 is 0.875. */
  readonly cropShare?: number;
  /** Pixels after the resize, where a part of them is cut. Default `width` and `height`. */
  readonly resizeWidth?: number;
  readonly resizeHeight?: number;
  /** The centre of what is larger than `width` × `height` is cut out. Default false; with `shortSide` or `cropShare` always. */
  readonly cut?: boolean;
  /** Default `bilinear`. */
  readonly kernel?: ResizeKernel;
  /** Pixels from 0 to 255 are multiplied by this first. Default 1/255. */
  readonly scale?: number;
  /** Subtracted after scaling, before `mean`: 1 for a range from -1 to 1. Default 0. */
  readonly offset?: number;
  /** By channel, subtracted after scaling. Default 0. */
  readonly mean?: readonly number[];
  /** By channel, divided by after subtracting. Default 1. */
  readonly std?: readonly number[];
  /** Element type that the input must have, for example `float32`. */
  readonly dtype?: string;
}

/** Named recipes of well-known data sets. `imagenet` is that of torchvision. */
export const IMAGE_PRESETS: ReadonlyMap<string, ImageOptions> = new Map([
  [
    'imagenet',
    {
      cropShare: 0.875,
      kernel: 'bilinear',
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      color: 'rgb',
    },
  ],
]);

/** What images are cut to where a preset is used and the input leaves the size open. */
export const PRESET_SIDE = 224;
