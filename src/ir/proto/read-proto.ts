import { appendSpan, type ByteSource, type Span } from '../../codec/byte-source.js';
import { ExternalFiles, type ExternalFilesOptions } from '../../codec/external-data.js';
import { FUNCTION, MODEL, OPSET } from '../../codec/fields.js';
import { sniffFormat } from '../../codec/sniff.js';
import { type Field, type Range, WireReader } from '../../codec/wire-reader.js';
import { ServeOptError } from '../../errors.js';
import type { Attribute } from '../attribute.js';
import { Graph } from '../graph.js';
import { Model } from '../model.js';
import { functionKey, type ModelFunction } from '../model-function.js';
import { sortGraph } from '../sort.js';
import { allGraphs } from '../walk.js';
import type { ReadContext } from './read-context.js';
import { emptyGraphOrigin, readGraph, readNodes, readValueInfo, spanOf } from './read-graph.js';
import { graphError, normalizeDomain, readAttribute } from './read-node.js';
import { readStringEntry } from './read-tensor.js';

/** Where the parts of a model stand in the file; spans include the tag. */
export interface ModelOrigin {
  readonly source: ByteSource;
  readonly files: ExternalFiles | undefined;
  /** Every top-level field in file order; adjoining ones other than graph (7) and functions (25) are one, numbered 0. */
  readonly records: (Span & { readonly number: number })[];
  /** training_info, configuration and unknown fields. */
  readonly extras: Span[];
  readonly functions: Map<ModelFunction, Span>;
  /** Opset domains as the file spells them, by normalized domain. */
  readonly domainSpelling: Map<string, string | undefined>;
}

/** What a FunctionProto holds beside what the IR models. */
export interface FunctionOrigin {
  readonly opsetSpans: readonly Span[];
  /** Domains that these import; more in the function were added by an edit. */
  readonly opsetCount: number;
  readonly extras: readonly Span[];
  readonly docString: string | undefined;
  readonly metadataProps: readonly [string, string][];
  readonly domain: string | undefined;
}

/** The newest versions that exist or are announced, with room for a few more; beyond it the number is garbage. */
const MAX_IR_VERSION = 32;
const MAX_OPSET = 128;

/** Reads a ModelProto. Takes over `source`; closes it on failure. */
export function readModelFrom(source: ByteSource, options: ExternalFilesOptions = {}): Model {
  const files = source.path === undefined ? undefined : new ExternalFiles(source.path, options);
  try {
    refuseOtherFormats(source);
    return readModelProto(source, files);
  } catch (error) {
    files?.closeAll();
    source.close();
    throw error instanceof ServeOptError ? error.at({ file: source.label }) : error;
  }
}

function refuseOtherFormats(source: ByteSource): void {
  if (source.sizeBytes === 0)
    throw new ServeOptError('SO2004', `"${source.label}" is empty`, { hint: 'download or export the model again' });
  const other = sniffFormat(source.read(0, Math.min(source.sizeBytes, 4096)));
  if (other) {
    throw new ServeOptError('SO2003', `"${source.label}" is not an ONNX model: it looks like ${other.format}`, {
      hint: other.hint,
    });
  }
}

function readModelProto(source: ByteSource, files: ExternalFiles | undefined): Model {
  const reader = new WireReader(source);
  const model = new Model('');
  const context: ReadContext = { reader, model, files, pinned: new Set(), nodeCount: 0 };
  const origin: ModelOrigin = {
    source,
    files,
    records: [],
    extras: [],
    functions: new Map(),
    domainSpelling: new Map(),
  };
  const graphs: Range[] = [];
  const functions: Field[] = [];
  let irVersion: number | undefined;
  for (const field of reader.fields([{ start: 0, end: source.sizeBytes }], MODEL)) {
    appendRecord(origin.records, spanOf(context, field), field.number);
    switch (field.number) {
      case 1:
        irVersion = Number(field.value);
        break;
      case 2:
        model.producerName = reader.text(field);
        break;
      case 3:
        model.producerVersion = reader.text(field);
        break;
      case 4:
        model.domain = reader.text(field);
        break;
      case 5:
        model.modelVersion = field.value;
        break;
      case 6:
        model.docString = reader.text(field);
        break;
      case 7:
        graphs.push(field);
        break;
      case 8: {
        const { domain, spelling, version } = readOpset(context, field);
        if (model.opsets.has(domain))
          throw versionError(`imports the operator set "${domain || 'ai.onnx'}" twice`, source);
        model.setOpset(domain, version);
        origin.domainSpelling.set(domain, spelling);
        break;
      }
      case 14:
        model.metadata.set(...readStringEntry(reader, field));
        break;
      case 25:
        functions.push(field);
        break;
      default:
        appendSpan(origin.extras, spanOf(context, field));
    }
  }
  checkVersions(model, irVersion, graphs.length > 0, source);
  for (const field of functions) origin.functions.set(readFunction(context, field), spanOf(context, field));
  readGraph(context, model.graph, graphs);
  pinNames(context);
  model.origin = origin;
  model.changed = false;
  model.source = {
    path: source.path,
    sizeBytes: source.sizeBytes,
    externalPaths: () => [...(files?.sources ?? [])].map(({ path }) => path).filter((path) => path !== undefined),
    checkUnchanged: () => {
      source.checkUnchanged();
      for (const file of files?.sources ?? []) file.checkUnchanged();
    },
    close: () => {
      files?.closeAll();
      source.close();
    },
  };
  return model;
}

/** Fields that are never written anew in place are one record as long as they adjoin: there may be millions. */
function appendRecord(records: ModelOrigin['records'], span: Span, number: number): void {
  const kind = number === 7 || number === 25 ? number : 0;
  const last = records.at(-1);
  if (kind === 0 && last?.number === 0 && last.end === span.start) {
    records[records.length - 1] = { ...last, end: span.end };
  } else {
    records.push({ ...span, number: kind });
  }
}

