import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServeOptError } from '../../../src/errors.js';
import type { Dim } from '../../../src/ir/type.js';
import { openDataset } from '../../../src/samples/dataset/open-dataset.js';
import { parseImageRecipe } from '../../../src/samples/images/parse-image-options.js';
import type { HostTensor, ValueSpec } from '../../../src/samples/types.js';
import { DataType, dataTypeName } from '../../../src/tensor/dtype.js';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/images');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-images-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function image(shape: readonly Dim[], dataType: number = DataType.FLOAT): readonly ValueSpec[] {
  return [{ name: 'pixels', dataType, shape, typeText: `${dataTypeName(dataType)}[${shape.join(',')}]` }];
}

/** A picture of one colour. */
async function picture(
  name: string,
  [r, g, b]: readonly [number, number, number],
  width = 6,
  height = 6,
): Promise<void> {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(path);
}

const open = (shape: readonly Dim[], recipe?: string, labelsPath?: string, dataType?: number) =>
  openDataset(folder, image(shape, dataType), {
    reading: {
      ...(recipe === undefined ? {} : { preprocess: parseImageRecipe(recipe) }),
      ...(labelsPath === undefined ? {} : { labelsPath }),
    },
  });

async function refusal(opening: Promise<unknown>): Promise<ServeOptError> {
  return (await opening.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error,
  )) as ServeOptError;
}

