import { ServeOptError } from '../../errors.js';
import { DataType, dataTypeRow } from '../../tensor/dtype.js';
import { elementCount } from '../../tensor/tensor.js';
import type { HostTensor } from '../types.js';
import { widenHalf } from './convert.js';
import type { SourceArray } from './source-array.js';

/** Names under which labels are found when no other is given. */
export const LABEL_NAMES = ['labels', 'label'] as const;

/** Fills rows of labels that are shorter than the longest, and marks entries that are not scored. */
export const NO_LABEL = -1;

/**
 * Labels as metrics want them: INT32 when every label is a whole number of that range, DOUBLE for other numbers, STRING
 * for text. The shape stays.
 */
export function readLabels(array: SourceArray): HostTensor {
  const count = elementCount(array.dims);
  const data = array.read(0, count);
  if (Array.isArray(data)) return { dataType: DataType.STRING, dims: array.dims, data };
  const kind = dataTypeRow(array.dataType)?.kind;
  if (kind !== 'float' && kind !== 'int' && kind !== 'uint' && kind !== 'bool')
    throw new ServeOptError('SO4001', `The labels in "${array.label}" are ${array.typeText}`);
  const source = widenHalf(data as Exclude<typeof data, readonly string[]>, array.dataType);
  const numbers = new Float64Array(count);
  let whole = true;
  for (let i = 0; i < count; i++) {
    const value = Number(source[i]);
    numbers[i] = value;
    if ((value | 0) !== value) whole = false;
  }
  return whole
    ? { dataType: DataType.INT32, dims: array.dims, data: Int32Array.from(numbers) }
    : { dataType: DataType.DOUBLE, dims: array.dims, data: numbers };
}

/**
 * Labels of several shards one after the other; rows of unequal length are filled up with -1.
 * @throws SO4005 when some are text and others numbers, or their ranks differ.
 */
export function joinLabels(parts: readonly HostTensor[]): HostTensor {
  const [first] = parts;
  if (!first) throw new ServeOptError('SO4005', 'No labels were given');
  if (parts.length === 1) return first;
  const text = first.dataType === DataType.STRING;
  for (const part of parts) {
    if ((part.dataType === DataType.STRING) !== text)
      throw new ServeOptError('SO4005', 'Some labels are text and others are numbers');
    if (part.dims.length !== first.dims.length)
      throw new ServeOptError('SO4005', 'Some samples have one label and others a list of labels');
  }
  let count = 0;
  for (const part of parts) count += part.dims[0] ?? 1;
  if (first.dims.length > 2) {
    const inner = first.dims.slice(1);
    if (parts.some((part) => part.dims.slice(1).join() !== inner.join()))
      throw new ServeOptError('SO4005', 'The labels of the samples differ in shape');
  }
  const width = parts.reduce((most, part) => Math.max(most, elementCount(part.dims.slice(1))), 0);
  const dims = first.dims.length === 2 ? [count, width] : [count, ...first.dims.slice(1)];
  const whole = parts.every((part) => part.dataType === DataType.INT32);
  const values: string[] | Int32Array | Float64Array = text
    ? new Array<string>(count * width).fill('')
    : (whole ? new Int32Array(count * width) : new Float64Array(count * width)).fill(NO_LABEL);
  let row = 0;
  for (const part of parts) {
    const rows = part.dims[0] ?? 1;
    const partWidth = elementCount(part.dims.slice(1));
    for (let r = 0; r < rows; r++, row++) {
      for (let i = 0; i < partWidth; i++) {
        const value = part.data[r * partWidth + i];
        (values as (string | number)[])[row * width + i] = value as string | number;
      }
    }
  }
  const dataType = text ? DataType.STRING : whole ? DataType.INT32 : DataType.DOUBLE;
  return { dataType, dims, data: values };
}
