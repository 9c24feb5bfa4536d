import { type DataTypeCode, dataTypeRow } from '../../tensor/dtype.js';
import type { Shape, ValueType } from '../type.js';
import { formatName } from './names.js';

/** A type as `parseType` reads it. Unlike `formatType` it quotes odd symbols and gives unnamed data types by number. */
export function printType(type: ValueType | undefined): string {
  // A chain of containers is followed by a loop: how deep types nest is the model's choice.
  let before = '';
  let after = '';
  let inner = type;
  for (; inner; inner = inner.kind === 'map' ? inner.valueType : inner.element) {
    if (inner.kind === 'tensor') return `${before}${printTensorType(inner.dataType, inner.shape)}${after}`;
    if (inner.kind === 'opaque') return `${before}opaque()${after}`;
    if (inner.kind === 'sparse_tensor') {
      return `${before}sparse_tensor(${printTensorType(inner.dataType, inner.shape)})${after}`;
    }
    if (inner.kind === 'map') before += `map(${printDataType(inner.keyType)}, `;
    else before += inner.kind === 'sequence' ? 'seq(' : 'optional(';
    after += ')';
  }
  return `${before}?${after}`;
}

export function printDataType(code: DataTypeCode): string {
  return dataTypeRow(code)?.name ?? `type(${code})`;
}

/** `float` is a scalar, `float[]` a tensor of unknown rank. */
export function printTensorType(dataType: DataTypeCode, shape: Shape): string {
  if (shape?.length === 0) return printDataType(dataType);
  const dims = (shape ?? []).map((dim) => (dim === undefined ? '?' : typeof dim === 'string' ? formatName(dim) : dim));
  return `${printDataType(dataType)}[${dims.join(',')}]`;
}
