import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dim } from '../../../src/ir/type.js';
import { describePlan } from '../../../src/samples/images/describe-plan.js';
import { imagePlan, PREPROCESS_FLAG } from '../../../src/samples/images/image-plan.js';
import { parseImageRecipe } from '../../../src/samples/images/parse-image-options.js';
import { DataType } from '../../../src/tensor/dtype.js';

const plan = (recipe: string, shape: readonly Dim[] = ['N', 3, 'H', 'W']) =>
  imagePlan(
    [{ name: 'x', dataType: DataType.FLOAT, shape, typeText: 'float' }],
    parseImageRecipe(recipe),
    PREPROCESS_FLAG,
  );

describe('recipes of images', () => {
  it('imagenet is that of torchvision, and follows the size of the input', () => {
    expect(describePlan(plan('imagenet'))).toBe(
      'images are resized to 256 on the shorter side (bilinear), cut to 224 × 224, nchw rgb, values × 0.003922, minus 0.485/0.456/0.406, by 0.229/0.224/0.225',
    );
    expect(plan('imagenet', ['N', 3, 32, 32])).toMatchObject({ width: 32, height: 32, shortSide: 37 });
    expect(plan('imagenet resize=232')).toMatchObject({ width: 224, height: 224, shortSide: 232, cut: true });
    expect(plan('imagenet resize=stretch size=64')).toMatchObject({ width: 64, resize: 'stretch', shortSide: null });
  });

  it('keys say each step', () => {
    expect(plan('resize=256x200 crop=224x192 kernel=bicubic range=-1..1')).toMatchObject({
      width: 224,
      height: 192,
      resize: 'stretch',
      resizeWidth: 256,
      resizeHeight: 200,
      cut: true,
      kernel: 'bicubic',
      scale: 1 / 127.5,
      mean: [1, 1, 1],
    });
    expect(plan('size=32 range=0..255 layout=NHWC', ['N', 'H', 'W', 3])).toMatchObject({ scale: 1, layout: 'nhwc' });
  });

  it('files have the same keys, or are those of Hugging Face', () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-recipe-'));
    const file = (value: unknown): string => {
      const path = join(folder, 'recipe.json');
      writeFileSync(path, JSON.stringify(value));
      return path;
    };
    expect(plan(file({ resize: 256, crop: [224, 192], mean: [0.5], std: [0.25] }))).toEqual(
      plan('resize=256 crop=224x192 mean=0.5 std=0.25'),
    );
    expect(plan(file({ preset: 'imagenet', kernel: 'bicubic' }))).toEqual(plan('imagenet kernel=bicubic'));
    const processor = { image_processor_type: 'ViTImageProcessor', do_resize: true, size: { height: 224, width: 224 } };
    expect(plan(file({ ...processor, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], resample: 3 }))).toEqual(
      plan('size=224 mean=0.5 std=0.5 kernel=bicubic'),
    );
    const convnext = {
      do_resize: true,
      do_center_crop: true,
      crop_size: 224,
      size: { shortest_edge: 236 },
      do_normalize: false,
    };
    expect(plan(file(convnext))).toEqual(plan('resize=236 crop=224'));
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['imagenett', /no preset/],
    ['imagenet size', /"size" of --preprocess/],
    ['resize=0', /resize=0/],
    ['resize=big', /no value of resize/],
    ['mean=1,x', /no value of mean/],
    ['range=0..2', /no value of range/],
    ['resize=8 resize=9', /resize twice/],
    ['range=0..1 scale=1', /range and scale/],
    ['resize=100 crop=224', /cannot be cut/],
    ['size=20000', /at most/],
    ['size=8 mean=1,2', /3 channels, not 2/],
    ['size=8 dtype=float16', /float/],
    ['size=8 color=gray layout=nchw', /3 channels/],
  ])('%s is refused', (recipe, why) => {
    let thrown: unknown;
    try {
      plan(recipe);
    } catch (error) {
      thrown = error;
    }
    const { code, message, why: reason } = thrown as { code: string; message: string; why?: string };
    expect(['SO1006', 'SO1002']).toContain(code);
    expect(`${message} ${reason}`).toMatch(why);
  });
});
