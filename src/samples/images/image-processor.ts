import { ServeOptError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import type { ImageOptions, ResizeKernel } from './image-options.js';

/** Numbers of `resample` in Hugging Face's files, which are those of Pillow. */
const RESAMPLE: ReadonlyMap<number, ResizeKernel> = new Map([
  [0, 'nearest'],
  [1, 'lanczos'],
  [2, 'bilinear'],
  [3, 'bicubic'],
  [4, 'box'],
  [5, 'hamming'],
]);

/**
 * A `preprocessor_config.json` of Hugging Face as options; undefined for an object that is none.
 * @throws SO1006 for a size of another form
 */
export function processorOptions(value: Readonly<Record<string, unknown>>, file: string): ImageOptions | undefined {
  if (value.image_processor_type === undefined && value.do_resize === undefined && value.image_mean === undefined)
    return undefined;
  const { do_resize = true, do_center_crop = false, do_rescale = true, do_normalize = true } = value;
  const kernel = RESAMPLE.get(Number(value.resample ?? 2));
  const scale = do_rescale ? Number(value.rescale_factor ?? 1 / 255) : 1;
  const crop = do_center_crop ? sizeOf(value.crop_size, file) : undefined;
  // A bare number is the side of a square, but for processors that cut afterwards: there it is the shorter side.
  const given = typeof value.size === 'number' && !crop ? { width: value.size, height: value.size } : value.size;
  const size = do_resize ? sizeOf(given, file) : undefined;
  return {
    ...(kernel ? { kernel } : {}),
    scale,
    ...(do_normalize && Array.isArray(value.image_mean) ? { mean: value.image_mean.map(Number) } : {}),
    ...(do_normalize && Array.isArray(value.image_std) ? { std: value.image_std.map(Number) } : {}),
    ...resizing(size, crop),
  };
}

/** A pair of sides, or the shorter one. */
type Size = { readonly short: number } | { readonly width: number; readonly height: number };

function resizing(size: Size | undefined, crop: Size | undefined): ImageOptions {
  const cut = crop && { cut: true, ...('short' in crop ? { width: crop.short, height: crop.short } : crop) };
  if (!size) return { resize: 'none', ...cut };
  if ('short' in size) return { shortSide: size.short, ...(cut ?? { cut: true }) };
  return cut
    ? { resize: 'stretch', resizeWidth: size.width, resizeHeight: size.height, ...cut }
    : { resize: 'stretch', ...size };
}

function sizeOf(value: unknown, file: string): Size {
  if (typeof value === 'number') return { short: value };
  if (isJsonObject(value)) {
    const { shortest_edge: short, width, height } = value;
    if (typeof short === 'number') return { short };
    if (typeof width === 'number' && typeof height === 'number') return { width, height };
  }
  throw new ServeOptError('SO1006', `"${file}" of --preprocess has a size of another form`, {
    why: `supported are a number, {"shortest_edge": N} and {"width": N, "height": N}`,
    hint: "write the recipe out: --preprocess 'resize=256 crop=224'",
  });
}
