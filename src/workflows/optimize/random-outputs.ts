import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { functionKey, type ModelFunction } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import { newestVersion, opSchema } from '../../ops/schema.js';
import { isTrainingDropout } from '../../ops/traits.js';
import { capturedValues } from '../../passes/nodes.js';

/** Outputs of a model that depend on random numbers: their values say nothing, since they may be others in an equal graph. */
export function randomOutputs(model: Model): Set<string> {
  const random = new Set<Value>();
  const known = new Map<ModelFunction, boolean>();
  for (const node of model.graph.nodes) {
    const captured = [...node.subgraphs()].flatMap(({ graph }) => capturedValues(graph));
    const reads = [...node.inputs, ...captured];
    if (!drawsNumbers(node, model, known) && !reads.some((value) => value !== undefined && random.has(value))) continue;
    for (const output of node.outputs) if (output) random.add(output);
  }
  return new Set(model.graph.outputs.flatMap((value) => (random.has(value) ? [value.name] : [])));
}

function drawsNumbers(node: Node, model: Model, known: Map<ModelFunction, boolean>): boolean {
  for (const { graph } of node.subgraphs()) if (holdsRandom(graph, model, known)) return true;
  const called = model.functions.get(functionKey(node.domain, node.opType, node.overload));
  if (called) {
    const before = known.get(called);
    if (before !== undefined) return before;
    // A function that calls itself, which a valid model has not, ends here.
    known.set(called, false);
    const draws = holdsRandom(called.graph, model, known);
    known.set(called, draws);
    return draws;
  }
  if (node.is('Dropout')) return isTrainingDropout(node);
  return opSchema(node.domain, node.opType, newestVersion(node.domain))?.determinism === 'nondeterministic';
}

function holdsRandom(graph: Graph, model: Model, known: Map<ModelFunction, boolean>): boolean {
  for (const body of walkGraphs(graph))
    for (const node of body.nodes) if (drawsNumbers(node, model, known)) return true;
  return false;
}
