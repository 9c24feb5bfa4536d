import { SPARSE_TENSOR } from '../../codec/fields.js';
import type { Range } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import { DataType } from '../../tensor/dtype.js';
import { elementCount, type Tensor, typedView } from '../../tensor/tensor.js';
import type { ReadContext } from './read-context.js';
import { MAX_RANK, readTensor } from './read-tensor.js';

/**
 * Checks a SparseTensorProto, whose bytes are kept as they are: `values` of shape [NNZ], `indices` of int64 [NNZ] or
 * [NNZ, rank], within the shape and in ascending order (onnx.proto, SparseTensorProto). Linear in the indices.
 * @throws SO2101
 */
export function checkSparse(context: ReadContext, ranges: readonly Range[]): void {
  const { reader, files } = context;
  const at = ranges[0]?.start ?? 0;
  const parts: { readonly values: Range[]; readonly indices: Range[] } = { values: [], indices: [] };
  const sizes: (number | bigint)[] = [];
  for (const part of reader.fields(ranges, SPARSE_TENSOR)) {
    if (part.number === 1) parts.values.push(part);
    else if (part.number === 2) parts.indices.push(part);
    else if (part.number === 3) reader.pushInt64s(part, sizes, MAX_RANK);
  }
  const fail = (what: string): ServeOptError =>
    new ServeOptError('SO2101', `A sparse tensor ${what} (at byte ${at})`, {
      location: { file: reader.source.label, byteOffset: at },
    });
  const dims = sizes.map((dim) => {
    if (typeof dim === 'bigint' || dim < 0) throw fail(`has a dimension of ${dim}`);
    return dim;
  });
  if (!Number.isSafeInteger(elementCount(dims))) throw fail(`declares ${elementCount(dims)} elements`);
  if (parts.values.length === 0 || parts.indices.length === 0) throw fail('has no values or no indices');
  const values = readTensor(reader, parts.values, files);
  const indices = readTensor(reader, parts.indices, files);
  if (values.rank !== 1) throw fail(`has values of rank ${values.rank} instead of 1`);
  if (indices.dataType !== DataType.INT64) throw fail('has indices that are not int64');
  const width = indices.rank === 2 ? (indices.dims[1] ?? 0) : 1;
  if (indices.rank < 1 || indices.rank > 2 || (indices.rank === 2 && width !== dims.length)) {
    throw fail(`of rank ${dims.length} has indices of shape [${indices.dims.join(',')}]`);
  }
  if (indices.dims[0] !== values.size) throw fail(`has ${values.size} values but ${indices.dims[0]} indices`);
  checkIndices(indices, indices.rank === 2 ? dims : [elementCount(dims)], fail);
}

/** Rows of indices must be within `limits` and ascend strictly. */
function checkIndices(indices: Tensor, limits: readonly number[], fail: (what: string) => ServeOptError): void {
  const list = typedView(BigInt64Array, indices.bytes());
  let previous = -1;
  for (let at = 0; at < list.length; at += limits.length) {
    let position = 0;
    for (let axis = 0; axis < limits.length; axis++) {
      const index = Number(list[at + axis]);
      const limit = limits[axis] ?? 0;
      if (index < 0 || index >= limit) throw fail(`has the index ${index}, but only ${limit} elements`);
      position = position * limit + index;
    }
    if (position <= previous) throw fail('has indices that are not in ascending order');
    previous = position;
  }
}
