import type { Attribute } from '../attribute.js';
import type { Graph } from '../graph.js';
import { Model } from '../model.js';
import { functionKey, type ModelFunction } from '../model-function.js';
import { buildBody, buildGraph } from './build-graph.js';
import { parseAttribute } from './parse-attribute.js';
import { GraphParser } from './parse-graph.js';
import { type ExternalDataResolver, parseStringMap } from './parse-tensor.js';
import type { Scanner } from './scanner.js';
import { type AttributeSyntax, type FunctionSyntax, normalDomain } from './syntax.js';

/** Options of `parseModel`. */
export interface ParseOptions {
  /** Finds the bytes of tensors written as `["location": …]`; without it, touching them throws SO2102. */
  readonly externalData?: ExternalDataResolver;
}

/**
 * Reads a model in the ONNX text syntax (onnx docs/Syntax.md, what `onnx.parser.parse_model` takes), with these additions:
 * `\xHH` in quotes is a byte; any name, operator, domain or attribute name may be quoted; `type(99)` is a data type by
 * number; `{"…"}` gives any tensor by its raw bytes; lists of tensors, graphs and types work; types under a byte are
 * written element by element. Nodes may stand in any order. Documentation strings and metadata of graphs, nodes and
 * values have no syntax.
 * @throws SO3003 with line, column and the line in `why`.
 * @example
 * const model = parseModel(`
 *   <ir_version: 8, opset_import: ["": 17]>
 *   net (float[N,3] X) => (float[N,2] Y) <float[3,2] W = {1,2,3,4,5,6}> {
 *     Y = MatMul (X, W)
 *   }`);
 */
export function parseModel(text: string, options: ParseOptions = {}): Model {
  const parser = new GraphParser(text, options.externalData);
  const { scanner } = parser;
  const model = new Model();
  if (scanner.matches('<')) modelHeader(scanner, model);
  const syntax = parser.parseGraph();
  model.graph.name = syntax.name;
  while (!scanner.atEnd) addFunction(model, parseFunction(parser), scanner);
  buildGraph(model.graph, syntax, scanner);
  return model;
}

/** Reads one graph, as the main graph of a model with the given opset. @throws SO3003 as `parseModel`. */
export function parseGraph(text: string, options: ParseOptions & { readonly opset?: number } = {}): Graph {
  const parser = new GraphParser(text, options.externalData);
  const model = new Model();
  model.setOpset('', options.opset ?? 17);
  const syntax = parser.parseGraph();
  if (!parser.scanner.atEnd) parser.scanner.fail(`expected the end of the text, found ${parser.scanner.found()}`);
  model.graph.name = syntax.name;
  buildGraph(model.graph, syntax, parser.scanner);
  return model.graph;
}

function modelHeader(scanner: Scanner, model: Model): void {
  header(scanner, (key, at) => {
    switch (key) {
      case 'ir_version':
        model.irVersion = scanner.integer('the IR version');
        break;
      case 'opset_import':
        for (const [domain, version] of opsetImport(scanner)) model.setOpset(domain, version);
        break;
      case 'producer_name':
        model.producerName = scanner.string('the producer name');
        break;
      case 'producer_version':
        model.producerVersion = scanner.string('the producer version');
        break;
      case 'domain':
        model.domain = scanner.string('the domain');
        break;
      case 'model_version':
        model.modelVersion = scanner.int64('the model version');
        break;
      case 'doc_string':
        model.docString = scanner.string('the documentation');
        break;
      case 'metadata_props':
        for (const [name, value] of parseStringMap(scanner, 'metadata')) model.metadata.set(name, value);
        break;
      default:
        scanner.fail(`"${key.slice(0, 40)}" is not a field of a model`, at);
    }
  });
}

/** `key: value, …>` after the opening `<`. */
function header(scanner: Scanner, field: (key: string, at: number) => void): void {
  do {
    const at = scanner.position;
    const key = scanner.identifier();
    if (key === undefined) scanner.fail(`expected a field, found ${scanner.found()}`, at);
    scanner.expect(':', `after "${key.slice(0, 40)}"`);
    field(key, at);
  } while (scanner.matches(','));
  scanner.expect('>', 'after the fields');
}

