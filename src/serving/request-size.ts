import { ServeOptError } from '../errors.js';
import { DataType, type DataTypeCode, rawByteLength } from '../tensor/dtype.js';
import { serverText } from './server-error.js';

/** A text with its length, and what it takes in memory while it is encoded. */
const STRING_BYTES = 32;
/** A number in JSON with its comma: as many digits as give back a double. */
const JSON_NUMBER_BYTES = 24;

/** About how many bytes an element takes in a request, and no less in memory. */
export function binaryElementBytes(dataType: DataTypeCode): number {
  if (dataType === DataType.STRING) return STRING_BYTES;
  return (rawByteLength(dataType, 8) ?? 64) / 8;
}

/** The same for requests in JSON. */
export function jsonElementBytes(dataType: DataTypeCode): number {
  if (dataType === DataType.STRING) return STRING_BYTES;
  return dataType === DataType.BOOL ? 6 : JSON_NUMBER_BYTES;
}

/** A tensor that is to be sent. */
export interface SizedTensor {
  readonly name: string;
  readonly dataType: DataTypeCode;
  readonly dims: readonly number[];
}

/**
 * Refuses a request that would be too large, before any of it is made.
 * @throws SO2104, naming the largest input
 */
export function checkRequestSize(
  tensors: readonly SizedTensor[],
  elementBytes: (dataType: DataTypeCode) => number,
  limitBytes: number,
): void {
  let total = 0;
  let largest: { readonly tensor: SizedTensor; readonly bytes: number } | undefined;
  for (const tensor of tensors) {
    // Lists of JSON are written for an empty tensor too: a size of 0 counts as 1.
    const elements = tensor.dims.reduce((product, dim) => product * Math.max(1, dim), 1);
    const bytes = elements * elementBytes(tensor.dataType);
    total += bytes;
    if (!largest || bytes > largest.bytes) largest = { tensor, bytes };
  }
  if (largest === undefined || total <= limitBytes) return;
  const { tensor, bytes } = largest;
  const shape = `[${tensor.dims.slice(0, 16).join(',')}${tensor.dims.length > 16 ? ',…' : ''}]`;
  const others = tensors.length === 1 ? '' : `, all ${tensors.length} inputs ${mebibytes(total)}`;
  throw new ServeOptError(
    'SO2104',
    `The input "${serverText(tensor.name)}" of shape ${shape} takes ${mebibytes(bytes)} in each request${others}`,
    {
      why: `a request has at most ${mebibytes(limitBytes)}`,
      hint: 'choose smaller sizes with --dim or --batch, where the model leaves them open',
    },
  );
}

function mebibytes(bytes: number): string {
  const value = bytes / 1024 ** 2;
  return value < 1e7 ? `${Math.ceil(value)} MiB` : `${value.toExponential(1)} MiB`;
}
