import { appendSpan, type Span } from '../../codec/byte-source.js';
import { GRAPH, SPARSE_TENSOR, TENSOR, TENSOR_ANNOTATION, VALUE_INFO } from '../../codec/fields.js';
import type { Field, Range } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Graph } from '../graph.js';
import { sortGraph } from '../sort.js';
import type { ValueType } from '../type.js';
import { Value } from '../value.js';
import { checkSparse } from './check-sparse.js';
import { MAX_GRAPH_DEPTH, MAX_NODES, type ReadContext } from './read-context.js';
import { graphError, type ReadNode, readNode } from './read-node.js';
import { readStringEntry, readTensor, type TensorOrigin } from './read-tensor.js';
import { readType } from './read-type.js';

/** Where the parts of a graph stand in the file; spans include the tag. */
export interface GraphOrigin {
  readonly inputs: Map<Value, Span>;
  readonly outputs: Map<Value, Span>;
  readonly valueInfos: Map<Value, Span>;
  readonly initializers: Map<Value, Span & { readonly tensor: Tensor | undefined }>;
  /** value_info of names that nothing here defines. */
  readonly strayValueInfos: Span[];
  /** quantization_annotation and unknown fields. */
  readonly extras: Span[];
  /** True when the nodes stood in an order that had to be mended. */
  sorted: boolean;
}

interface ValueInfo {
  readonly name: string;
  readonly type: ValueType | undefined;
  readonly docString: string | undefined;
  readonly metadataProps: readonly [string, string][];
}

export function spanOf(context: ReadContext, field: Field): Span {
  return { source: context.reader.source, start: field.tagStart, end: field.end };
}

export function readValueInfo(context: ReadContext, field: Field): ValueInfo {
  const { reader } = context;
  let name = '';
  let docString: string | undefined;
  const types: Range[] = [];
  const metadataProps: [string, string][] = [];
  for (const part of reader.fields([field], VALUE_INFO)) {
    if (part.number === 1) name = reader.text(part);
    else if (part.number === 2) types.push(part);
    else if (part.number === 3) docString = reader.text(part);
    else if (part.number === 4) metadataProps.push(readStringEntry(reader, part));
  }
  return { name, type: types.length > 0 ? readType(reader, types) : undefined, docString, metadataProps };
}

export function emptyGraphOrigin(): GraphOrigin {
  return {
    inputs: new Map(),
    outputs: new Map(),
    valueInfos: new Map(),
    initializers: new Map(),
    strayValueInfos: [],
    extras: [],
    sorted: false,
  };
}

/** Fills `graph` from a GraphProto and then its subgraphs. @throws SO3001 for a graph that contradicts itself */
export function readGraph(context: ReadContext, graph: Graph, ranges: readonly Range[], depth = 0): void {
  const { reader } = context;
  const start = ranges[0]?.start ?? 0;
  if (depth > MAX_GRAPH_DEPTH) {
    throw new ServeOptError('SO2007', `Subgraphs nest deeper than ${MAX_GRAPH_DEPTH} at byte ${start}`, {
      location: { file: reader.source.label, byteOffset: start },
    });
  }
  const origin = emptyGraphOrigin();
  const nodeFields: Field[] = [];
  const outputFields: Field[] = [];
  const valueInfoFields: Field[] = [];
  for (const field of reader.fields(ranges, GRAPH)) {
    switch (field.number) {
      case 1:
        // Counted before they are read, so that a flood of empty nodes does not fill memory first.
        if (context.nodeCount + nodeFields.length >= MAX_NODES) throw tooManyNodes(field);
        nodeFields.push(field);
        break;
      case 2:
        graph.name = reader.text(field);
        break;
      case 5:
        readInitializer(context, graph, origin, field);
        break;
      case 10:
        graph.docString = reader.text(field);
        break;
      case 11:
        readInput(context, graph, origin, field);
        break;
      case 12:
        outputFields.push(field);
        break;
      case 13:
        valueInfoFields.push(field);
        break;
      case 15:
        readSparseInitializer(context, graph, origin, field);
        break;
      case 16:
        graph.metadataProps.set(...readStringEntry(reader, field));
        break;
      default:
        if (field.number === 14) pinAnnotation(context, field);
        appendSpan(origin.extras, spanOf(context, field));
    }
  }
  const nodes = readNodes(context, graph, nodeFields);
  readOutputs(context, graph, origin, outputFields);
  for (const field of valueInfoFields) {
    const info = readValueInfo(context, field);
    const value = graph.values.get(info.name);
    if (!value) {
      appendSpan(origin.strayValueInfos, spanOf(context, field));
      continue;
    }
    origin.valueInfos.set(value, spanOf(context, field));
    describe(value, info);
  }
  graph.origin = origin;
  for (const { subgraphs } of nodes) {
    for (const { graph: inner, ranges: innerRanges } of subgraphs) readGraph(context, inner, innerRanges, depth + 1);
  }
  origin.sorted = sortGraph(graph);
  for (const { node } of nodes) node.changed = false;
  graph.changed = false;
}

function tooManyNodes(field: Field): ServeOptError {
  return new ServeOptError('SO2104', `The model has more than ${MAX_NODES} nodes (at byte ${field.tagStart})`, {
    location: { byteOffset: field.tagStart },
  });
}

