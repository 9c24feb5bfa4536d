import { appendSpan, FileBytes, type Span } from '../../codec/byte-source.js';
import { type ExternalFiles, externalReference } from '../../codec/external-data.js';
import { STRING_ENTRY, TENSOR } from '../../codec/fields.js';
import type { Field, Range, WireReader } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import { DataType, dataTypeName, dataTypeRow, rawByteLength, type TypedField } from '../../tensor/dtype.js';
import { memoryBytes, Tensor, type TensorBytes } from '../../tensor/tensor.js';
import { typedFieldBytes } from './typed-fields.js';

/** Where a tensor's bytes and its other fields stand in the file. */
export interface TensorOrigin {
  /** Name field of the TensorProto. */
  readonly name: string;
  /** The raw bytes as they stand in a file, when they do so in one piece: what another model can point at as external data. */
  readonly data: Span | undefined;
  /** The location when the bytes are in an external data file. */
  readonly externalLocation: string | undefined;
  /** Fields that carry neither name, shape, type nor data (doc_string, metadata_props, segment, unknown), tags included. */
  readonly extras: readonly Span[];
}

const TYPED_FIELDS = new Map<number, TypedField>([
  [4, 'float_data'],
  [5, 'int32_data'],
  [6, 'string_data'],
  [7, 'int64_data'],
  [10, 'double_data'],
  [11, 'uint64_data'],
]);

/** No operator takes tensors of more dimensions than a handful. */
export const MAX_RANK = 1024;

interface Parts {
  name: string;
  dataType: number;
  readonly dims: (number | bigint)[];
  raw: Range | undefined;
  readonly typed: Map<TypedField, Field[]>;
  readonly external: (readonly [string, string])[];
  location: number;
  readonly extras: Span[];
}

/** Reads key and value of a StringStringEntryProto. */
export function readStringEntry(reader: WireReader, range: Range): [string, string] {
  let key = '';
  let value = '';
  for (const field of reader.fields([range], STRING_ENTRY)) {
    if (field.number === 1) key = reader.text(field);
    else if (field.number === 2) value = reader.text(field);
  }
  return [key, value];
}

function readParts(reader: WireReader, ranges: readonly Range[]): Parts {
  const parts: Parts = {
    name: '',
    dataType: 0,
    dims: [],
    raw: undefined,
    typed: new Map(),
    external: [],
    location: 0,
    extras: [],
  };
  for (const field of reader.fields(ranges, TENSOR)) {
    const typed = TYPED_FIELDS.get(field.number);
    if (typed) {
      const list = parts.typed.get(typed);
      if (list) list.push(field);
      else parts.typed.set(typed, [field]);
      continue;
    }
    switch (field.number) {
      case 1:
        reader.pushInt64s(field, parts.dims, MAX_RANK);
        break;
      case 2:
        parts.dataType = Number(field.value);
        break;
      case 8:
        parts.name = reader.text(field);
        break;
      case 9:
        parts.raw = field;
        break;
      case 13:
        parts.external.push(readStringEntry(reader, field));
        break;
      case 14:
        parts.location = Number(field.value);
        break;
      default:
        appendSpan(parts.extras, { source: reader.source, start: field.tagStart, end: field.end });
    }
  }
  return parts;
}

