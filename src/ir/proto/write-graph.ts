import type { Span } from '../../codec/byte-source.js';
import { MessageWriter } from '../../codec/message-writer.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ATTRIBUTE_TYPE, type Attribute } from '../attribute.js';
import type { Graph } from '../graph.js';
import type { Node } from '../node.js';
import type { Value } from '../value.js';
import { emptyGraphOrigin, type GraphOrigin } from './read-graph.js';
import { type AttributeOrigin, type NodeOrigin, normalizeDomain } from './read-node.js';
import type { TensorOrigin } from './read-tensor.js';
import { type EncodeOptions, encodeTensor } from './write-tensor.js';
import { encodeMetadata, encodeType, encodeValueInfo } from './write-type.js';

/** Says which graphs and nodes must be written anew; the rest goes out as the bytes it came with. */
export class ChangeMap {
  readonly #graphs: Map<Graph, boolean> = new Map();
  readonly #everything: boolean;

  /** With `everything`, graphs are re-encoded even when untouched (their tensors move). */
  constructor(everything: boolean) {
    this.#everything = everything;
  }

  graph(graph: Graph): boolean {
    const known = this.#graphs.get(graph);
    if (known !== undefined) return known;
    const changed = this.#everything || graph.changed || graph.origin === undefined || this.#inside(graph);
    this.#graphs.set(graph, changed);
    return changed;
  }

  #inside(graph: Graph): boolean {
    for (const value of graph.values.values()) if (value.changed) return true;
    for (const node of graph.nodes) if (this.node(node)) return true;
    return false;
  }

  node(node: Node): boolean {
    if (node.changed || node.origin === undefined) return true;
    if (this.#everything && [...node.attributes.values()].some(holdsExternal)) return true;
    for (const { graph } of node.subgraphs()) if (this.graph(graph)) return true;
    return false;
  }
}

export interface EncodeContext extends EncodeOptions {
  readonly changes: ChangeMap;
}

/** Encodes a GraphProto in canonical field order; parts that did not change are ranges of the source file. */
export function encodeGraph(context: EncodeContext, graph: Graph): MessageWriter {
  const writer = new MessageWriter();
  const origin = (graph.origin as GraphOrigin | undefined) ?? emptyGraphOrigin();
  encodeNodes(context, writer, 1, graph);
  writer.textUnlessEmpty(2, graph.name);
  for (const value of graph.initializers) if (!value.sparse) encodeInitializer(context, writer, origin, value);
  writer.textUnlessEmpty(10, graph.docString);
  for (const value of graph.inputs) encodeInterfaceValue(writer, 11, value, origin.inputs.get(value));
  for (const value of graph.outputs) encodeInterfaceValue(writer, 12, value, origin.outputs.get(value));
  encodeValueInfos(writer, 13, graph, origin);
  for (const value of graph.initializers) if (value.sparse) writer.span(value.sparse as Span);
  if (graph.hasMetadataProps) encodeMetadata(writer, 16, graph.metadataProps);
  for (const extra of origin.extras) writer.span(extra);
  return writer;
}

export function encodeNodes(context: EncodeContext, writer: MessageWriter, field: number, graph: Graph): void {
  for (const node of graph.nodes) {
    if (context.changes.node(node)) writer.message(field, encodeNode(context, node));
    else writer.span(node.origin as NodeOrigin);
  }
}

/** The value_info entries read with the graph whose values still exist, and those that name nothing here. */
export function encodeValueInfos(writer: MessageWriter, field: number, graph: Graph, origin: GraphOrigin): void {
  for (const [value, span] of origin.valueInfos) {
    if (graph.values.get(value.name) === value) encodeInterfaceValue(writer, field, value, span);
  }
  for (const span of origin.strayValueInfos) writer.span(span);
}

function encodeInterfaceValue(writer: MessageWriter, field: number, value: Value, span: Span | undefined): void {
  if (span && !value.changed) writer.span(span);
  else writer.message(field, encodeValueInfo(value));
}

function encodeInitializer(context: EncodeContext, writer: MessageWriter, origin: GraphOrigin, value: Value): void {
  const { tensor } = value;
  if (!tensor) return;
  const placement = context.external?.(tensor);
  const span = origin.initializers.get(value);
  const moves = placement !== undefined || (context.external !== undefined && isExternal(tensor));
  if (span && span.tensor === tensor && !value.changed && !moves) writer.span(span);
  else writer.message(5, encodeTensor(tensor, value.name, placement));
}

