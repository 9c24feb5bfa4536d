import type SharpModule from 'sharp';
import { readSmallFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import type { ImagePlan } from './image-plan.js';
import type { Pixels } from './pixels.js';

/** Endings of files that are taken for images. */
export const IMAGE_ENDING = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
/** Formats that are decoded: no documents, which may refer to others. */
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);
/** Larger images are refused before they are decoded, as by the packaged handler. */
const MOST_PIXELS = 50_000_000;
const MOST_FILE_BYTES = 256 * 1024 * 1024;

type Sharp = typeof SharpModule;

/**
 * Decodes image files to bytes: the one door of sharp, which is loaded when the first image is read.
 * EXIF orientation is applied; colour profiles are not, 16 bits become the upper 8, alpha is dropped unless the input has four
 * channels, and of an animation the first picture is taken.
 */
export class ImageDecoder {
  readonly #sharp: Sharp;

  private constructor(sharp: Sharp) {
    this.#sharp = sharp;
  }

  /** @throws SO5007 where sharp is not installed or does not load */
  static async load(): Promise<ImageDecoder> {
    let sharp: Sharp;
    try {
      ({ default: sharp } = await import('sharp'));
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
      throw new ServeOptError(
        'SO5007',
        missing ? 'Images need the package sharp' : 'The package sharp cannot be loaded',
        {
          why: missing ? 'it is optional and is not installed' : ((cause as Error).message.split('\n')[0] ?? ''),
          cause,
        },
      );
    }
    // Images are read one by one, in a process whose memory is limited.
    sharp.concurrency(1);
    sharp.cache(false);
    return new ImageDecoder(sharp);
  }

  /** The pixels of a file in the channels that the plan wants, or why there are none. */
  async decode(path: string, mode: ImagePlan['mode']): Promise<Pixels | string> {
    let bytes: Uint8Array;
    try {
      bytes = readSmallFile(path, MOST_FILE_BYTES);
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.code === 'SO6101') throw error;
      if (error.code === 'SO2001') return 'the file does not exist';
      return error.code === 'SO2104' ? `the file is larger than ${MOST_FILE_BYTES} bytes` : error.message;
    }
    if (bytes.byteLength === 0) return 'the file is empty';
    try {
      return await this.#pixels(bytes, mode);
    } catch (error) {
      return firstLine(error);
    }
  }

  async #pixels(bytes: Uint8Array, mode: ImagePlan['mode']): Promise<Pixels | string> {
    const image = this.#sharp(bytes, { failOn: 'error', limitInputPixels: false, ignoreIcc: true, pages: 1 });
    const { format, width = 0, height = 0, space, depth, hasAlpha } = await image.metadata();
    if (!FORMATS.has(format ?? '')) return `its format is ${format}; supported are JPEG, PNG, WebP, GIF, TIFF and AVIF`;
    if (width * height > MOST_PIXELS) return `it has ${width * height} pixels, more than ${MOST_PIXELS}`;
    if (depth === 'float' || depth === 'double' || depth === 'complex') return `its pixels are ${depth} numbers`;
    let upright = image.autoOrient();
    // A gray picture stays gray until it is wanted otherwise; CMYK is converted by its own formula.
    if (space !== 'b-w' && space !== 'grey16') upright = upright.toColourspace('srgb');
    const wantsAlpha = mode === 'RGBA';
    upright = wantsAlpha ? upright.ensureAlpha() : hasAlpha ? upright.removeAlpha() : upright;
    const { data, info } = await upright.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return inMode({ width: info.width, height: info.height, channels: info.channels, data }, mode);
  }
}

/** Pixels of 1, 2, 3 or 4 channels in those of a mode. Gray is made with the weights of ITU-R 601, as Pillow does. */
function inMode(image: Pixels, mode: ImagePlan['mode']): Pixels {
  const wanted = mode === 'L' ? 1 : mode.length;
  const { channels, data, width, height } = image;
  if (channels === wanted) return image;
  const area = width * height;
  const result = new Uint8Array(area * wanted);
  const isColor = channels >= 3;
  const alphaAt = channels === 2 || channels === 4 ? channels - 1 : undefined;
  for (let at = 0; at < area; at++) {
    const from = at * channels;
    const red = data[from] as number;
    const green = isColor ? (data[from + 1] as number) : red;
    const blue = isColor ? (data[from + 2] as number) : red;
    const to = at * wanted;
    if (wanted === 1) {
      result[to] = isColor ? (red * 19_595 + green * 38_470 + blue * 7471 + 0x8000) >> 16 : red;
      continue;
    }
    result[to] = red;
    result[to + 1] = green;
    result[to + 2] = blue;
    if (wanted === 4) result[to + 3] = alphaAt === undefined ? 255 : (data[from + alphaAt] as number);
  }
  return { width, height, channels: wanted, data: result };
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