function opsetImport(scanner: Scanner): Map<string, number> {
  const opsets = new Map<string, number>();
  scanner.expect('[', 'to begin the opset imports');
  if (scanner.matches(']')) return opsets;
  do {
    const at = scanner.position;
    const domain = normalDomain(scanner.string('a domain'));
    if (opsets.has(domain)) scanner.fail(`the domain ${JSON.stringify(domain)} is imported twice`, at);
    scanner.expect(':', 'after the domain');
    opsets.set(domain, scanner.integer('an opset version'));
  } while (scanner.matches(','));
  scanner.expect(']', 'after the opset imports');
  return opsets;
}

function parseFunction(parser: GraphParser): FunctionSyntax {
  const { scanner } = parser;
  let domain = '';
  let overload = '';
  let docString = '';
  let opsets = new Map<string, number>();
  if (scanner.matches('<')) {
    header(scanner, (key, at) => {
      if (key === 'domain') domain = normalDomain(scanner.string('the domain'));
      else if (key === 'overload') overload = scanner.string('the overload');
      else if (key === 'doc_string') docString = scanner.string('the documentation');
      else if (key === 'opset_import') opsets = opsetImport(scanner);
      else scanner.fail(`"${key.slice(0, 40)}" is not a field of a function`, at);
    });
  }
  const at = scanner.position;
  const name = scanner.name('the name of a function');
  const parameters = attributeParameters(parser);
  const inputs = parser.values('(', ')', false);
  scanner.expect('=>', 'after the inputs of the function');
  const outputs = parser.values('(', ')', false);
  const values = scanner.peek() === '<' ? parser.values('<', '>', false) : [];
  const graph = { name, at, inputs, outputs, values, nodes: parser.nodes() };
  return { domain, overload, docString, opsets, ...parameters, graph };
}

/** `<alpha, beta: float = 1.0>`: parameters without and with a default. */
function attributeParameters(parser: GraphParser): Pick<FunctionSyntax, 'attributeNames' | 'attributeDefaults'> {
  const { scanner } = parser;
  const attributeNames: string[] = [];
  const attributeDefaults: AttributeSyntax[] = [];
  if (!scanner.matches('<') || scanner.matches('>')) return { attributeNames, attributeDefaults };
  const names = new Set<string>();
  do {
    const at = scanner.position;
    const name = scanner.name('the name of an attribute');
    if (names.has(name)) scanner.fail(`the attribute ${JSON.stringify(name)} appears twice`, at);
    names.add(name);
    const next = scanner.peek();
    if (next === ':' || next === '=') attributeDefaults.push(parseAttribute(parser, { name, at }));
    else attributeNames.push(name);
  } while (scanner.matches(','));
  scanner.expect('>', 'after the attributes of the function');
  return { attributeNames, attributeDefaults };
}

function addFunction(model: Model, syntax: FunctionSyntax, scanner: Scanner): void {
  const key = functionKey(syntax.domain, syntax.graph.name, syntax.overload);
  if (model.functions.has(key)) {
    scanner.fail(`the function ${JSON.stringify(syntax.graph.name)} is defined twice`, syntax.graph.at);
  }
  const graph = buildBody(model, syntax.graph, scanner);
  if (syntax.docString !== '') graph.docString = syntax.docString;
  const fn: ModelFunction = {
    domain: syntax.domain,
    name: syntax.graph.name,
    overload: syntax.overload,
    graph,
    attributeNames: syntax.attributeNames,
    attributeDefaults: syntax.attributeDefaults.map((item): Attribute => {
      if (item.kind !== 'plain') scanner.fail('a graph cannot be the default of an attribute', item.at);
      return { name: item.name, value: item.value };
    }),
    opsets: syntax.opsets,
    origin: undefined,
  };
  model.functions.set(key, fn);
}
