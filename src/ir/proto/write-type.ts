import type { Span } from '../../codec/byte-source.js';
import { MessageWriter } from '../../codec/message-writer.js';
import type { Dim, ValueType } from '../type.js';
import type { Value } from '../value.js';

/** Encodes a TypeProto; undefined where nothing is known. A kind kept as bytes comes out as those bytes. */
export function encodeType(type: ValueType | undefined): MessageWriter | undefined {
  if (!type) return undefined;
  const writer = new MessageWriter();
  const inner = new MessageWriter();
  switch (type.kind) {
    case 'tensor':
    case 'sparse_tensor':
      inner.int64(1, type.dataType);
      if (type.shape) inner.message(2, encodeShape(type.shape));
      writer.message(type.kind === 'tensor' ? 1 : 8, inner);
      return writer;
    case 'sequence':
    case 'optional': {
      const element = encodeType(type.element);
      if (element) inner.message(1, element);
      writer.message(type.kind === 'sequence' ? 4 : 9, inner);
      return writer;
    }
    case 'map': {
      inner.int64(1, type.keyType);
      const valueType = encodeType(type.valueType);
      if (valueType) inner.message(2, valueType);
      writer.message(5, inner);
      return writer;
    }
    case 'opaque':
      if (!type.origin) return undefined;
      for (const span of type.origin as readonly Span[]) writer.span(span);
      return writer;
  }
}

function encodeShape(shape: readonly Dim[]): MessageWriter {
  const writer = new MessageWriter();
  for (const dim of shape) {
    const entry = new MessageWriter();
    if (typeof dim === 'number') entry.int64(1, dim);
    else if (dim !== undefined) entry.text(2, dim);
    writer.message(1, entry);
  }
  return writer;
}

/** Encodes the entries of a metadata_props map into `field` of `writer`, in insertion order. */
export function encodeMetadata(
  writer: MessageWriter,
  field: number,
  entries: Iterable<readonly [string, string]>,
): void {
  for (const [key, value] of entries) {
    const entry = new MessageWriter();
    entry.text(1, key);
    entry.text(2, value);
    writer.message(field, entry);
  }
}

/** Encodes a ValueInfoProto from what the IR knows of the value. */
export function encodeValueInfo(value: Value): MessageWriter {
  const writer = new MessageWriter();
  writer.text(1, value.name);
  const type = encodeType(value.type);
  if (type) writer.message(2, type);
  writer.textUnlessEmpty(3, value.docString);
  if (value.hasMetadataProps) encodeMetadata(writer, 4, value.metadataProps);
  return writer;
}
