import { type ErrorLocation, ServeOptError } from '../errors.js';
import { dataTypeName, rawByteLength } from '../tensor/dtype.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import type { Model } from './model.js';
import type { Node } from './node.js';
import { MAX_PROBLEMS, nodeLabel, type Problem, ProblemList } from './problem.js';
import { ancestorIn } from './sort.js';
import type { Value } from './value.js';
import { verifyFunctions } from './verify-functions.js';
import { allGraphs } from './walk.js';

/**
 * Checks what every model must hold whatever its operators mean: links between values and nodes agree, names are unique,
 * nodes come after what they use and use only what they can see, outputs exist, operator sets are imported, local
 * functions do not call themselves, tensors have as many bytes as their shape says. Knows no operator schemas.
 * Linear in nodes, values and uses.
 * @returns at most 100 problems; none for a sound model
 */
export function verifyModel(model: Model): Problem[] {
  const list = new ProblemList();
  for (const error of model.problems) list.add(error.message, error.location, error.code);
  const positions = new Map<Node, number>();
  for (const graph of allGraphs(model)) for (const node of graph.nodes) positions.set(node, positions.size);
  const inputCounts = new Map<Value, number>();
  for (const graph of allGraphs(model)) {
    if (list.full) break;
    verifyGraph(model, graph, positions, inputCounts, list);
  }
  for (const graph of allGraphs(model)) {
    if (list.full) break;
    verifyUses(graph, positions, inputCounts, list);
  }
  verifyOpsets(model, list);
  verifyFunctions(model, list);
  return list.problems;
}

/** @throws ServeOptError for the first problem of `verifyModel`, saying how many more there are. */
export function assertValid(model: Model): void {
  assertNoProblems(verifyModel(model));
}

/** @throws ServeOptError for the first problem, saying how many more there are. */
export function assertNoProblems(problems: readonly Problem[]): void {
  const [first] = problems;
  if (!first) return;
  const more = problems.length - 1;
  const why = more > 0 ? `${more >= MAX_PROBLEMS - 1 ? 'at least ' : ''}${more} more of the kind` : undefined;
  throw new ServeOptError(first.code, first.message, {
    location: first.location,
    ...(why === undefined ? {} : { why }),
  });
}

function describeNode(node: Node): string {
  return `node "${nodeLabel(node)}" (${node.opType})`;
}

function verifyGraph(
  model: Model,
  graph: Graph,
  positions: ReadonlyMap<Node, number>,
  inputCounts: Map<Value, number>,
  list: ProblemList,
): void {
  const where = { graph: graph.name };
  if (graph.model !== model) list.add(`Graph "${graph.name}" belongs to another model`, where);
  verifyValues(graph, positions, list);
  verifyOutputs(graph, positions, list);
  for (const node of graph.nodes) {
    if (list.full) return;
    verifyNode(graph, node, positions, list);
    for (const input of node.inputs) if (input) inputCounts.set(input, (inputCounts.get(input) ?? 0) + 1);
  }
}

function verifyValues(graph: Graph, positions: ReadonlyMap<Node, number>, list: ProblemList): void {
  for (const input of graph.inputs) {
    const where = { graph: graph.name, value: input.name };
    if (graph.values.get(input.name) !== input) list.add(`Input "${input.name}" is unknown to its graph`, where);
    if (input.producer)
      list.add(`"${input.name}" is an input and the output of ${describeNode(input.producer)}`, where);
    if (graph === graph.model.graph && !input.type) list.add(`Input "${input.name}" has no type`, where);
  }
  for (const value of graph.initializers) {
    const where = { graph: graph.name, value: value.name };
    if (graph.values.get(value.name) !== value) list.add(`Initializer "${value.name}" is unknown to its graph`, where);
    if (value.producer)
      list.add(`"${value.name}" is an initializer and the output of ${describeNode(value.producer)}`, where);
    if (!value.tensor && !value.sparse) list.add(`Initializer "${value.name}" has no tensor`, where);
  }
  for (const [name, value] of graph.values) {
    if (list.full) return;
    const where = { graph: graph.name, value: name };
    if (value.name !== name) list.add(`The value listed as "${name}" is called "${value.name}"`, where);
    if (value.graph !== graph) list.add(`"${name}" claims that another graph defines it`, where);
    if (value.tensor) verifyInitializer(graph, value, value.tensor, list);
    verifyOrigin(graph, value, positions, list);
  }
}

/** A value comes from exactly one place; one that comes from none must not be used. */
function verifyOrigin(graph: Graph, value: Value, positions: ReadonlyMap<Node, number>, list: ProblemList): void {
  const where = { graph: graph.name, value: value.name };
  const { producer } = value;
  if (producer) {
    if (producer.graph !== graph || !positions.has(producer)) {
      list.add(`"${value.name}" is the output of ${describeNode(producer)}, which is not in its graph`, where);
    } else if (producer.outputs[value.outputIndex] !== value) {
      list.add(`"${value.name}" is not output ${value.outputIndex} of ${describeNode(producer)}`, where);
    }
    return;
  }
  if (graph.hasInput(value) || graph.initializers.has(value)) return;
  if (value.uses.size > 0 || value.outputOf.length > 0) {
    list.add(`"${value.name}" is used, but is not an input, initializer or output of a node`, where);
  }
}

function verifyInitializer(graph: Graph, value: Value, tensor: Tensor, list: ProblemList): void {
  const where = { graph: graph.name, value: value.name };
  if (!graph.initializers.has(value)) list.add(`"${value.name}" has a tensor but is not among the initializers`, where);
  const { type } = value;
  if (type?.kind === 'tensor' && type.dataType !== tensor.dataType && type.dataType !== 0) {
    list.add(
      `"${value.name}" is declared ${dataTypeName(type.dataType)} but its initializer is ${dataTypeName(tensor.dataType)}`,
      where,
    );
  }
  verifyTensor(tensor, `Initializer "${value.name}"`, where, list);
}

