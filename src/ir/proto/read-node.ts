import { appendSpan, type Span } from '../../codec/byte-source.js';
import { ATTRIBUTE, NODE, NODE_DEVICE_CONFIGURATION, SHARDING_SPEC } from '../../codec/fields.js';
import { type Field, MAX_LIST_VALUES, type Range, type WireReader } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import { ATTRIBUTE_TYPE, type Attribute, type AttributeKind, type AttributeValue } from '../attribute.js';
import { Graph } from '../graph.js';
import { Node } from '../node.js';
import { withItem } from '../with-item.js';
import { checkSparse } from './check-sparse.js';
import type { ReadContext } from './read-context.js';
import { readStringEntry, readTensor } from './read-tensor.js';
import { readType } from './read-type.js';

/** Where a node stands in the file, and what of it the IR does not hold. */
export interface NodeOrigin extends Span {
  /** The domain as the file spells it: absent, '' and 'ai.onnx' are one domain but not one byte string. */
  readonly domain: string | undefined;
  /** device_configurations and unknown fields, tags included. */
  readonly extras: readonly Span[];
}

/** Where an attribute stands in the file. `extras` is its doc_string and unknown fields. */
export interface AttributeOrigin extends Span {
  readonly extras: readonly Span[];
}

/** '' and 'ai.onnx' name the same domain. */
export function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** A subgraph whose content is read once every value around it is known. */
export interface PendingGraph {
  readonly graph: Graph;
  readonly ranges: readonly Range[];
}

export interface ReadNode {
  readonly node: Node;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly subgraphs: readonly PendingGraph[];
}

const KIND_BY_CODE = new Map<number, AttributeKind>(
  Object.entries(ATTRIBUTE_TYPE).map(([kind, code]) => [code, kind as AttributeKind]),
);

/** Field number → the attribute kind whose value it carries. */
const KIND_BY_FIELD = new Map<number, AttributeKind>([
  [2, 'float'],
  [3, 'int'],
  [4, 'string'],
  [5, 'tensor'],
  [6, 'graph'],
  [7, 'floats'],
  [8, 'ints'],
  [9, 'strings'],
  [10, 'tensors'],
  [11, 'graphs'],
  [14, 'type'],
  [15, 'types'],
  [22, 'sparse_tensor'],
  [23, 'sparse_tensors'],
]);

/** Reads a NodeProto into a node of `graph` that has no inputs and outputs yet. */
export function readNode(context: ReadContext, field: Field, graph: Graph): ReadNode {
  const { reader } = context;
  const node = new Node(graph, '', '', '');
  let inputs: string[] = [];
  let outputs: string[] = [];
  const attributeFields: Field[] = [];
  const extras: Span[] = [];
  let domain: string | undefined;
  for (const part of reader.fields([field], NODE)) {
    switch (part.number) {
      case 1:
        inputs = withItem(inputs, reader.text(part));
        break;
      case 2:
        outputs = withItem(outputs, reader.text(part));
        break;
      case 3:
        node.name = reader.text(part);
        break;
      case 4:
        node.opType = reader.text(part);
        break;
      case 5:
        attributeFields.push(part);
        break;
      case 6:
        node.docString = reader.text(part);
        break;
      case 7:
        domain = reader.text(part);
        node.domain = normalizeDomain(domain);
        break;
      case 8:
        node.overload = reader.text(part);
        break;
      case 9:
        node.metadataProps.set(...readStringEntry(reader, part));
        break;
      default:
        appendSpan(extras, { source: reader.source, start: part.tagStart, end: part.end });
        if (part.number === 10) for (const name of shardedTensors(reader, part)) context.pinned.add(name);
    }
  }
  const subgraphs: PendingGraph[] = [];
  for (const part of attributeFields) {
    const attribute = readAttribute(context, part, node, subgraphs);
    if (node.attributes.has(attribute.name)) {
      throw graphError(
        context,
        `Node "${node.name || outputs[0]}" (${node.opType}) has the attribute "${attribute.name}" twice`,
        part.tagStart,
      );
    }
    node.setAttribute(attribute);
  }
  const origin: NodeOrigin = { source: reader.source, start: field.tagStart, end: field.end, domain, extras };
  node.origin = origin;
  return { node, inputs, outputs, subgraphs };
}

export function graphError(context: ReadContext, message: string, byteOffset: number): ServeOptError {
  return new ServeOptError('SO3001', `${message} (at byte ${byteOffset})`, {
    location: { file: context.reader.source.label, byteOffset },
  });
}

/** Tensor names that the sharding specifications of a node mention: they must keep their names. */
function* shardedTensors(reader: WireReader, field: Field): Generator<string> {
  for (const part of reader.fields([field], NODE_DEVICE_CONFIGURATION)) {
    if (part.number !== 2) continue;
    for (const inner of reader.fields([part], SHARDING_SPEC)) if (inner.number === 1) yield reader.text(inner);
  }
}

interface Lists {
  readonly ints: (number | bigint)[];
  readonly floats: number[];
  readonly strings: Uint8Array[];
}

