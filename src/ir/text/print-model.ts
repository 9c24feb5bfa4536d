import type { Attribute, AttributeKind } from '../attribute.js';
import type { Graph } from '../graph.js';
import type { Model } from '../model.js';
import type { ModelFunction } from '../model-function.js';
import type { Node } from '../node.js';
import type { Value } from '../value.js';
import { formatIdentifier, formatName, isIdentifier, quote, quoteBytes } from './names.js';
import { printTensor } from './print-tensor.js';
import { printType } from './print-type.js';
import { formatFloat32 } from './tensor-elements.js';

/** Options of `printModel`. */
export interface PrintOptions {
  /** Longer tensors end in `...` after this many elements; such a text is for reading and does not parse. Default: no limit. */
  readonly maxElements?: number;
  /** False leaves out the types of values that are neither inputs, outputs nor weights. Default true. */
  readonly innerTypes?: boolean;
}

type Settings = Required<PrintOptions>;

const INDENT = '  ';

/**
 * Writes a model in the ONNX text syntax, so that `parseModel` gives an equal graph. The same model gives the same text.
 * Sparse tensors and attributes of unknown kinds have no syntax: they show as `...`. Documentation and metadata of graphs,
 * nodes and values are left out. What a terminal could act on in names is escaped.
 */
export function printModel(model: Model, options: PrintOptions = {}): string {
  const settings = settingsOf(options);
  const parts = [printHeader(model), printGraph(model.graph, settings, 0)];
  for (const fn of model.functions.values()) parts.push(printFunction(fn, settings));
  return `${parts.join('\n')}\n`;
}

/** Writes one graph, as `parseGraph` reads it. */
export function printGraphText(graph: Graph, options: PrintOptions = {}): string {
  return `${printGraph(graph, settingsOf(options), 0)}\n`;
}

function settingsOf(options: PrintOptions): Settings {
  return {
    maxElements: options.maxElements ?? Number.POSITIVE_INFINITY,
    innerTypes: options.innerTypes ?? true,
  };
}

function printHeader(model: Model): string {
  const fields = [`ir_version: ${model.irVersion}`, `opset_import: ${printOpsets(model.opsets)}`];
  if (model.producerName !== '') fields.push(`producer_name: ${quote(model.producerName)}`);
  if (model.producerVersion !== '') fields.push(`producer_version: ${quote(model.producerVersion)}`);
  if (model.domain !== '') fields.push(`domain: ${quote(model.domain)}`);
  if (BigInt(model.modelVersion) !== 0n) fields.push(`model_version: ${model.modelVersion}`);
  if (model.docString !== '') fields.push(`doc_string: ${quote(model.docString)}`);
  if (model.metadata.size > 0) {
    const entries = [...model.metadata].map(([key, value]) => `${quote(key)}: ${quote(value)}`);
    fields.push(`metadata_props: [${entries.join(', ')}]`);
  }
  return `<\n${fields.map((field) => INDENT + field).join(',\n')}\n>`;
}

function printOpsets(opsets: ReadonlyMap<string, number>): string {
  return `[${[...opsets].map(([domain, version]) => `${quote(domain)}: ${version}`).join(', ')}]`;
}

function printFunction(fn: ModelFunction, settings: Settings): string {
  const fields = [`domain: ${quote(fn.domain)}`];
  if (fn.overload !== '') fields.push(`overload: ${quote(fn.overload)}`);
  fields.push(`opset_import: ${printOpsets(fn.opsets)}`);
  if (fn.graph.docString) fields.push(`doc_string: ${quote(fn.graph.docString)}`);
  const parameters = [
    ...fn.attributeNames.map(formatIdentifier),
    ...fn.attributeDefaults.map((attribute) => printAttribute(attribute, settings, 0)),
  ];
  const name = `${formatName(fn.name)}${parameters.length > 0 ? ` <${parameters.join(', ')}>` : ''}`;
  return `<\n${fields.map((field) => INDENT + field).join(',\n')}\n>\n${printBody(fn.graph, name, settings, 0)}`;
}

/** Subgraphs are within the depth the codec allows, so the recursion through attributes is bounded. */
function printGraph(graph: Graph, settings: Settings, depth: number): string {
  return printBody(graph, formatName(graph.name), settings, depth);
}

