import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ImageDecoder } from '../../../src/samples/images/decode-image.js';
import { fitImage } from '../../../src/samples/images/fit-image.js';
import type { ResizeKernel } from '../../../src/samples/images/image-options.js';
import type { ImagePlan } from '../../../src/samples/images/image-plan.js';
import type { Pixels } from '../../../src/samples/images/pixels.js';

const FOLDER = join(import.meta.dirname, '../../../fixtures/images');

interface Check {
  readonly size: readonly [number, number];
  readonly crc32: number;
}
interface Resized extends Check {
  readonly file: string;
  readonly mode: ImagePlan['mode'];
  readonly kernel: ResizeKernel;
  readonly resize: ImagePlan['resize'];
  readonly to: readonly number[];
}
/** What Pillow gives (scripts/make-image-references.py). */
const EXPECTED: {
  readonly decoded: Readonly<Record<string, Readonly<Record<ImagePlan['mode'], Check>>>>;
  readonly resized: readonly Resized[];
} = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));

let decoder: ImageDecoder;
beforeAll(async () => {
  decoder = await ImageDecoder.load();
});

const checkOf = ({ width, height, data }: Pixels): Check => ({ size: [width, height], crc32: crc32(data) });

async function decoded(file: string, mode: ImagePlan['mode']): Promise<Pixels> {
  const pixels = await decoder.decode(join(FOLDER, file), mode);
  if (typeof pixels === 'string') throw new Error(`${file}: ${pixels}`);
  return pixels;
}

/** CMYK: sharp uses a colour profile, Pillow a plain formula. 16 bits: the upper 8 here, while Pillow makes all above 255 white. */
const OWN_COLOURS = new Set(['cmyk.jpg', 'gray16.png']);

describe('images are decoded as Pillow does', () => {
  for (const [file, modes] of Object.entries(EXPECTED.decoded)) {
    if (OWN_COLOURS.has(file)) continue;
    it.each(Object.entries(modes))(`${file} in the mode %s`, async (mode, expected) => {
      expect(checkOf(await decoded(file, mode as ImagePlan['mode']))).toMatchObject({
        size: expected.size,
        crc32: expected.crc32,
      });
    });
  }

  it('decodes AVIF, which is lossless here', async () => {
    const wanted = await decoded('color.png', 'RGB');
    const path = join(mkdtempSync(join(tmpdir(), 'serve-opt-avif-')), 'color.avif');
    await sharp(join(FOLDER, 'color.png')).avif({ lossless: true, chromaSubsampling: '4:4:4' }).toFile(path);
    expect(await decoder.decode(path, 'RGB')).toMatchObject({ width: wanted.width, height: wanted.height });
  });

  it('takes the upper 8 of 16 bits', async () => {
    const { data } = await sharp(join(FOLDER, 'gray16.png'))
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const deep = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    expect([...(await decoded('gray16.png', 'L')).data]).toEqual(Array.from(deep, (value) => value >> 8));
  });

  it('gives CMYK in colours of its own, at its size', async () => {
    expect(await decoded('cmyk.jpg', 'RGB')).toMatchObject({ width: 53, height: 37, channels: 3 });
  });

  it('names why a file is no image', async () => {
    expect(await decoder.decode(join(FOLDER, 'broken.jpg'), 'RGB')).toMatch(/premature|truncated|end/i);
    expect(await decoder.decode(join(FOLDER, 'text.png'), 'RGB')).toMatch(/unsupported image format/);
    expect(await decoder.decode(join(FOLDER, 'missing.png'), 'RGB')).toBe('the file does not exist');
    expect(await decoder.decode(FOLDER, 'RGB')).toMatch(/it is a folder/);
  });

  it('does not wait for a pipe that is named as an image', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'a.jpg');
    execFileSync('mkfifo', [path]);
    expect(await decoder.decode(path, 'RGB')).toMatch(/it is not a regular file/);
  });
});

describe('images are resized as Pillow does, to the last bit', () => {
  it.each(
    EXPECTED.resized.map(
      (each) => [`${each.file} ${each.resize} ${each.kernel} to ${each.to.join('×')}`, each] as const,
    ),
  )('%s', async (_, { file, mode, kernel, resize, to, size, crc32: sum }) => {
    const [width, height] = size;
    const plan: ImagePlan = {
      width,
      height,
      layout: 'nhwc',
      mode,
      color: 'rgb',
      resize,
      shortSide: resize === 'short' ? (to[0] as number) : null,
      resizeWidth: width,
      resizeHeight: height,
      cut: false,
      kernel,
      scale: 1,
      mean: [0],
      std: [1],
    };
    const made = fitImage(await decoded(file, mode), plan);
    if (typeof made === 'string') throw new Error(made);
    expect(checkOf(made)).toEqual({ size, crc32: sum });
  });
});