describe('a folder of images', () => {
  it('gives samples in the layout, order and range of the recipe', async () => {
    await picture('b.png', [0, 255, 51]);
    await picture('a.png', [255, 0, 102]);
    const reader = await open(['N', 3, 6, 6], 'mean=0.5 std=0.5 color=bgr');
    expect(reader).toMatchObject({ count: 2, labels: undefined, batchable: true });
    const { data, dims } = (await reader.read(0, 2)).get('pixels') as HostTensor & { readonly data: Float32Array };
    expect(dims).toEqual([2, 3, 6, 6]);
    // a.png first; blue, green, red.
    expect([data[0], data[36], data[72]].map((value) => Number(value?.toFixed(4)))).toEqual([-0.2, -1, 1]);
    expect([data[108], data[144], data[180]].map((value) => Number(value?.toFixed(4)))).toEqual([-0.6, 1, -1]);
  });

  it('gives bytes as they are to an input of bytes, and says what it did', async () => {
    await picture('a.png', [1, 2, 3], 9, 5);
    const reader = await open([1, 6, 6, 3], undefined, undefined, DataType.UINT8);
    expect(reader.warnings).toEqual([
      'no --preprocess was given: images are stretched to 6 × 6 (bilinear), nhwc rgb, values 0 to 255',
    ]);
    const { data } = (await reader.read(0, 1)).get('pixels') as HostTensor & { readonly data: Uint8Array };
    expect([...data.slice(0, 6)]).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('does not guess how numbers were scaled', async () => {
    await picture('a.png', [1, 2, 3]);
    expect(await refusal(open(['N', 3, 6, 6]))).toMatchObject({ code: 'SO4009' });
  });

  it('fills a fixed batch with the last image', async () => {
    for (const [at, name] of ['a.png', 'b.png', 'c.png'].entries()) await picture(name, [at * 10, 0, 0]);
    const reader = await open([2, 3, 6, 6], 'range=0..255');
    expect(reader).toMatchObject({ count: 3, block: 2, batchable: false });
    const { data, dims } = (await reader.read(2, 1)).get('pixels') as HostTensor & { readonly data: Float32Array };
    expect([dims[0], data[0], data[108]]).toEqual([2, 20, 20]);
  });

  it('takes labels from sub-folders in the order of their names', async () => {
    await picture('dog/1.png', [1, 1, 1]);
    await picture('cat/2.png', [2, 2, 2]);
    await picture('cat/10.png', [3, 3, 3]);
    const reader = await open(['N', 3, 6, 6], 'scale=1');
    expect(reader.labels).toMatchObject({ dims: [3], data: Int32Array.of(0, 0, 1) });
    expect(reader.warnings).toEqual(['classes are numbered by the names of sub-folders in order: 0 cat, 1 dog']);
  });

  it('takes sub-folders that are numbers as the numbers of classes', async () => {
    await picture('10/a.png', [1, 1, 1]);
    await picture('2/b.png', [2, 2, 2]);
    expect((await open(['N', 3, 6, 6], 'scale=1')).labels?.data).toEqual(Int32Array.of(2, 10));
  });

  it('takes names of classes and labels from files', async () => {
    await picture('dog/1.png', [1, 1, 1]);
    await picture('cat/2.png', [2, 2, 2]);
    writeFileSync(join(folder, 'names.txt'), 'bird\ndog\ncat\n');
    expect((await open(['N', 3, 6, 6], 'scale=1', join(folder, 'names.txt'))).labels?.data).toEqual(
      Int32Array.of(2, 1),
    );
    writeFileSync(join(folder, 'names.json'), '{"id2label": {"0": "bird", "1": "dog", "2": "cat"}}');
    expect((await open(['N', 3, 6, 6], 'scale=1', join(folder, 'names.json'))).labels?.data).toEqual(
      Int32Array.of(2, 1),
    );
    writeFileSync(join(folder, 'twice.txt'), 'cat\ndog\ncat\n');
    expect(await refusal(open(['N', 3, 6, 6], 'scale=1', join(folder, 'twice.txt')))).toMatchObject({
      code: 'SO4005',
      message: '"twice.txt" has the class "cat" twice',
    });
    writeFileSync(join(folder, 'few.txt'), 'bird\ndgo\n');
    expect(await refusal(open(['N', 3, 6, 6], 'scale=1', join(folder, 'few.txt')))).toMatchObject({
      code: 'SO4005',
      message: 'The sub-folder "cat" is not among the 2 names of classes',
    });
    writeFileSync(join(folder, 'labels.csv'), 'file,label\ncat/2.png,7\n1.png,5\n');
    expect((await open(['N', 3, 6, 6], 'scale=1')).labels?.data).toEqual(Int32Array.of(7, 5));
  });

  it('names images without a label and labels without an image', async () => {
    await picture('1.png', [1, 1, 1]);
    await picture('2.png', [1, 1, 1]);
    writeFileSync(join(folder, 'labels.csv'), 'file,label\n1.png,7\n');
    expect(await refusal(open(['N', 3, 6, 6], 'scale=1'))).toMatchObject({
      code: 'SO4005',
      message: '1 of 2 images have no label in "labels.csv"',
      why: 'the first is "2.png"',
    });
    writeFileSync(join(folder, 'labels.csv'), 'file,label\n1.png,7\n2.png,1\n3.png,1\n');
    expect(await refusal(open(['N', 3, 6, 6], 'scale=1'))).toMatchObject({
      code: 'SO4005',
      message: '"labels.csv" has 3 labels for 2 images',
      why: 'there is no image "3.png"',
    });
  });

  it('says where all samples have one label', async () => {
    await picture('cat/1.png', [1, 1, 1]);
    await picture('cat/2.png', [1, 1, 1]);
    const { warnings } = await open(['N', 3, 6, 6], 'scale=1');
    expect(warnings).toContain('all 2 samples have the label 0: a metric on one class says little');
  });

  it('reads a list of files with labels', async () => {
    await picture('x/1.png', [1, 1, 1]);
    await picture('2.png', [9, 1, 1]);
    const path = join(folder, 'list.csv');
    writeFileSync(path, 'label,file\nb,x/1.png\na,2.png\n');
    const reader = await openDataset(path, image(['N', 3, 6, 6]), {
      reading: { preprocess: parseImageRecipe('scale=1') },
    });
    expect(reader.labels?.data).toEqual(Int32Array.of(1, 0));
    expect((await reader.read(1, 1)).get('pixels')?.data.slice(0, 1)).toEqual(Float32Array.of(9));
  });
});

describe('images that do not do', () => {
  it('are named with the reason, when they are read', async () => {
    copyFileSync(join(FIXTURES, 'broken.jpg'), join(folder, 'broken.jpg'));
    const reader = await open(['N', 3, 6, 6], 'resize=stretch');
    const error = await refusal(Promise.resolve(reader.read(0, 1)));
    expect(error).toMatchObject({ code: 'SO4001', message: 'The image "broken.jpg" cannot be read' });
    expect(error.why).toMatch(/premature|truncated|end/i);
  });

  it('have another size and are not resized', async () => {
    await picture('a.png', [1, 1, 1]);
    await picture('b.png', [1, 1, 1], 7, 6);
    const reader = await open(['N', 3, 6, 6], 'scale=1');
    await reader.read(0, 1);
    expect(await refusal(Promise.resolve(reader.read(0, 2)))).toMatchObject({
      code: 'SO4002',
      message: 'The image "b.png" does not have the size of the input',
      why: 'it has 7 × 6 pixels, the input takes 6 × 6',
    });
    const cut = await open(['N', 3, 6, 6], 'crop=6');
    expect((await cut.read(0, 2)).get('pixels')?.dims).toEqual([2, 3, 6, 6]);
  });

  it('are none: an empty folder, arrays with a recipe, a model of vectors', async () => {
    expect(await refusal(open(['N', 3, 6, 6], 'scale=1'))).toMatchObject({ code: 'SO4001' });
    expect(await refusal(open(['N', 3, 6, 6]))).toMatchObject({
      code: 'SO4001',
      why: expect.stringContaining('no files'),
    });
    await picture('a.png', [1, 1, 1]);
    expect(await refusal(open(['N', 16], 'scale=1'))).toMatchObject({ code: 'SO3501' });
    expect(await refusal(open(['N', 3, 8, 8], 'size=6x6'))).toMatchObject({ code: 'SO1006' });
  });
});
