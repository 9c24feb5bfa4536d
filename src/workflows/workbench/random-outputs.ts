import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { functionKey, type ModelFunction } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { walkGraphs } from '../../ir/walk.js';
import { newestVersion, opSchema } from '../../ops/schema.js';
import {
  ELEMENTWISE_BROADCAST,
  ELEMENTWISE_UNARY,
  isTrainingDropout,
  MAC_OPERATORS,
  NONDETERMINISTIC,
  SHAPE_ONLY,
} from '../../ops/traits.js';
import { capturedValues } from '../../passes/nodes.js';

/**
 * Outputs of a model that depend on random numbers: their values say nothing, since they may be others in an equal graph.
 * The shape of random numbers is not random, unless numbers decide on it.
 * Every node of the model is looked at once, however deep it stands and however often its function is called.
 * @param visit called for each look at a node; for tests
 */
export function randomOutputs(model: Model, visit: (node: Node) => void = () => {}): Set<string> {
  const drawing = drawingFunctions(model, visit);
  const random = new Set<Value>();
  /** Those whose shape depends on random numbers, too. */
  const shapes = new Set<Value | undefined>();
  for (const node of model.graph.nodes) {
    const inner = node.subgraphs();
    const captured = inner.flatMap(({ graph }) => capturedValues(graph));
    const reads = [...node.inputs, ...captured];
    const draws =
      drawsNumbers(node, model, drawing, visit) || inner.some(({ graph }) => holdsRandom(graph, model, drawing, visit));
    const isRead = reads.some((value) => value !== undefined && random.has(value));
    if (!draws && !isRead) continue;
    if (SHAPE_ONLY.has(node.opType) && node.domain === '' && !shapes.has(node.input(0))) continue;
    const sized = isRead && (mayBeSized(node, random) || reads.some((value) => shapes.has(value)));
    for (const output of node.outputs) {
      if (!output) continue;
      random.add(output);
      if (sized) shapes.add(output);
    }
  }
  return new Set(model.graph.outputs.flatMap((value) => (random.has(value) ? [value.name] : [])));
}

/** Operators whose outputs have the shapes that the shapes of their inputs give, whatever the numbers. */
const SHAPED_BY_SHAPES: ReadonlySet<string> = new Set([
  ...ELEMENTWISE_UNARY,
  ...ELEMENTWISE_BROADCAST,
  ...MAC_OPERATORS,
  ...NONDETERMINISTIC,
  ...'ArgMax ArgMin BatchNormalization Concat CumSum Flatten Gather GatherElements GatherND Hardmax LayerNormalization'.split(
    ' ',
  ),
  ...'LogSoftmax Multinomial ScatterElements ScatterND Softmax Split Squeeze Transpose Unsqueeze'.split(' '),
]);

/** Operators whose first input gives sizes, or is picked from by its numbers; that of others only has a shape. */
const SHAPED_BY_NUMBERS: ReadonlySet<string> = new Set([
  ...'NonZero Unique Compress ConstantOfShape Range NonMaxSuppression CenterCropPad StringSplit RegexFullMatch'.split(
    ' ',
  ),
  ...'SequenceAt SequenceInsert SequenceErase SplitToSequence ConcatFromSequence'.split(' '),
]);

/** Whether random numbers that a node reads may decide on the shape of what it gives. */
function mayBeSized(node: Node, random: ReadonlySet<Value>): boolean {
  if (node.domain !== '' || node.subgraphs().length > 0 || SHAPED_BY_NUMBERS.has(node.opType)) return true;
  if (SHAPED_BY_SHAPES.has(node.opType)) return false;
  return node.inputs.slice(1).some((value) => value !== undefined && random.has(value));
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
