import { MessageWriter } from '../../codec/message-writer.js';
import { DataType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { TensorOrigin } from './read-tensor.js';

/** Where a tensor's bytes are kept when not in the model file. */
export interface ExternalPlacement {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface EncodeOptions {
  /** Asked for each initializer: a placement makes it external data; undefined keeps it in the model. */
  readonly external?: (tensor: Tensor) => ExternalPlacement | undefined;
}

/** Encodes a TensorProto with the given name. */
export function encodeTensor(tensor: Tensor, name: string, placement?: ExternalPlacement): MessageWriter {
  const writer = new MessageWriter();
  const origin = tensor.origin as TensorOrigin | undefined;
  for (const dim of tensor.dims) writer.int64(1, dim);
  writer.int64(2, tensor.dataType);
  if (tensor.dataType === DataType.STRING) for (const element of tensor.stringElements()) writer.bytes(6, element);
  writer.textUnlessEmpty(8, name);
  if (placement) {
    for (const [key, value] of [
      ['location', placement.location],
      ['offset', String(placement.offset)],
      ['length', String(placement.length)],
    ] as const) {
      const entry = new MessageWriter();
      entry.text(1, key);
      entry.text(2, value);
      writer.message(13, entry);
    }
    writer.int64(14, 1);
  } else if (tensor.dataType !== DataType.STRING) writer.payload(9, tensor.data);
  for (const extra of origin?.extras ?? []) writer.span(extra);
  return writer;
}
