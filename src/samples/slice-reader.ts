import { ServeOptError } from '../errors.js';
import type { SampleReader } from './sample-reader.js';
import type { HostTensor } from './types.js';

/**
 * The samples `first` to `first + count - 1` of a reader; the reader itself when that is all of them. A count beyond
 * the end is cut.
 * @throws SO4004 when nothing is left.
 */
export function sliceReader(reader: SampleReader, first = 0, count: number = reader.count): SampleReader {
  const end = Math.min(reader.count, first + count);
  if (end <= first) {
    throw new ServeOptError('SO4004', `There are no samples from number ${first} on`, {
      why: `The data has ${reader.count}`,
    });
  }
  if (first === 0 && end === reader.count) return reader;
  return {
    count: end - first,
    labels: reader.labels && sliceRows(reader.labels, reader.count, first, end),
    batchable: reader.batchable,
    ...(reader.block === undefined ? {} : { block: reader.block }),
    ...(reader.warnings && { warnings: reader.warnings }),
    ...(reader.unused && { unused: reader.unused }),
    read: (start, size) => reader.read(first + start, size),
    close: () => reader.close?.(),
  };
}

/** Labels of samples `first..end` of `count`. */
function sliceRows(tensor: HostTensor, count: number, first: number, end: number): HostTensor {
  const sampleLength = tensor.data.length / count;
  return {
    dataType: tensor.dataType,
    dims: [end - first, ...tensor.dims.slice(1)],
    data: tensor.data.slice(first * sampleLength, end * sampleLength),
    ...(tensor.nextTokens ? { nextTokens: true } : {}),
  };
}