/** Reads a TensorProto; its bytes stay in the file. @throws SO2101 when its fields contradict each other, SO2102/SO2103 for external data */
export function readTensor(
  reader: WireReader,
  ranges: readonly Range[],
  files: ExternalFiles | undefined,
  fallbackName = '',
): Tensor {
  const parts = readParts(reader, ranges);
  const at = ranges[0]?.start ?? 0;
  const shownName = parts.name || fallbackName;
  const fail = (what: string): ServeOptError =>
    new ServeOptError('SO2101', `Tensor "${shownName}" ${what} (at byte ${at})`, {
      location: { file: reader.source.label, byteOffset: at, value: shownName },
    });

  const dims = checkDims(parts.dims, fail);
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(size)) throw fail(`declares ${size} elements`);
  if (parts.dataType === DataType.UNDEFINED) throw fail('has no data type');

  const typedNames = [...parts.typed.keys()];
  const isExternal = parts.location === 1;
  const carriers = [...typedNames, ...(parts.raw ? ['raw_data'] : []), ...(isExternal ? ['external_data'] : [])];
  if (carriers.length > 1) throw fail(`has its data twice, in ${carriers.join(' and ')}`);
  const expected = rawByteLength(parts.dataType, size);
  const origin = (data: Span | undefined, externalLocation?: string): TensorOrigin => ({
    name: parts.name,
    data,
    externalLocation,
    extras: parts.extras,
  });

  if (parts.dataType === DataType.STRING) {
    if (parts.raw || isExternal) throw fail('is a string tensor whose data is not in string_data');
    const fields = parts.typed.get('string_data') ?? [];
    if (typedNames.some((name) => name !== 'string_data'))
      throw fail(`is a string tensor with ${typedNames.join(', ')}`);
    if (fields.length !== size) throw fail(`has ${fields.length} strings for ${size} elements`);
    return Tensor.strings(dims, () => fields.map((field) => reader.bytes(field)), origin(undefined));
  }

  if (isExternal) {
    const reference = externalReference(parts.external, shownName);
    if (!files) throw fail('has external data, but the model has no folder to look in');
    const length = reference.length ?? expected;
    if (length === undefined) throw fail('has external data of a type whose size is unknown and gives no length');
    if (expected !== undefined && length !== expected)
      throw fail(`needs ${expected} bytes but its external data has ${length}`);
    const source = files.open(reference.location, shownName);
    if (reference.offset + length > source.sizeBytes) {
      throw new ServeOptError(
        'SO2102',
        `External data of tensor "${shownName}" ends at byte ${reference.offset + length}, but "${reference.location}" has ${source.sizeBytes}`,
        {
          location: { value: shownName },
          hint: 'the data file is cut off or belongs to another export: copy it again',
        },
      );
    }
    const span = { source, start: reference.offset, end: reference.offset + length };
    return Tensor.of(parts.dataType, dims, new FileBytes(span), origin(span, reference.location));
  }

  if (parts.raw) {
    const span = { source: reader.source, start: parts.raw.start, end: parts.raw.end };
    const length = span.end - span.start;
    if (expected !== undefined && length !== expected)
      throw fail(
        `of ${dataTypeName(parts.dataType)}[${dims.join(',')}] needs ${expected} bytes but raw_data has ${length}`,
      );
    return Tensor.of(parts.dataType, dims, new FileBytes(span), origin(span));
  }

  const row = dataTypeRow(parts.dataType);
  if (typedNames.length === 0) {
    if (size > 0) throw fail(`of ${dataTypeName(parts.dataType)}[${dims.join(',')}] has no data`);
    return Tensor.of(parts.dataType, dims, memoryBytes(new Uint8Array(0)), origin(undefined));
  }
  if (!row)
    throw fail(`of ${dataTypeName(parts.dataType)} has data in ${typedNames.join(', ')}, which cannot be interpreted`);
  if (typedNames[0] !== row.typedField)
    throw fail(`of ${row.name} has its data in ${typedNames[0]} instead of ${row.typedField}`);
  const bytes: TensorBytes = typedFieldBytes(reader, parts.typed.get(row.typedField) ?? [], row, size, fail);
  const single = bytes instanceof FileBytes ? bytes.span : undefined;
  return Tensor.of(parts.dataType, dims, bytes, origin(single));
}

function checkDims(dims: readonly (number | bigint)[], fail: (what: string) => ServeOptError): number[] {
  return dims.map((dim) => {
    if (dim < 0) throw fail(`has a negative dimension ${dim}`);
    if (typeof dim === 'bigint') throw fail(`has a dimension of ${dim}`);
    return dim;
  });
}
