/**
 * The messages of onnx.proto (IR version 14) as data: field number → name and the wire types it may have.
 * Our own table, because generated decoders drop unknown fields and stop at the version they were made for.
 */

export interface FieldRow {
  readonly number: number;
  readonly name: string;
  readonly wires: readonly number[];
}

export interface FieldTable {
  /** Message name for errors, for example `GraphProto`. */
  readonly message: string;
  readonly rows: ReadonlyMap<number, FieldRow>;
}

/** Wire types by kind of field; repeated numbers may be packed or not. */
const KINDS = {
  varint: [0],
  varints: [0, 2],
  float: [5],
  floats: [5, 2],
  doubles: [1, 2],
  bytes: [2],
} as const;

type Kind = keyof typeof KINDS;

function table(message: string, rows: Record<number, readonly [string, Kind]>): FieldTable {
  const entries = Object.entries(rows).map(([key, [name, kind]]): [number, FieldRow] => [
    Number(key),
    { number: Number(key), name, wires: KINDS[kind] },
  ]);
  return { message, rows: new Map(entries) };
}

export const MODEL = table('ModelProto', {
  1: ['ir_version', 'varint'],
  2: ['producer_name', 'bytes'],
  3: ['producer_version', 'bytes'],
  4: ['domain', 'bytes'],
  5: ['model_version', 'varint'],
  6: ['doc_string', 'bytes'],
  7: ['graph', 'bytes'],
  8: ['opset_import', 'bytes'],
  14: ['metadata_props', 'bytes'],
  20: ['training_info', 'bytes'],
  25: ['functions', 'bytes'],
  26: ['configuration', 'bytes'],
});

export const OPSET = table('OperatorSetIdProto', { 1: ['domain', 'bytes'], 2: ['version', 'varint'] });

export const STRING_ENTRY = table('StringStringEntryProto', { 1: ['key', 'bytes'], 2: ['value', 'bytes'] });

export const GRAPH = table('GraphProto', {
  1: ['node', 'bytes'],
  2: ['name', 'bytes'],
  5: ['initializer', 'bytes'],
  10: ['doc_string', 'bytes'],
  11: ['input', 'bytes'],
  12: ['output', 'bytes'],
  13: ['value_info', 'bytes'],
  14: ['quantization_annotation', 'bytes'],
  15: ['sparse_initializer', 'bytes'],
  16: ['metadata_props', 'bytes'],
});

export const NODE = table('NodeProto', {
  1: ['input', 'bytes'],
  2: ['output', 'bytes'],
  3: ['name', 'bytes'],
  4: ['op_type', 'bytes'],
  5: ['attribute', 'bytes'],
  6: ['doc_string', 'bytes'],
  7: ['domain', 'bytes'],
  8: ['overload', 'bytes'],
  9: ['metadata_props', 'bytes'],
  10: ['device_configurations', 'bytes'],
});

export const ATTRIBUTE = table('AttributeProto', {
  1: ['name', 'bytes'],
  2: ['f', 'float'],
  3: ['i', 'varint'],
  4: ['s', 'bytes'],
  5: ['t', 'bytes'],
  6: ['g', 'bytes'],
  7: ['floats', 'floats'],
  8: ['ints', 'varints'],
  9: ['strings', 'bytes'],
  10: ['tensors', 'bytes'],
  11: ['graphs', 'bytes'],
  13: ['doc_string', 'bytes'],
  14: ['tp', 'bytes'],
  15: ['type_protos', 'bytes'],
  20: ['type', 'varint'],
  21: ['ref_attr_name', 'bytes'],
  22: ['sparse_tensor', 'bytes'],
  23: ['sparse_tensors', 'bytes'],
});

export const TENSOR = table('TensorProto', {
  1: ['dims', 'varints'],
  2: ['data_type', 'varint'],
  3: ['segment', 'bytes'],
  4: ['float_data', 'floats'],
  5: ['int32_data', 'varints'],
  6: ['string_data', 'bytes'],
  7: ['int64_data', 'varints'],
  8: ['name', 'bytes'],
  9: ['raw_data', 'bytes'],
  10: ['double_data', 'doubles'],
  11: ['uint64_data', 'varints'],
  12: ['doc_string', 'bytes'],
  13: ['external_data', 'bytes'],
  14: ['data_location', 'varint'],
  16: ['metadata_props', 'bytes'],
});

export const SPARSE_TENSOR = table('SparseTensorProto', {
  1: ['values', 'bytes'],
  2: ['indices', 'bytes'],
  3: ['dims', 'varints'],
});

export const VALUE_INFO = table('ValueInfoProto', {
  1: ['name', 'bytes'],
  2: ['type', 'bytes'],
  3: ['doc_string', 'bytes'],
  4: ['metadata_props', 'bytes'],
});

export const TYPE = table('TypeProto', {
  1: ['tensor_type', 'bytes'],
  4: ['sequence_type', 'bytes'],
  5: ['map_type', 'bytes'],
  6: ['denotation', 'bytes'],
  7: ['opaque_type', 'bytes'],
  8: ['sparse_tensor_type', 'bytes'],
  9: ['optional_type', 'bytes'],
});

export const TENSOR_TYPE = table('TypeProto.Tensor', { 1: ['elem_type', 'varint'], 2: ['shape', 'bytes'] });
export const ELEMENT_TYPE = table('TypeProto.Sequence', { 1: ['elem_type', 'bytes'] });
export const MAP_TYPE = table('TypeProto.Map', { 1: ['key_type', 'varint'], 2: ['value_type', 'bytes'] });
export const SHAPE = table('TensorShapeProto', { 1: ['dim', 'bytes'] });
export const DIMENSION = table('TensorShapeProto.Dimension', {
  1: ['dim_value', 'varint'],
  2: ['dim_param', 'bytes'],
  3: ['denotation', 'bytes'],
});

export const FUNCTION = table('FunctionProto', {
  1: ['name', 'bytes'],
  4: ['input', 'bytes'],
  5: ['output', 'bytes'],
  6: ['attribute', 'bytes'],
  7: ['node', 'bytes'],
  8: ['doc_string', 'bytes'],
  9: ['opset_import', 'bytes'],
  10: ['domain', 'bytes'],
  11: ['attribute_proto', 'bytes'],
  12: ['value_info', 'bytes'],
  13: ['overload', 'bytes'],
  14: ['metadata_props', 'bytes'],
});

export const TENSOR_ANNOTATION = table('TensorAnnotation', {
  1: ['tensor_name', 'bytes'],
  2: ['quant_parameter_tensor_names', 'bytes'],
});

export const NODE_DEVICE_CONFIGURATION = table('NodeDeviceConfigurationProto', {
  1: ['configuration_id', 'bytes'],
  2: ['sharding_spec', 'bytes'],
  3: ['pipeline_stage', 'varint'],
});
export const SHARDING_SPEC = table('ShardingSpecProto', {
  1: ['tensor_name', 'bytes'],
  2: ['device', 'varints'],
  3: ['index_to_device_group_map', 'bytes'],
  4: ['sharded_dim', 'bytes'],
});