function printBody(graph: Graph, name: string, settings: Settings, depth: number): string {
  const inner = INDENT.repeat(depth + 1);
  const inputs = graph.inputs.map(printValue).join(', ');
  const outputs = graph.outputs.map((value) => printOutput(value, graph)).join(', ');
  const values = printValues(graph, settings);
  const list =
    values.length === 0 ? ' ' : ` <\n${values.map((v) => `${inner}${v}`).join(',\n')}\n${INDENT.repeat(depth)}> `;
  let text = `${name} (${inputs}) => (${outputs})${list}{\n`;
  for (const node of graph.nodes) text += `${inner}${printNode(node, settings, depth)}\n`;
  return `${text}${INDENT.repeat(depth)}}`;
}

/** Initializers, then the types of inner values: each name once. */
function printValues(graph: Graph, settings: Settings): string[] {
  const lines: string[] = [];
  for (const value of graph.initializers) {
    lines.push(
      value.tensor
        ? printTensor(value.tensor, formatName(value.name), settings.maxElements)
        : `${printType(value.type)} ${formatName(value.name)} = ...`,
    );
  }
  if (!settings.innerTypes) return lines;
  const interfaceValues = new Set<Value>([...graph.inputs, ...graph.outputs, ...graph.initializers]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output?.type && !interfaceValues.has(output)) lines.push(printValue(output));
    }
  }
  return lines;
}

function printValue(value: Value): string {
  return value.type ? `${printType(value.type)} ${formatName(value.name)}` : formatName(value.name);
}

/** A subgraph may give out a value of an outer graph; its type is told there. */
function printOutput(value: Value, graph: Graph): string {
  return value.graph === graph ? printValue(value) : formatName(value.name);
}

function printNode(node: Node, settings: Settings, depth: number): string {
  const label = node.name === '' ? '' : `[${formatName(node.name)}] `;
  const attributes = [...node.attributes.values()].map((attribute) => printAttribute(attribute, settings, depth + 1));
  const list = attributes.length > 0 ? ` <${attributes.join(', ')}>` : '';
  const [before, after] = holdsGraph(node) ? ['', list] : [list, ''];
  return `${label}${printNames(node.outputs)} = ${printOperator(node)}${before} (${printNames(node.inputs)})${after}`;
}

function holdsGraph(node: Node): boolean {
  for (const _ of node.subgraphs()) return true;
  return false;
}

/** `Op`, `domain.Op`, `"odd/domain".Op`, each with `:overload`. */
function printOperator(node: Node): string {
  const overload = node.overload === '' ? '' : `:${formatIdentifier(node.overload)}`;
  if (node.domain === '') return `${formatIdentifier(node.opType)}${overload}`;
  const plain = node.domain.split('.').every(isIdentifier);
  return `${plain ? node.domain : quote(node.domain)}.${formatIdentifier(node.opType)}${overload}`;
}

function printNames(values: readonly (Value | undefined)[]): string {
  return values.map((value) => (value ? formatName(value.name) : '""')).join(', ');
}

function printAttribute(attribute: Attribute, settings: Settings, depth: number): string {
  const name = formatIdentifier(attribute.name);
  const { value } = attribute;
  const one = (kind: string, text: string): string => `${name}: ${kind} = ${text}`;
  const many = (kind: string, texts: readonly string[]): string => `${name}: ${kind} = [${texts.join(', ')}]`;
  switch (value.kind) {
    case 'int':
      return one('int', String(value.value));
    case 'ints':
      return many('ints', value.value.map(String));
    case 'float':
      return one('float', formatFloat32(value.value));
    case 'floats':
      return many('floats', value.value.map(formatFloat32));
    case 'string':
      return one('string', quoteBytes(value.value));
    case 'strings':
      return many('strings', value.value.map(quoteBytes));
    case 'tensor':
      return one('tensor', printTensor(value.value, '', settings.maxElements));
    case 'tensors': {
      const texts = value.value.map((tensor) => printTensor(tensor, '', settings.maxElements));
      return many('tensors', texts);
    }
    case 'graph':
      return one('graph', printGraph(value.value, settings, depth));
    case 'graphs': {
      const texts = value.value.map((graph) => printGraph(graph, settings, depth));
      return many('graphs', texts);
    }
    case 'type':
      return one('type_proto', printType(value.value));
    case 'types':
      return many('type_protos', value.value.map(printType));
    case 'reference':
      return `${name}${printDeclared(value.declared)} = @${formatIdentifier(value.value)}`;
    case 'opaque':
      return `${name} = ...`;
  }
}

/** The kind a reference declares; sparse tensors have no word in the syntax. */
function printDeclared(kind: AttributeKind | undefined): string {
  if (kind === undefined || kind === 'undefined' || kind === 'sparse_tensor' || kind === 'sparse_tensors') return '';
  return `: ${kind === 'type' ? 'type_proto' : kind === 'types' ? 'type_protos' : kind}`;
}
