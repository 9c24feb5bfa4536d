import type { ResizeKernel } from './image-options.js';
import type { Box, Pixels } from './pixels.js';

/**
 * Resampling as Pillow 9 to 12 do it, to the last bit: two passes, rows first, with weights in fixed point and 8 bits between them
 * (`Resample.c` of Pillow, MIT-CMU licence). Models are trained on what Pillow gives, and handlers in Python use it. Pillow 13
 * begins with columns for some sizes, where pixels differ by one step of 256.
 */

/** Bits behind the point: 8 for the pixel and 2 for sums above and below remain of 32. */
const PRECISION_BITS = 22;
const ONE = 2 ** PRECISION_BITS;

interface Kernel {
  /** Half its width, in pixels of the smaller image. */
  readonly support: number;
  at(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const KERNELS: Readonly<Record<Exclude<ResizeKernel, 'nearest'>, Kernel>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    at: (x) => {
      const from = Math.abs(x);
      if (from === 0) return 1;
      return from >= 1 ? 0 : sinc(from) * (0.54 + 0.46 * Math.cos(from * Math.PI));
    },
  },
  bicubic: {
    support: 2,
    at: (x) => {
      const a = -0.5;
      const from = Math.abs(x);
      if (from < 1) return ((a + 2) * from - (a + 3)) * from * from + 1;
      return from < 2 ? (((from - 5) * from + 8) * from - 4) * a : 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** For each pixel of a line: the first pixel that it takes, how many, and their weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `size` weights a pixel. */
  readonly values: Int32Array;
  readonly size: number;
}

function weightsOf(inSize: number, from: number, to: number, outSize: number, kernel: Kernel): Weights {
  const scale = (to - from) / outSize;
  const filterScale = Math.max(1, scale);
  const support = kernel.support * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const values = new Int32Array(outSize * size);
  const line = new Float64Array(size);
  for (let x = 0; x < outSize; x++) {
    const centre = from + (x + 0.5) * scale;
    const least = Math.max(0, Math.trunc(centre - support + 0.5));
    const most = Math.min(inSize, Math.trunc(centre + support + 0.5)) - least;
    let sum = 0;
    for (let i = 0; i < most; i++) {
      const weight = kernel.at((i + least - centre + 0.5) * (1 / filterScale));
      line[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < most; i++) {
      const weight = (sum === 0 ? (line[i] as number) : (line[i] as number) / sum) * ONE;
      values[x * size + i] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[x] = least;
    count[x] = most;
  }
  return { first, count, values, size };
}

/**
 * An image at another size.
 * @param box the part that is taken; default all of it
 */
export function resample(image: Pixels, width: number, height: number, kernel: ResizeKernel, box?: Box): Pixels {
  const all = { left: 0, top: 0, right: image.width, bottom: image.height };
  const part = box ?? all;
  const isWhole = part.left === 0 && part.top === 0 && part.right === image.width && part.bottom === image.height;
  if (isWhole && width === image.width && height === image.height) return image;
  if (kernel === 'nearest') return nearest(image, width, height, part);
  const chosen = KERNELS[kernel];
  const across = width !== image.width || part.left !== 0 || part.right !== width;
  const down = height !== image.height || part.top !== 0 || part.bottom !== height;
  const columns = weightsOf(image.width, part.left, part.right, width, chosen);
  const rows = weightsOf(image.height, part.top, part.bottom, height, chosen);
  // Rows that the second pass does not take are not made.
  const top = across && down ? (rows.first[0] as number) : 0;
  const last = (rows.first[height - 1] as number) + (rows.count[height - 1] as number);
  const wide = across ? resampleRows(image, width, columns, top, down ? last : image.height) : image;
  return down ? resampleColumns(wide, height, rows, across ? top : 0) : wide;
}

const HALF = 2 ** (PRECISION_BITS - 1);

function resampleRows(image: Pixels, width: number, weights: Weights, top: number, bottom: number): Pixels {
  const { channels, data, width: from } = image;
  const height = bottom - top;
  const result = new Uint8ClampedArray(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const count = weights.count[x] as number;
      const at = x * weights.size;
      const start = ((y + top) * from + (weights.first[x] as number)) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let i = 0; i < count; i++)
          sum += (data[start + i * channels + c] as number) * (weights.values[at + i] as number);
        result[(y * width + x) * channels + c] = sum >> PRECISION_BITS;
      }
    }
  }
  return { width, height, channels, data: new Uint8Array(result.buffer) };
}

function resampleColumns(image: Pixels, height: number, weights: Weights, top: number): Pixels {
  const { channels, data, width } = image;
  const stride = width * channels;
  const result = new Uint8ClampedArray(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    const count = weights.count[y] as number;
    sums.fill(HALF);
    for (let i = 0; i < count; i++) {
      const weight = weights.values[y * weights.size + i] as number;
      const start = ((weights.first[y] as number) - top + i) * stride;
      for (let x = 0; x < stride; x++) sums[x] = (sums[x] as number) + (data[start + x] as number) * weight;
    }
    for (let x = 0; x < stride; x++) result[y * stride + x] = (sums[x] as number) >> PRECISION_BITS;
  }
  return { width, height, channels, data: new Uint8Array(result.buffer) };
}

function nearest(image: Pixels, width: number, height: number, { left, top, right, bottom }: Box): Pixels {
  const { channels, data } = image;
  const result = new Uint8Array(width * height * channels);
  const place = (at: number, from: number, to: number, size: number, most: number): number =>
    Math.min(most - 1, Math.trunc(from + (at + 0.5) * ((to - from) / size)));
  const columns = Int32Array.from({ length: width }, (_, x) => place(x, left, right, width, image.width));
  for (let y = 0; y < height; y++) {
    const row = place(y, top, bottom, height, image.height) * image.width;
    for (let x = 0; x < width; x++) {
      const start = (row + (columns[x] as number)) * channels;
      for (let c = 0; c < channels; c++) result[(y * width + x) * channels + c] = data[start + c] as number;
    }
  }
  return { width, height, channels, data: result };
}