/** Reads an AttributeProto. Subgraphs are created empty and added to `subgraphs` to be filled later. */
export function readAttribute(
  context: ReadContext,
  field: Field,
  node: Node | undefined,
  subgraphs: PendingGraph[],
): Attribute {
  const { reader } = context;
  const payload = new Map<AttributeKind, Field[]>();
  const shared = new Map<string, Uint8Array>();
  const lists: Lists = { ints: [], floats: [], strings: [] };
  const extras: Span[] = [];
  let name = '';
  let reference: string | undefined;
  let code = 0;
  for (const part of reader.fields([field], ATTRIBUTE)) {
    const kind = KIND_BY_FIELD.get(part.number);
    if (kind) {
      const list = payload.get(kind) ?? [];
      if (list.length === 0) payload.set(kind, list);
      if (!pushListed(reader, kind, part, lists, shared)) list.push(part);
    } else if (part.number === 1) name = reader.text(part);
    else if (part.number === 20) code = Number(part.value);
    else if (part.number === 21) reference = reader.text(part);
    else appendSpan(extras, { source: reader.source, start: part.tagStart, end: part.end });
  }
  const origin: AttributeOrigin = { source: reader.source, start: field.tagStart, end: field.end, extras };
  const fail = (what: string): ServeOptError =>
    graphError(
      context,
      `Attribute "${name}" of node "${node?.name ?? ''}" (${node?.opType ?? 'function'}) ${what}`,
      field.tagStart,
    );
  if (reference !== undefined && reference !== '') {
    const kind = code === 0 ? undefined : KIND_BY_CODE.get(code);
    return { name, value: { kind: 'reference', value: reference, ...(kind ? { declared: kind } : {}) }, origin };
  }
  if (payload.size > 1) throw fail(`has several values: ${[...payload.keys()].join(', ')}`);
  const [present] = payload.keys();
  const declared = code === 0 ? present : KIND_BY_CODE.get(code);
  if (present !== undefined && declared !== undefined && present !== declared)
    throw fail(`is declared ${declared} but has ${present}`);
  if (declared === undefined && code === 0) throw fail('has neither type nor value');
  const value =
    declared === undefined
      ? opaque
      : attributeValue(context, declared, payload.get(declared) ?? [], lists, node, subgraphs, fail);
  return { name, value, origin };
}

/**
 * Values that are kept as they come rather than by place: tree ensembles have millions, and exporters do not pack them.
 * @returns false for a kind that is read later
 */
function pushListed(
  reader: WireReader,
  kind: AttributeKind,
  field: Field,
  lists: Lists,
  shared: Map<string, Uint8Array>,
): boolean {
  if (kind === 'ints') reader.pushInt64s(field, lists.ints, MAX_LIST_VALUES);
  else if (kind === 'floats') reader.pushFloats(field, lists.floats, MAX_LIST_VALUES);
  else if (kind === 'strings') {
    if (lists.strings.length >= MAX_LIST_VALUES) {
      throw reader.tooLarge(`A list of more than ${MAX_LIST_VALUES} values`, field.tagStart);
    }
    lists.strings.push(sharedBytes(reader, field, shared));
  } else return false;
  return true;
}

/** Short strings come again and again (`BRANCH_LEQ` for every node of a tree): equal ones are one array. */
function sharedBytes(reader: WireReader, field: Field, shared: Map<string, Uint8Array>): Uint8Array {
  if (field.end - field.start > 64) return reader.bytes(field);
  const text = reader.text(field);
  const known = shared.get(text);
  if (known) return known;
  const bytes = reader.bytes(field);
  shared.set(text, bytes);
  return bytes;
}

const opaque: AttributeValue = { kind: 'opaque', value: undefined };

function attributeValue(
  context: ReadContext,
  kind: AttributeKind,
  fields: readonly Field[],
  lists: Lists,
  node: Node | undefined,
  subgraphs: PendingGraph[],
  fail: (what: string) => ServeOptError,
): AttributeValue {
  const { reader } = context;
  const last = fields.at(-1);
  switch (kind) {
    case 'float':
      return { kind, value: last ? reader.float(last) : 0 };
    case 'int':
      return { kind, value: last ? last.value : 0 };
    case 'string':
      return { kind, value: last ? reader.bytes(last) : new Uint8Array(0) };
    case 'tensor':
      if (!last) throw fail('is declared a tensor but has none');
      return { kind, value: readTensor(reader, fields, context.files, node?.name) };
    case 'graph':
      if (!last) throw fail('is declared a graph but has none');
      return { kind, value: subgraph(context, fields, node, subgraphs, fail) };
    case 'floats':
      return { kind, value: lists.floats };
    case 'ints':
      return { kind, value: lists.ints };
    case 'strings':
      return { kind, value: lists.strings };
    case 'tensors':
      return { kind, value: fields.map((field) => readTensor(reader, [field], context.files, node?.name)) };
    case 'graphs':
      return { kind, value: fields.map((field) => subgraph(context, [field], node, subgraphs, fail)) };
    case 'type':
      return { kind, value: readType(reader, fields) };
    case 'types':
      return { kind, value: fields.map((field) => readType(reader, [field])) };
    case 'sparse_tensor':
      if (last) checkSparse(context, fields);
      return opaque;
    case 'sparse_tensors':
      for (const field of fields) checkSparse(context, [field]);
      return opaque;
    default:
      return opaque;
  }
}

function subgraph(
  context: ReadContext,
  ranges: readonly Range[],
  node: Node | undefined,
  pending: PendingGraph[],
  fail: (what: string) => ServeOptError,
): Graph {
  if (!node) throw fail('is a graph, which a function default cannot be');
  const graph = new Graph(context.model, '', node);
  pending.push({ graph, ranges });
  return graph;
}
