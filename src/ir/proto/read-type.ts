import type { Span } from '../../codec/byte-source.js';
import { DIMENSION, ELEMENT_TYPE, MAP_TYPE, SHAPE, TENSOR_TYPE, TYPE } from '../../codec/fields.js';
import type { Range, WireReader } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import type { Dim, OpaqueType, ValueType } from '../type.js';

const MAX_TYPE_DEPTH = 64;
const DENOTATION = 6;

/** Reads a TypeProto. An empty one gives undefined. @throws SO2007 when types nest too deeply */
export function readType(reader: WireReader, ranges: readonly Range[], depth = 0): ValueType | undefined {
  const at = ranges[0]?.start ?? 0;
  if (depth > MAX_TYPE_DEPTH) {
    throw new ServeOptError('SO2007', `Types nest deeper than ${MAX_TYPE_DEPTH} at byte ${at}`, {
      location: { file: reader.source.label, byteOffset: at },
    });
  }
  const byKind = new Map<number, Range[]>();
  let hasUnknown = false;
  for (const field of reader.fields(ranges, TYPE)) {
    if (field.number === DENOTATION) continue;
    if (!field.row) {
      hasUnknown = true;
      continue;
    }
    const list = byKind.get(field.number);
    if (list) list.push(field);
    else byKind.set(field.number, [field]);
  }
  // A oneof: protobuf keeps the member that comes last; files with several do not occur.
  const [kind, payload] = [...byKind].at(-1) ?? [0, []];
  switch (kind) {
    case 0:
      return hasUnknown ? opaqueType(reader, ranges) : undefined;
    case 1:
    case 8: {
      let dataType = 0;
      const shapes: Range[] = [];
      for (const field of reader.fields(payload, TENSOR_TYPE)) {
        if (field.number === 1) dataType = Number(field.value);
        else if (field.number === 2) shapes.push(field);
      }
      return {
        kind: kind === 1 ? 'tensor' : 'sparse_tensor',
        dataType,
        shape: shapes.length > 0 ? readShape(reader, shapes) : undefined,
      };
    }
    case 4:
    case 9: {
      const inner: Range[] = [];
      for (const field of reader.fields(payload, ELEMENT_TYPE)) if (field.number === 1) inner.push(field);
      return { kind: kind === 4 ? 'sequence' : 'optional', element: readType(reader, inner, depth + 1) };
    }
    case 5: {
      let keyType = 0;
      const inner: Range[] = [];
      for (const field of reader.fields(payload, MAP_TYPE)) {
        if (field.number === 1) keyType = Number(field.value);
        else if (field.number === 2) inner.push(field);
      }
      return { kind: 'map', keyType, valueType: readType(reader, inner, depth + 1) };
    }
    default:
      return opaqueType(reader, ranges);
  }
}

/** A kind that has no other form here: its message is kept. */
function opaqueType(reader: WireReader, ranges: readonly Range[]): OpaqueType {
  const spans: readonly Span[] = ranges.map(({ start, end }) => ({ source: reader.source, start, end }));
  return { kind: 'opaque', origin: spans };
}

function readShape(reader: WireReader, ranges: readonly Range[]): Dim[] {
  const dims: Dim[] = [];
  for (const field of reader.fields(ranges, SHAPE)) if (field.number === 1) dims.push(readDim(reader, field));
  return dims;
}

function readDim(reader: WireReader, range: Range): Dim {
  let dim: Dim;
  for (const field of reader.fields([range], DIMENSION)) {
    if (field.number === 1) dim = typeof field.value === 'bigint' ? undefined : field.value;
    else if (field.number === 2) {
      const name = reader.text(field);
      dim = name === '' ? undefined : name;
    }
  }
  return dim;
}
