import { MessageWriter, type Rope } from '../../codec/message-writer.js';
import type { Model } from '../model.js';
import type { ModelFunction } from '../model-function.js';
import { emptyGraphOrigin, type GraphOrigin } from './read-graph.js';
import type { FunctionOrigin, ModelOrigin } from './read-proto.js';
import {
  ChangeMap,
  type EncodeContext,
  encodeAttributeField,
  encodeGraph,
  encodeNodes,
  encodeValueInfos,
} from './write-graph.js';
import type { EncodeOptions } from './write-tensor.js';
import { encodeMetadata } from './write-type.js';

/**
 * The bytes of a model as a rope. A model that nothing changed is the one range it was read from; else every message
 * that did not change keeps its bytes.
 */
export function encodeModel(model: Model, options: EncodeOptions = {}): Rope {
  const origin = model.origin as ModelOrigin | undefined;
  const context: EncodeContext = { ...options, changes: new ChangeMap(options.external !== undefined) };
  const graphChanged = context.changes.graph(model.graph);
  const changedFunctions = new Set(
    [...model.functions.values()].filter((fn) => fn.origin === undefined || context.changes.graph(fn.graph)),
  );
  const functions = new Set(model.functions.values());
  const functionsKept = origin !== undefined && [...origin.functions.keys()].every((fn) => functions.has(fn));
  if (!origin || model.changed || !functionsKept || origin.functions.size !== model.functions.size) {
    return encodeAnew(context, model, origin, graphChanged, changedFunctions);
  }
  const { source } = origin;
  if (!graphChanged && changedFunctions.size === 0) {
    return {
      parts: source.sizeBytes > 0 ? [{ source, start: 0, end: source.sizeBytes }] : [],
      sizeBytes: source.sizeBytes,
    };
  }
  return encodeInPlace(context, model, origin, graphChanged, changedFunctions);
}

/** Keeps every top-level field where it was; the graph and changed functions are replaced. */
function encodeInPlace(
  context: EncodeContext,
  model: Model,
  origin: ModelOrigin,
  graphChanged: boolean,
  changedFunctions: ReadonlySet<ModelFunction>,
): Rope {
  const writer = new MessageWriter();
  const functionAt = new Map([...origin.functions].map(([fn, span]) => [span.start, fn]));
  let graphWritten = false;
  for (const record of origin.records) {
    const fn = record.number === 25 ? functionAt.get(record.start) : undefined;
    if (record.number === 7 && graphChanged) {
      if (!graphWritten) writer.message(7, encodeGraph(context, model.graph));
      graphWritten = true;
    } else if (fn && changedFunctions.has(fn)) writer.message(25, encodeFunction(context, fn));
    else writer.span(record);
  }
  return writer.finish();
}

function encodeAnew(
  context: EncodeContext,
  model: Model,
  origin: ModelOrigin | undefined,
  graphChanged: boolean,
  changedFunctions: ReadonlySet<ModelFunction>,
): Rope {
  const writer = new MessageWriter();
  writer.int64(1, model.irVersion);
  writer.textUnlessEmpty(2, model.producerName);
  writer.textUnlessEmpty(3, model.producerVersion);
  writer.textUnlessEmpty(4, model.domain);
  if (model.modelVersion !== 0) writer.int64(5, model.modelVersion);
  writer.textUnlessEmpty(6, model.docString);
  const graphs = origin?.records.filter((record) => record.number === 7) ?? [];
  if (graphChanged || graphs.length === 0) writer.message(7, encodeGraph(context, model.graph));
  else for (const record of graphs) writer.span(record);
  for (const [domain, version] of model.opsets)
    writer.message(8, encodeOpset(origin?.domainSpelling.get(domain) ?? domain, version));
  encodeMetadata(writer, 14, model.metadata);
  for (const fn of model.functions.values()) {
    const span = origin?.functions.get(fn);
    if (span && !changedFunctions.has(fn)) writer.span(span);
    else writer.message(25, encodeFunction(context, fn));
  }
  for (const extra of origin?.extras ?? []) writer.span(extra);
  return writer.finish();
}

function encodeOpset(domain: string, version: number): MessageWriter {
  const writer = new MessageWriter();
  // Written even when empty: some readers want the field.
  writer.text(1, domain);
  writer.int64(2, version);
  return writer;
}

function encodeFunction(context: EncodeContext, fn: ModelFunction): MessageWriter {
  const writer = new MessageWriter();
  const origin = fn.origin as FunctionOrigin | undefined;
  writer.text(1, fn.name);
  for (const value of fn.graph.inputs) writer.text(4, value.name);
  for (const value of fn.graph.outputs) writer.text(5, value.name);
  for (const name of fn.attributeNames) writer.text(6, name);
  encodeNodes(context, writer, 7, fn.graph);
  writer.textUnlessEmpty(8, origin?.docString ?? fn.graph.docString);
  for (const span of origin?.opsetSpans ?? []) writer.span(span);
  for (const [domain, version] of [...fn.opsets].slice(origin?.opsetCount ?? 0))
    writer.message(9, encodeOpset(domain, version));
  writer.text(10, origin?.domain ?? fn.domain);
  for (const attribute of fn.attributeDefaults) encodeAttributeField(context, writer, 11, attribute);
  encodeValueInfos(writer, 12, fn.graph, (fn.graph.origin as GraphOrigin | undefined) ?? emptyGraphOrigin());
  writer.textUnlessEmpty(13, fn.overload);
  encodeMetadata(writer, 14, origin?.metadataProps ?? []);
  for (const extra of origin?.extras ?? []) writer.span(extra);
  return writer;
}