function describe(value: Value, info: ValueInfo): void {
  if (value.type === undefined) value.inferType(info.type);
  if (info.docString !== undefined) value.docString ??= info.docString;
  for (const [key, text] of info.metadataProps) value.metadataProps.set(key, text);
  // What the file says is no change.
  value.changed = false;
}

function readInput(context: ReadContext, graph: Graph, origin: GraphOrigin, field: Field): void {
  const info = readValueInfo(context, field);
  if (info.name === '') throw graphError(context, `Graph "${graph.name}" has an input without name`, field.tagStart);
  const known = graph.values.get(info.name);
  if (known && graph.hasInput(known))
    throw graphError(context, `Graph "${graph.name}" has two inputs named "${info.name}"`, field.tagStart);
  const value = known ?? graph.newValue(info.name);
  value.inferType(info.type);
  describe(value, info);
  graph.addInput(value);
  origin.inputs.set(value, spanOf(context, field));
}

function initializerValue(context: ReadContext, graph: Graph, name: string, field: Field): Value {
  if (name === '') throw graphError(context, `Graph "${graph.name}" has an initializer without name`, field.tagStart);
  const value = graph.values.get(name) ?? graph.newValue(name);
  if (graph.initializers.has(value))
    throw graphError(context, `Graph "${graph.name}" has two initializers named "${name}"`, field.tagStart);
  graph.registerInitializer(value);
  return value;
}

function readInitializer(context: ReadContext, graph: Graph, origin: GraphOrigin, field: Field): void {
  const tensor = readTensor(context.reader, [field], context.files);
  const value = initializerValue(context, graph, (tensor.origin as TensorOrigin).name, field);
  value.attachTensor(tensor);
  if (value.type === undefined) value.inferType({ kind: 'tensor', dataType: tensor.dataType, shape: tensor.dims });
  origin.initializers.set(value, { ...spanOf(context, field), tensor });
}

function readSparseInitializer(context: ReadContext, graph: Graph, origin: GraphOrigin, field: Field): void {
  const { reader } = context;
  checkSparse(context, [field]);
  let name = '';
  let dataType = 0;
  const dims: (number | bigint)[] = [];
  for (const part of reader.fields([field], SPARSE_TENSOR)) {
    if (part.number === 3) reader.pushInt64s(part, dims);
    if (part.number !== 1) continue;
    for (const inner of reader.fields([part], TENSOR)) {
      if (inner.number === 8) name = reader.text(inner);
      else if (inner.number === 2) dataType = Number(inner.value);
    }
  }
  const value = initializerValue(context, graph, name, field);
  const span = spanOf(context, field);
  value.sparse = span;
  if (value.type === undefined) {
    value.inferType({
      kind: 'tensor',
      dataType,
      shape: dims.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : undefined)),
    });
  }
  origin.initializers.set(value, { ...span, tensor: undefined });
}

function pinAnnotation(context: ReadContext, field: Field): void {
  for (const part of context.reader.fields([field], TENSOR_ANNOTATION)) {
    if (part.number === 1) context.pinned.add(context.reader.text(part));
    else if (part.number === 2) context.pinned.add(readStringEntry(context.reader, part)[1]);
  }
}

/** Makes the nodes and their outputs, then connects their inputs. */
export function readNodes(context: ReadContext, graph: Graph, fields: readonly Field[]): ReadNode[] {
  const nodes: ReadNode[] = [];
  for (const field of fields) {
    if (++context.nodeCount > MAX_NODES) throw tooManyNodes(field);
    const read = readNode(context, field, graph);
    for (const name of read.outputs) {
      if (name === '') {
        read.node.addOutput(undefined);
        continue;
      }
      if (graph.values.has(name)) {
        // Kept readable, so that such a file can be looked at and copied; `assertValid` refuses to work on it.
        const message = `Graph "${graph.name}" defines "${name}" twice, again in node "${read.node.name}" (${read.node.opType})`;
        context.model.problems.push(graphError(context, message, field.tagStart));
        read.node.addOutput(new Value(graph, name));
        continue;
      }
      read.node.addOutput(graph.newValue(name));
    }
    graph.insert(read.node);
    nodes.push(read);
  }
  for (const [index, { node, inputs }] of nodes.entries()) {
    inputs.forEach((name, slot) => {
      const value = name === '' ? undefined : graph.lookup(name);
      if (name !== '' && !value) {
        throw graphError(
          context,
          `Node "${node.name}" (${node.opType}) consumes "${name}", which is not defined`,
          fields[index]?.tagStart ?? 0,
        );
      }
      node.setInput(slot, value);
    });
  }
  return nodes;
}

function readOutputs(context: ReadContext, graph: Graph, origin: GraphOrigin, fields: readonly Field[]): void {
  const seen = new Set<Value>();
  for (const field of fields) {
    const info = readValueInfo(context, field);
    const value = graph.lookup(info.name);
    if (!value)
      throw graphError(
        context,
        `Graph "${graph.name}" has the output "${info.name}", which is not defined`,
        field.tagStart,
      );
    if (seen.has(value))
      throw graphError(context, `Graph "${graph.name}" has two outputs named "${info.name}"`, field.tagStart);
    seen.add(value);
    describe(value, info);
    graph.addOutput(value);
    origin.outputs.set(value, spanOf(context, field));
  }
}