function verifyTensor(tensor: Tensor, what: string, where: ErrorLocation, list: ProblemList): void {
  const size = elementCount(tensor.dims);
  if (!Number.isSafeInteger(size) || tensor.dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) {
    list.add(`${what} has the invalid shape [${tensor.dims.slice(0, 8).join(',')}]`, where, 'SO2101');
    return;
  }
  const expected = rawByteLength(tensor.dataType, size);
  if (expected !== undefined && expected !== tensor.byteLength) {
    list.add(`${what} needs ${expected} bytes but has ${tensor.byteLength}`, where, 'SO2101');
  }
}

function verifyOutputs(graph: Graph, positions: ReadonlyMap<Node, number>, list: ProblemList): void {
  const seen = new Set<Value>();
  for (const output of graph.outputs) {
    const where = { graph: graph.name, value: output.name };
    if (seen.has(output)) list.add(`Graph "${graph.name}" has two outputs named "${output.name}"`, where);
    seen.add(output);
    if (!output.outputOf.includes(graph))
      list.add(`"${output.name}" is not marked as an output of graph "${graph.name}"`, where);
    if (!isVisible(graph, output)) list.add(`Output "${output.name}" is not defined in graph "${graph.name}"`, where);
    else if (graph.parent && output.graph !== graph) {
      verifyOrder(graph.parent, output, positions, list);
    }
  }
}

/** True when the value is defined in the graph or one around it. */
function isVisible(graph: Graph, value: Value): boolean {
  let current: Graph | undefined = graph;
  while (current && current !== value.graph) current = current.parent?.graph;
  return current !== undefined && current.values.get(value.name) === value;
}

function verifyNode(graph: Graph, node: Node, positions: ReadonlyMap<Node, number>, list: ProblemList): void {
  const where = { graph: graph.name, node: nodeLabel(node) };
  if (node.graph !== graph) list.add(`The ${describeNode(node)} claims to be in another graph`, where);
  if (node.opType === '') list.add(`The ${describeNode(node)} has no operator`, where);
  node.outputs.forEach((output, index) => {
    if (!output) return;
    if (graph.values.get(output.name) !== output) {
      list.add(
        `Output ${index} of ${describeNode(node)} is "${output.name}", which is the name of another value`,
        where,
      );
    } else if (output.producer !== node) {
      list.add(`Output "${output.name}" of ${describeNode(node)} has another producer`, where);
    }
  });
  for (const input of node.inputs) {
    if (!input) continue;
    if (isVisible(graph, input)) verifyOrder(node, input, positions, list);
    else
      list.add(`The ${describeNode(node)} uses "${input.name}", which is not visible there`, {
        ...where,
        value: input.name,
      });
  }
  verifyAttributes(node, list);
}

/** The producer must stand before the node, or before the node around it in the producer's graph. */
function verifyOrder(node: Node, input: Value, positions: ReadonlyMap<Node, number>, list: ProblemList): void {
  const { producer } = input;
  if (!producer) return;
  const consumer = ancestorIn(producer.graph, node);
  if (!consumer) return;
  const [before, after] = [positions.get(producer) ?? 0, positions.get(consumer) ?? 0];
  if (before < after) return;
  const where = { graph: node.graph.name, node: nodeLabel(node), value: input.name };
  list.add(
    before === after
      ? `The ${describeNode(node)} uses its own output "${input.name}"`
      : `The ${describeNode(node)} comes before the node that produces "${input.name}", or both are in a cycle`,
    where,
  );
}

function verifyAttributes(node: Node, list: ProblemList): void {
  const where = { graph: node.graph.name, node: nodeLabel(node) };
  for (const [name, { name: own, value }] of node.attributes) {
    const what = `Attribute "${name}" of ${describeNode(node)}`;
    if (own !== name) list.add(`${what} is called "${own}"`, where);
    if (value.kind === 'tensor') verifyTensor(value.value, what, where, list);
    else if (value.kind === 'tensors') for (const tensor of value.value) verifyTensor(tensor, what, where, list);
  }
  for (const { name, graph } of node.subgraphs()) {
    if (graph.parent !== node)
      list.add(`The graph in attribute "${name}" of ${describeNode(node)} belongs to another node`, where);
  }
}

/** Every use must be an input of a living node, and every input must be a use: equal numbers say the second. */
function verifyUses(
  graph: Graph,
  positions: ReadonlyMap<Node, number>,
  inputCounts: ReadonlyMap<Value, number>,
  list: ProblemList,
): void {
  for (const value of graph.values.values()) {
    if (list.full) return;
    const where = { graph: graph.name, value: value.name };
    for (const use of value.uses) {
      if (!positions.has(use.node))
        list.add(`"${value.name}" is used by ${describeNode(use.node)}, which is in no graph`, where);
      else if (use.node.input(use.slot) !== value) {
        list.add(`"${value.name}" is not input ${use.slot} of ${describeNode(use.node)}`, where);
      }
    }
    if ((inputCounts.get(value) ?? 0) !== value.uses.size) {
      list.add(
        `"${value.name}" is the input of ${inputCounts.get(value) ?? 0} nodes but records ${value.uses.size}`,
        where,
      );
    }
  }
}

/** Each domain once a graph family: the main graph follows the model's imports, a function its own. */
function verifyOpsets(model: Model, list: ProblemList): void {
  for (const [domain, version] of model.opsets) {
    if (!Number.isSafeInteger(version) || version < 1) {
      list.add(`The operator set "${domain || 'ai.onnx'}" has version ${version}`, {}, 'SO3002');
    }
  }
}
