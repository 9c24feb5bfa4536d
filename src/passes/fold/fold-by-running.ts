import { copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import type { Graph } from '../../ir/graph.js';
import { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import { evaluateNode, hasKernel } from '../../ops/eval/evaluate-node.js';
import { whyTooLarge, whyTooLong } from '../../ops/footprint/describe-footprint.js';
import { modelFootprint } from '../../ops/footprint/model-footprint.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { SweepContext } from '../engine/rewrite.js';
import { capturedValues } from '../nodes.js';
import { chooseFolded, readerIn } from './choose-folded.js';
import { canFold, growth, knownBytes, replaceByConstants } from './constant-results.js';

/**
 * Folds what cannot be folded node by node: what no kernel of our own computes, and what grows before it shrinks. All of it
 * in one run, one by one where that fails.
 */
export async function foldByRunning(context: SweepContext, failed: Map<Node, string>): Promise<void> {
  const constant = constantNodes(context, failed);
  if (constant.size === 0) return;
  const chosen = chooseFolded(constant, context);
  const ends = [...chosen].filter((node) => isFrontier(node, chosen));
  // What is left then is looked at again.
  if (ends.length > 0 && (await foldTogether(ends, context, true)) === true && ends.some(({ removed }) => removed))
    return;
  const frontier = [...constant].filter((node) => isFrontier(node, constant));
  const wanted = frontier.filter((node) => {
    const gained = growth(node, node.outputs.map(knownBytes), context);
    if (typeof gained !== 'string') return true;
    context.refuse(node, gained);
    return false;
  });
  if (wanted.length === 0) return;
  const together = await foldTogether(wanted, context, false);
  if (together === true) return;
  for (const node of wanted) {
    if (node.removed) continue;
    const reason = wanted.length === 1 ? together : await foldTogether([node], context, false);
    if (reason === true) continue;
    failed.set(node, reason);
    context.refuse(node, reason);
  }
}

/** Node runs, those of iterations each, that a constant may take: about as many seconds as millions. */
const MOST_NODE_RUNS = 2_000_000;

/** What ONNX Runtime says may go on for lines. */
const LONGEST_REASON = 200;

function shortened(reason: string): string {
  return reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON)}…`;
}

/** Nodes of the main graph and its subgraphs that depend on constants alone, and are not folded by other means. */
function constantNodes(context: SweepContext, failed: ReadonlyMap<Node, string>): Set<Node> {
  const known = new Set<Node>();
  const isKnown = (value: Value | undefined): boolean =>
    value === undefined ||
    context.constant(value) !== undefined ||
    (value.producer !== undefined && known.has(value.producer));
  for (const graph of walkGraphs(context.model.graph)) {
    for (const node of graph.nodes) {
      if (failed.has(node) || !canFold(node)) continue;
      if (!context.evaluate && (node.subgraphs().length > 0 || !hasKernel(node.domain, node.opType))) continue;
      if (node.inputs.length === 0 && node.subgraphs().length === 0) continue;
      if (!node.inputs.every(isKnown)) continue;
      if (!node.subgraphs().every(({ graph: body }) => capturedValues(body).every(isKnown))) continue;
      known.add(node);
    }
  }
  return known;
}

/** True for a node whose results someone reads who is not folded too, and whose results are all tensors. */
function isFrontier(node: Node, constant: ReadonlySet<Node>): boolean {
  let read = false;
  for (const output of node.outputs) {
    if (!output) continue;
    if (output.type && output.type.kind !== 'tensor') return false;
    if (output.isGraphOutput) read = true;
    for (const use of output.uses) if (!readerIn(constant, output, use.node)) read = true;
  }
  return read;
}

/**
 * True when the nodes were computed and replaced; else the reason why not. `isPaid` says that what all of them add to the
 * file is known to be within the limit: then none is held against it alone.
 */
async function foldTogether(nodes: readonly Node[], context: SweepContext, isPaid: boolean): Promise<true | string> {
  const { fragment, results } = fragmentOf(nodes, context);
  // Before anything runs: what lies between may be larger than any result.
  const footprint = modelFootprint(fragment);
  const excess = whyTooLarge(footprint, context.memoryBytes) ?? whyTooLong(footprint, MOST_NODE_RUNS);
  if (excess !== undefined) return excess;
  const answer = context.evaluate ? await context.evaluate(fragment) : evaluateGraph(fragment, context.memoryBytes);
  if (typeof answer === 'string')
    return context.evaluate ? `ONNX Runtime cannot compute it: ${shortened(answer)}` : shortened(answer);
  for (const node of nodes) {
    const tensors = node.outputs.map((output) => {
      const name = output && results.get(output);
      return name === undefined ? undefined : answer.get(name);
    });
    if (node.outputs.some((output, index) => output && !tensors[index])) return 'a result is missing';
    const bytes = tensors.map((tensor) => tensor?.byteLength);
    const gained = isPaid ? 0 : growth(node, bytes, context);
    if (typeof gained === 'string') context.refuse(node, gained);
    else context.perform({ nodes: [node], apply: () => replaceByConstants(node, tensors as (Tensor | undefined)[]) });
  }
  return true;
}

/** Results of a model without inputs by kernels of our own; the reason where one cannot compute it. */
function evaluateGraph({ graph, opsets }: Model, memoryBytes: number): ReadonlyMap<string, Tensor> | string {
  const known = new Map<Value, Tensor>();
  const tensorOf = (value: Value | undefined): Tensor | undefined => value && (value.tensor ?? known.get(value));
  for (const node of graph.nodes) {
    const opset = opsets.get(node.domain) ?? 0;
    const results = evaluateNode(node, node.inputs.map(tensorOf), opset, { maxWorkBytes: memoryBytes / 2 });
    if (typeof results === 'string') return results;
    for (const [index, output] of node.outputs.entries()) {
      const tensor = results[index];
      if (output && tensor) known.set(output, tensor);
    }
  }
  return new Map(
    graph.outputs.flatMap((output) => {
      const tensor = tensorOf(output);
      return tensor ? [[output.name, tensor]] : [];
    }),
  );
}

/** A model without inputs that computes the outputs of the nodes, and the names it gives them. */
function fragmentOf(
  nodes: readonly Node[],
  context: SweepContext,
): { readonly fragment: Model; readonly results: ReadonlyMap<Value, string> } {
  const fragment = new Model('constants');
  fragment.irVersion = Math.max(context.model.irVersion, 4);
  for (const [domain, version] of context.model.opsets) fragment.setOpset(domain, version);
  fragment.source = context.model.source;
  const mapping: ValueMapping = new Map();
  const needed = new Set<Node>();
  const visit = (node: Node): void => {
    const captured = node.subgraphs().flatMap(({ graph }) => capturedValues(graph));
    for (const value of [...node.inputs, ...captured]) {
      if (!value || mapping.has(value)) continue;
      const tensor = context.constant(value);
      if (tensor) mapping.set(value, fragment.graph.addInitializer(value.name, tensor));
      else if (value.producer && !needed.has(value.producer)) visit(value.producer);
    }
    if (needed.has(node)) return;
    needed.add(node);
    copyNodes([node], fragment.graph, mapping);
  };
  for (const node of nodes) visit(node);
  return { fragment, results: giveOut(nodes, fragment.graph, mapping) };
}

function giveOut(nodes: readonly Node[], graph: Graph, mapping: Readonly<ValueMapping>): Map<Value, string> {
  const results = new Map<Value, string>();
  for (const node of nodes) {
    for (const output of node.outputs) {
      const copy = output && mapping.get(output);
      if (!output || !copy) continue;
      graph.addOutput(copy);
      results.set(output, copy.name);
    }
  }
  return results;
}
