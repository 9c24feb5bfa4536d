import type { ImagePlan } from './image-plan.js';
import { cropPixels, type Pixels } from './pixels.js';
import { resample } from './resample.js';

/** Rounded to even at a half, as Python's `round`. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * An image at the size of the input, or why it cannot be. The arithmetic of sizes is that of `torchvision.transforms.Resize` and
 * `CenterCrop` on Pillow images, and of `PIL.ImageOps.fit` and `pad`.
 */
export function fitImage(image: Pixels, plan: ImagePlan): Pixels | string {
  const resized = resizedImage(image, plan);
  const { width, height } = plan;
  if (resized.width === width && resized.height === height) return resized;
  const size = `${resized.width} × ${resized.height} pixels`;
  if (!plan.cut) return `it has ${size}, the input takes ${width} × ${height}`;
  if (resized.width < width || resized.height < height)
    return `it has ${size}${plan.resize === 'none' ? '' : ' after the resize'}, too few to cut ${width} × ${height}`;
  const left = roundEven((resized.width - width) / 2);
  const top = roundEven((resized.height - height) / 2);
  return cropPixels(resized, left, top, width, height);
}

function resizedImage(image: Pixels, plan: ImagePlan): Pixels {
  const { resizeWidth: width, resizeHeight: height, kernel } = plan;
  switch (plan.resize) {
    case 'none':
      return image;
    case 'stretch':
      return resample(image, width, height, kernel);
    case 'short':
      return shortened(image, plan.shortSide ?? width, plan);
    case 'crop':
      return filled(image, width, height, plan);
    case 'pad':
      return padded(image, width, height, plan);
  }
}

/** The shorter side gets the size, the longer one the proportion, rounded down. */
function shortened(image: Pixels, side: number, { kernel }: ImagePlan): Pixels {
  const { width, height } = image;
  if (width <= height) return resample(image, side, Math.trunc((side * height) / width), kernel);
  return resample(image, Math.trunc((side * width) / height), side, kernel);
}

/** Cut to the proportion from the centre, to parts of a pixel, and resized. */
function filled(image: Pixels, width: number, height: number, { kernel }: ImagePlan): Pixels {
  const ratio = image.width / image.height;
  const wanted = width / height;
  const [cutWidth, cutHeight] =
    ratio === wanted
      ? [image.width, image.height]
      : ratio >= wanted
        ? [wanted * image.height, image.height]
        : [image.width, image.width / wanted];
  const left = (image.width - cutWidth) * 0.5;
  const top = (image.height - cutHeight) * 0.5;
  // Pillow keeps a box in single precision.
  const box = { left, top, right: left + cutWidth, bottom: top + cutHeight };
  return resample(image, width, height, kernel, {
    left: Math.fround(box.left),
    top: Math.fround(box.top),
    right: Math.fround(box.right),
    bottom: Math.fround(box.bottom),
  });
}

/** As large as it fits, with black bars. */
function padded(image: Pixels, width: number, height: number, { kernel }: ImagePlan): Pixels {
  const ratio = image.width / image.height;
  const wanted = width / height;
  let [w, h] = [width, height];
  if (ratio > wanted) h = roundEven((image.height / image.width) * width);
  else if (ratio < wanted) w = roundEven((image.width / image.height) * height);
  const inner = resample(image, Math.max(1, w), Math.max(1, h), kernel);
  if (inner.width === width && inner.height === height) return inner;
  const left = inner.width === width ? 0 : roundEven((width - inner.width) * 0.5);
  const top = inner.width === width ? roundEven((height - inner.height) * 0.5) : 0;
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * channels, (y + 1) * inner.width * channels);
    data.set(row, ((top + y) * width + left) * channels);
  }
  return { width, height, channels, data };
}
