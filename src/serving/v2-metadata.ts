import type { ValueSpec } from '../samples/types.js';
import type { DataTypeCode } from '../tensor/dtype.js';
import { dataTypeName } from '../tensor/dtype.js';
import { jsonObject } from './json-tensor.js';
import { malformed, serverText } from './server-error.js';
import { v2Type } from './v2-tensor.js';

/** An input or output as a server describes it: type by name, -1 for an open dimension. */
export interface DescribedTensor {
  readonly name: string;
  readonly typeName: string;
  readonly shape: readonly number[] | undefined;
}

/** What samples are made for; the server's -1 is an open dimension. */
export function valueSpec(
  tensor: DescribedTensor,
  typeOf: (name: string) => DataTypeCode | undefined = v2Type,
): ValueSpec {
  const dataType = typeOf(tensor.typeName);
  const shape = tensor.shape?.map((dim) => (dim < 0 ? undefined : dim));
  const element = dataType === undefined ? serverText(tensor.typeName) : dataTypeName(dataType);
  const dims = shape === undefined ? '[…]' : shape.length === 0 ? '' : `[${shape.map((dim) => dim ?? '?').join(',')}]`;
  return { name: tensor.name, dataType, shape, typeText: `${element}${dims}` };
}

/** `inputs` or `outputs` of the metadata document. @throws SO5103 */
export function describedTensors(value: unknown, what: string): DescribedTensor[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(`The metadata of the model has no list of ${what}`);
  return value.map((item) => {
    const fields = jsonObject(item);
    const name = fields?.get('name');
    const typeName = fields?.get('datatype');
    const shape = fields?.get('shape');
    if (typeof name !== 'string' || typeof typeName !== 'string' || !isShape(shape)) {
      throw malformed(`The metadata of the model has an entry of ${what} without name, datatype or shape`);
    }
    return { name, typeName, shape };
  });
}

export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim));
}