function readOpset(
  context: ReadContext,
  field: Field,
): { domain: string; spelling: string | undefined; version: number } {
  let spelling: string | undefined;
  let version = 0;
  for (const part of context.reader.fields([field], OPSET)) {
    if (part.number === 1) spelling = context.reader.text(part);
    else if (part.number === 2) version = Number(part.value);
  }
  return { domain: normalizeDomain(spelling ?? ''), spelling, version };
}

function versionError(what: string, source: ByteSource): ServeOptError {
  return new ServeOptError('SO3002', `"${source.label}" ${what}`, {
    hint: 'export the model again with a released version of ONNX',
  });
}

function checkVersions(model: Model, irVersion: number | undefined, hasGraph: boolean, source: ByteSource): void {
  if (irVersion === undefined && !hasGraph) {
    throw new ServeOptError(
      'SO2003',
      `"${source.label}" is not an ONNX model: it has neither a graph nor an IR version`,
      {
        hint: 'give the .onnx file itself; a bare tensor or another protobuf message is not a model',
      },
    );
  }
  if (!hasGraph) throw new ServeOptError('SO3001', `"${source.label}" has no graph`);
  if (irVersion === undefined || irVersion < 1 || irVersion > MAX_IR_VERSION) {
    throw versionError(
      irVersion === undefined ? 'does not declare its IR version' : `declares IR version ${irVersion}`,
      source,
    );
  }
  model.irVersion = irVersion;
  if (model.opsets.size === 0) {
    if (irVersion >= 3) throw versionError('imports no operator set', source);
    model.setOpset('', 1);
  }
  for (const [domain, version] of model.opsets) {
    if (version < 1 || (domain === '' && version > MAX_OPSET))
      throw versionError(`imports version ${version} of the operator set "${domain || 'ai.onnx'}"`, source);
  }
}

function readFunction(context: ReadContext, field: Field): ModelFunction {
  const { reader, model } = context;
  const graph = new Graph(model, '');
  const nodes: Field[] = [];
  const outputs: Field[] = [];
  const valueInfos: Field[] = [];
  const attributeNames: string[] = [];
  const attributeDefaults: Attribute[] = [];
  const opsets = new Map<string, number>();
  const opsetSpans: Span[] = [];
  const extras: Span[] = [];
  const metadataProps: [string, string][] = [];
  let name = '';
  let domain: string | undefined;
  let overload = '';
  let docString: string | undefined;
  for (const part of reader.fields([field], FUNCTION)) {
    switch (part.number) {
      case 1:
        name = reader.text(part);
        break;
      case 4: {
        const parameter = reader.text(part);
        if (graph.values.has(parameter))
          throw graphError(context, `Function "${name}" has two inputs named "${parameter}"`, part.tagStart);
        graph.addInput(graph.newValue(parameter));
        break;
      }
      case 5:
        outputs.push(part);
        break;
      case 6:
        attributeNames.push(reader.text(part));
        break;
      case 7:
        nodes.push(part);
        break;
      case 8:
        docString = reader.text(part);
        break;
      case 9: {
        const opset = readOpset(context, part);
        opsets.set(opset.domain, opset.version);
        opsetSpans.push(spanOf(context, part));
        break;
      }
      case 10:
        domain = reader.text(part);
        break;
      case 11:
        attributeDefaults.push(readAttribute(context, part, undefined, []));
        break;
      case 12:
        valueInfos.push(part);
        break;
      case 13:
        overload = reader.text(part);
        break;
      case 14:
        metadataProps.push(readStringEntry(reader, part));
        break;
      default:
        appendSpan(extras, spanOf(context, part));
    }
  }
  graph.name = name;
  const key = functionKey(normalizeDomain(domain ?? ''), name, overload);
  if (model.functions.has(key))
    throw graphError(context, `The model defines the function "${domain ?? ''}.${name}" twice`, field.tagStart);
  const graphOrigin = emptyGraphOrigin();
  const read = readNodes(context, graph, nodes);
  for (const part of outputs) {
    const value = graph.values.get(reader.text(part));
    if (!value)
      throw graphError(
        context,
        `Function "${name}" has the output "${reader.text(part)}", which is not defined`,
        part.tagStart,
      );
    graph.addOutput(value);
  }
  for (const part of valueInfos) {
    const info = readValueInfo(context, part);
    const value = graph.values.get(info.name);
    if (value) {
      value.inferType(info.type);
      graphOrigin.valueInfos.set(value, spanOf(context, part));
    } else appendSpan(graphOrigin.strayValueInfos, spanOf(context, part));
  }
  graph.origin = graphOrigin;
  for (const { subgraphs } of read) for (const inner of subgraphs) readGraph(context, inner.graph, inner.ranges, 1);
  graphOrigin.sorted = sortGraph(graph);
  for (const { node } of read) node.changed = false;
  graph.changed = false;
  const origin: FunctionOrigin = { opsetSpans, opsetCount: opsets.size, extras, docString, metadataProps, domain };
  const fn: ModelFunction = {
    domain: normalizeDomain(domain ?? ''),
    name,
    overload,
    graph,
    attributeNames,
    attributeDefaults,
    opsets,
    origin,
  };
  model.functions.set(key, fn);
  return fn;
}

function pinNames(context: ReadContext): void {
  if (context.pinned.size === 0) return;
  for (const graph of allGraphs(context.model)) {
    for (const name of context.pinned) {
      const value = graph.values.get(name);
      if (value) value.pinned = true;
    }
  }
}