function encodeNode(context: EncodeContext, node: Node): MessageWriter {
  const writer = new MessageWriter();
  const origin = node.origin as NodeOrigin | undefined;
  for (const value of node.inputs) writer.text(1, value?.name ?? '');
  for (const value of node.outputs) writer.text(2, value?.name ?? '');
  writer.textUnlessEmpty(3, node.name);
  writer.text(4, node.opType);
  for (const attribute of node.attributes.values()) encodeAttributeField(context, writer, 5, attribute);
  writer.textUnlessEmpty(6, node.docString);
  const spelling = origin?.domain;
  if (spelling !== undefined && normalizeDomain(spelling) === node.domain) writer.text(7, spelling);
  else writer.textUnlessEmpty(7, node.domain);
  writer.textUnlessEmpty(8, node.overload);
  if (node.hasMetadataProps) encodeMetadata(writer, 9, node.metadataProps);
  for (const extra of origin?.extras ?? []) writer.span(extra);
  return writer;
}

export function encodeAttributeField(
  context: EncodeContext,
  writer: MessageWriter,
  field: number,
  attribute: Attribute,
): void {
  const origin = attribute.origin as AttributeOrigin | undefined;
  const { value } = attribute;
  const graphs = value.kind === 'graph' ? [value.value] : value.kind === 'graphs' ? value.value : [];
  const moves = context.external !== undefined && holdsExternal(attribute);
  if (origin && !moves && !graphs.some((graph) => context.changes.graph(graph))) {
    writer.span(origin);
    return;
  }
  writer.message(field, encodeAttribute(context, attribute, origin));
}

function encodeAttribute(
  context: EncodeContext,
  attribute: Attribute,
  origin: AttributeOrigin | undefined,
): MessageWriter {
  const writer = new MessageWriter();
  const { value } = attribute;
  writer.text(1, attribute.name);
  switch (value.kind) {
    case 'float':
      writer.float(2, value.value);
      break;
    case 'int':
      writer.int64(3, value.value);
      break;
    case 'string':
      writer.bytes(4, value.value);
      break;
    case 'tensor':
      writer.message(5, encodeAttributeTensor(context, value.value));
      break;
    case 'graph':
      writer.message(6, encodeGraph(context, value.value));
      break;
    case 'floats':
      for (const item of value.value) writer.float(7, item);
      break;
    case 'ints':
      for (const item of value.value) writer.int64(8, item);
      break;
    case 'strings':
      for (const item of value.value) writer.bytes(9, item);
      break;
    case 'tensors':
      for (const item of value.value) writer.message(10, encodeAttributeTensor(context, item));
      break;
    case 'graphs':
      for (const item of value.value) writer.message(11, encodeGraph(context, item));
      break;
    case 'type': {
      const type = encodeType(value.value);
      if (type) writer.message(14, type);
      break;
    }
    case 'types':
      for (const item of value.value) writer.message(15, encodeType(item) ?? new MessageWriter());
      break;
    case 'reference':
      writer.text(21, value.value);
      break;
    case 'opaque':
      break;
  }
  const kind = value.kind === 'reference' ? value.declared : value.kind;
  if (kind !== undefined && kind !== 'opaque') writer.int64(20, ATTRIBUTE_TYPE[kind]);
  for (const extra of origin?.extras ?? []) writer.span(extra);
  return writer;
}

/**
 * A tensor in an attribute keeps the name it came with: nothing refers to it, but files have it. It moves to another
 * data file when it came from one, and stays in the model otherwise.
 */
function encodeAttributeTensor(context: EncodeContext, tensor: Tensor): MessageWriter {
  const name = (tensor.origin as TensorOrigin | undefined)?.name ?? '';
  return encodeTensor(tensor, name, isExternal(tensor) ? context.external?.(tensor) : undefined);
}

/** True for a tensor whose bytes are in a data file, under a location that holds for the source model only. */
function isExternal(tensor: Tensor): boolean {
  return (tensor.origin as TensorOrigin | undefined)?.externalLocation !== undefined;
}

/** True for an attribute that holds such a tensor. */
function holdsExternal({ value }: Attribute): boolean {
  if (value.kind === 'tensor') return isExternal(value.value);
  return value.kind === 'tensors' && value.value.some(isExternal);
}
