import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { functionKey, type ModelFunction } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import { newestVersion, opSchema } from '../../ops/schema.js';
import { isTrainingDropout } from '../../ops/traits.js';
import { capturedValues } from '../../passes/nodes.js';

/**
 * Outputs of a model that depend on random numbers: their values say nothing, since they may be others in an equal graph.
 * Every node of the model is looked at once, however deep it stands and however often its function is called.
 * @param visit called for each look at a node; for tests
 */
export function randomOutputs(model: Model, visit: (node: Node) => void = () => {}): Set<string> {
  const drawing = drawingFunctions(model, visit);
  const random = new Set<Value>();
  for (const node of model.graph.nodes) {
    const inner = node.subgraphs();
    const captured = inner.flatMap(({ graph }) => capturedValues(graph));
    const reads = [...node.inputs, ...captured];
    const draws =
      drawsNumbers(node, model, drawing, visit) || inner.some(({ graph }) => holdsRandom(graph, model, drawing, visit));
    if (!draws && !reads.some((value) => value !== undefined && random.has(value))) continue;
    for (const output of node.outputs) if (output) random.add(output);
  }
  return new Set(model.graph.outputs.flatMap((value) => (random.has(value) ? [value.name] : [])));
}

/** The local functions that draw random numbers, themselves or in what they call. */
function drawingFunctions(model: Model, visit: (node: Node) => void): Set<ModelFunction> {
  const drawing = new Set<ModelFunction>();
  const callers = new Map<ModelFunction, ModelFunction[]>();
  for (const fn of model.functions.values()) {
    for (const graph of walkGraphs(fn.graph)) {
      for (const node of graph.nodes) {
        visit(node);
        const called = calledBy(node, model);
        if (called) pushTo(callers, called, fn);
        else if (isRandom(node)) drawing.add(fn);
      }
    }
  }
  // What is added while the set is gone through is gone through too.
  for (const fn of drawing) for (const caller of callers.get(fn) ?? []) drawing.add(caller);
  return drawing;
}

function pushTo(map: Map<ModelFunction, ModelFunction[]>, key: ModelFunction, item: ModelFunction): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

function calledBy(node: Node, model: Model): ModelFunction | undefined {
  return model.functions.get(functionKey(node.domain, node.opType, node.overload));
}

/** Whether the operator itself draws numbers, or the function that it calls; its subgraphs are left to the caller. */
function drawsNumbers(
  node: Node,
  model: Model,
  drawing: ReadonlySet<ModelFunction>,
  visit: (node: Node) => void,
): boolean {
  visit(node);
  const called = calledBy(node, model);
  return called ? drawing.has(called) : isRandom(node);
}

function isRandom(node: Node): boolean {
  if (node.is('Dropout')) return isTrainingDropout(node);
  return opSchema(node.domain, node.opType, newestVersion(node.domain))?.determinism === 'nondeterministic';
}

function holdsRandom(
  graph: Graph,
  model: Model,
  drawing: ReadonlySet<ModelFunction>,
  visit: (node: Node) => void,
): boolean {
  for (const body of walkGraphs(graph))
    for (const node of body.nodes) if (drawsNumbers(node, model, drawing, visit)) return true;
  return false;
}
