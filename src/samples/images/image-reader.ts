import { ServeOptError } from '../../errors.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { onlyClass } from '../dataset/class-labels.js';
import { makeHostData } from '../dataset/convert.js';
import type { DatasetReader } from '../dataset/dataset-reader.js';
import type { Feeds, HostData, ValueSpec } from '../types.js';
import { ImageDecoder } from './decode-image.js';
import { describePlan } from './describe-plan.js';
import { fitImage } from './fit-image.js';
import type { ImageList } from './image-list.js';
import type { ImageOptions } from './image-options.js';
import { imagePlan, PREPROCESS_FLAG } from './image-plan.js';
import { imageValues } from './image-values.js';

/**
 * Samples from images, each decoded when it is read: memory is that of one batch.
 * @param options the recipe; without one, only an input of bytes tells how images become it
 * @throws SO3501 where the model takes no images, SO1006 where the recipe does not fit, SO4009 without a recipe, SO5007 without sharp
 */
export async function imageReader(
  { paths, names, labels }: ImageList,
  inputs: readonly ValueSpec[],
  options: ImageOptions | undefined,
): Promise<DatasetReader> {
  const [input] = inputs as readonly [ValueSpec];
  const plan = imagePlan(inputs, options ?? withoutRecipe(inputs), PREPROCESS_FLAG);
  const dataType = input.dataType as DataTypeCode;
  const decoder = await ImageDecoder.load();
  const rows = input.shape?.[0];
  const block = typeof rows === 'number' && rows > 1 ? rows : 1;
  const channels = plan.mode === 'L' ? 1 : plan.mode.length;
  const size = plan.width * plan.height * channels;
  const warnings = [...(labels?.notes ?? [])];
  if (options === undefined) warnings.push(`no --preprocess was given: ${describePlan(plan)}`);
  const one = onlyClass(labels?.labels);
  if (one !== undefined)
    warnings.push(`all ${paths.length} samples have the label ${one}: a metric on one class says little`);

  const sample = async (at: number): Promise<HostData> => {
    const pixels = await decoder.decode(paths[at] as string, plan.mode);
    const name = names[at] as string;
    if (typeof pixels === 'string')
      throw new ServeOptError('SO4001', `The image "${name}" cannot be read`, {
        why: pixels,
        hint: 'replace it or take it out',
      });
    const fitted = fitImage(pixels, plan);
    if (typeof fitted === 'string')
      throw new ServeOptError('SO4002', `The image "${name}" does not have the size of the input`, {
        why: fitted,
        hint: "resize with --preprocess, for example 'resize=256 crop=224' or 'resize=stretch'",
      });
    return imageValues(fitted, plan, dataType);
  };

  return {
    count: paths.length,
    labels: labels?.labels,
    batchable: typeof rows !== 'number' || rows <= 0,
    ...(block > 1 && { block }),
    warnings,
    unused: [],
    async read(start, wanted) {
      const count = Math.max(wanted, block);
      const data = makeHostData(dataType, size * count) as Exclude<HostData, readonly string[]>;
      for (let row = 0; row < wanted; row++) {
        const values = await sample(start + row);
        (data as Float32Array).set(values as Float32Array, row * size);
      }
      // What is missing of a fixed batch is the last one again.
      const last = (data as Float32Array).slice((wanted - 1) * size, wanted * size);
      for (let row = wanted; row < count; row++) (data as Float32Array).set(last, row * size);
      const sides = [plan.height, plan.width];
      const dims = plan.layout === 'nchw' ? [count, channels, ...sides] : [count, ...sides, channels];
      const feeds: Feeds = new Map([[input.name, { dataType, dims, data }]]);
      return feeds;
    },
  };
}

/** Bytes are taken as they are; how numbers were scaled, no shape tells. */
function withoutRecipe([input]: readonly ValueSpec[]): ImageOptions {
  if (input?.dataType === DataType.UINT8) return { resize: 'stretch' };
  throw new ServeOptError('SO4009', 'How images become the input is not known', {
    why: `the input "${input?.name}" is ${input?.typeText}: its range, mean and size of the resize are not in the model`,
  });
}
