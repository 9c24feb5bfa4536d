/**
 * Protobuf bytes by hand, right or wrong: a builder that checks nothing, for files no library would write.
 * Message builders below it know the field numbers of onnx.proto; every one takes extra parts to append.
 */

export type Bytes = Uint8Array;

const utf8 = new TextEncoder();

export function concat(...parts: readonly Bytes[]): Bytes {
  return join(parts);
}

/** `concat` for more parts than a call takes arguments. */
export function join(parts: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function text(value: string): Bytes {
  return utf8.encode(value);
}

/** One byte a character, for bytes that are not UTF-8. */
export function latin1(value: string): Bytes {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

/** A base-128 varint; negative numbers as ten bytes, as int64 does. */
export function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(out);
}

export function tag(field: number, wire: number): Bytes {
  return varint(field * 8 + wire);
}

/** A varint field. */
export function int(field: number, value: number | bigint): Bytes {
  return concat(tag(field, 0), varint(value));
}

function wrap(field: number, payload: Bytes): Bytes {
  return concat(tag(field, 2), varint(payload.length), payload);
}

/** A length-delimited field: bytes, text, or a message of the given parts. */
export function message(field: number, ...parts: readonly (Bytes | string)[]): Bytes {
  return wrap(field, join(parts.map((part) => (typeof part === 'string' ? text(part) : part))));
}

/** A length-delimited field that claims another length than it has. */
export function lying(field: number, length: number | bigint, payload: Bytes = new Uint8Array(0)): Bytes {
  return concat(tag(field, 2), varint(length), payload);
}

/** A fixed32 field holding a float. */
export function float(field: number, value: number): Bytes {
  return concat(tag(field, 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** Packed int64 varints. */
export function packed(field: number, values: readonly (number | bigint)[]): Bytes {
  return wrap(field, join(values.map(varint)));
}

/** Messages inside each other around `core`, innermost level first, in time linear in the size; a level is `before`, then the inner message in `field`. */
export function nest(levels: readonly { readonly before: Bytes; readonly field: number }[], core: Bytes): Bytes {
  const prefixes: Bytes[] = [];
  let length = core.length;
  for (const { before, field } of levels) {
    const prefix = concat(before, tag(field, 2), varint(length));
    prefixes.push(prefix);
    length += prefix.length;
  }
  return join([...prefixes.reverse(), core]);
}

// --- onnx.proto ---------------------------------------------------------------------------------------------------

export interface ModelParts {
  readonly irVersion?: number | bigint | undefined;
  /** [domain, version] rows; default ai.onnx 17. */
  readonly opsets?: readonly (readonly [string, number | bigint])[];
  readonly graph?: Bytes | undefined;
}

/** A ModelProto; `irVersion: undefined` or `graph: undefined` leaves the field out. */
export function model(parts: ModelParts, ...extra: readonly Bytes[]): Bytes {
  const { opsets = [['', 17]] } = parts;
  const irVersion = 'irVersion' in parts ? parts.irVersion : 8;
  return concat(
    ...(irVersion === undefined ? [] : [int(1, irVersion)]),
    ...(parts.graph ? [message(7, parts.graph)] : []),
    ...opsets.map(([domain, version]) => message(8, message(1, domain), int(2, version))),
    ...extra,
  );
}

export interface GraphParts {
  readonly name?: string;
  readonly nodes?: readonly Bytes[];
  readonly initializers?: readonly Bytes[];
  readonly inputs?: readonly Bytes[];
  readonly outputs?: readonly Bytes[];
  readonly valueInfos?: readonly Bytes[];
}

/** A GraphProto (contents, without tag). */
export function graph(parts: GraphParts, ...extra: readonly Bytes[]): Bytes {
  return concat(
    ...(parts.nodes ?? []).map((bytes) => message(1, bytes)),
    message(2, parts.name ?? 'g'),
    ...(parts.initializers ?? []).map((bytes) => message(5, bytes)),
    ...(parts.inputs ?? []).map((bytes) => message(11, bytes)),
    ...(parts.outputs ?? []).map((bytes) => message(12, bytes)),
    ...(parts.valueInfos ?? []).map((bytes) => message(13, bytes)),
    ...extra,
  );
}

/** A NodeProto. */
export function node(
  opType: string,
  inputs: readonly (string | Bytes)[],
  outputs: readonly (string | Bytes)[],
  ...extra: readonly Bytes[]
): Bytes {
  return concat(
    ...inputs.map((name) => message(1, name)),
    ...outputs.map((name) => message(2, name)),
    message(4, opType),
    ...extra,
  );
}

/** The name and domain fields of a NodeProto. */
export const nodeName = (name: string | Bytes): Bytes => message(3, name);
export const nodeDomain = (domain: string): Bytes => message(7, domain);

/** AttributeProto.AttributeType. */
export const KIND = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8, type: 13 };

/** An attribute field of a NodeProto: name, declared type, then the parts that hold the value. */
export function attribute(name: string, kind: number | undefined, ...value: readonly Bytes[]): Bytes {
  return message(5, message(1, name), ...(kind === undefined ? [] : [int(20, kind)]), ...value);
}

export const intAttribute = (name: string, value: number | bigint): Bytes => attribute(name, KIND.int, int(3, value));
export const intsAttribute = (name: string, values: readonly (number | bigint)[]): Bytes =>
  attribute(name, KIND.ints, ...values.map((value) => int(8, value)));
export const graphAttribute = (name: string, bytes: Bytes): Bytes => attribute(name, KIND.graph, message(6, bytes));
export const tensorAttribute = (name: string, bytes: Bytes): Bytes => attribute(name, KIND.tensor, message(5, bytes));

/** A TypeProto of a tensor; a string is a symbolic dimension, undefined an unknown one. */
export function tensorTypeBytes(dataType: number, dims?: readonly (number | bigint | string | undefined)[]): Bytes {
  const shape = dims?.map((dim) =>
    message(1, ...(dim === undefined ? [] : [typeof dim === 'string' ? message(2, dim) : int(1, dim)])),
  );
  return message(1, int(1, dataType), ...(shape ? [wrap(2, join(shape))] : []));
}

/** A ValueInfoProto; without a type when none is given. */
export function valueInfo(name: string | Bytes, type: Bytes | undefined = tensorTypeBytes(1, [2])): Bytes {
  return concat(message(1, name), ...(type ? [message(2, type)] : []));
}

/** A TensorProto: name, data type, dims, then the parts that hold the data. */
export function tensor(
  name: string | Bytes,
  dataType: number,
  dims: readonly (number | bigint)[],
  ...data: readonly Bytes[]
): Bytes {
  return concat(...dims.map((dim) => int(1, dim)), int(2, dataType), message(8, name), ...data);
}

export const rawData = (bytes: Bytes): Bytes => message(9, bytes);

/** The fields that make a tensor external. */
export function externalData(entries: readonly (readonly [string, string])[]): Bytes {
  return concat(...entries.map(([key, value]) => message(13, message(1, key), message(2, value))), int(14, 1));
}

/** A FunctionProto field of a model. */
export function localFunction(
  name: string,
  parts: { readonly domain?: string; readonly inputs: string[]; readonly outputs: string[]; readonly nodes: Bytes[] },
  ...extra: readonly Bytes[]
): Bytes {
  return message(
    25,
    message(1, name),
    ...parts.inputs.map((input) => message(4, input)),
    ...parts.outputs.map((output) => message(5, output)),
    ...parts.nodes.map((bytes) => message(7, bytes)),
    message(9, message(1, ''), int(2, 17)),
    message(9, message(1, parts.domain ?? 'my'), int(2, 1)),
    message(10, parts.domain ?? 'my'),
    ...extra,
  );
}

/** The smallest sound model: `Y = Neg(X)` over float[2]. */
export function soundModel(): Bytes {
  return model({ graph: soundGraph() });
}

export function soundGraph(): Bytes {
  return graph({ nodes: [node('Neg', ['X'], ['Y'])], inputs: [valueInfo('X')], outputs: [valueInfo('Y')] });
}
