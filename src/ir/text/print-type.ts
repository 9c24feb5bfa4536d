import { type DataTypeCode, dataTypeRow } from '../../tensor/dtype.js';
import type { Shape, ValueType } from '../type.js';
import { formatIdentifier } from './names.js';

/** A type as `parseType` reads it. Unlike `formatType` it quotes odd symbols and gives unnamed data types by number. */
export function printType(type: ValueType | undefined): string {
  // A chain of containers is followed by a loop: how deep types nest is the model's choice.
  let before = '';
  let after = '';
  let inner = type;
  while (inner) {
    switch (inner.kind) {
      case 'tensor':
        return `${before}${printTensorType(inner.dataType, inner.shape)}${after}`;
      case 'sparse_tensor':
        return `${before}sparse_tensor(${printTensorType(inner.dataType, inner.shape)})${after}`;
      case 'opaque':
        return `${before}opaque()${after}`;
      case 'map':
        before += `map(${printDataType(inner.keyType)}, `;
        inner = inner.valueType;
        break;
      default:
        before += inner.kind === 'sequence' ? 'seq(' : 'optional(';
        inner = inner.element;
    }
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
  const dims = (shape ?? []).map((dim) =>
    dim === undefined ? '?' : typeof dim === 'string' ? formatIdentifier(dim) : dim,
  );
  return `${printDataType(dataType)}[${dims.join(',')}]`;
}
