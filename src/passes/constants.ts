/** Constants as passes make, replace and drop them. */

import { attribute } from '../ir/attribute.js';
import type { Graph, NodeSpec } from '../ir/graph.js';
import { raiseIrVersion } from '../ir/ir-version.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import { tensorType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import type { Tensor } from '../tensor/tensor.js';
import { rootGraph } from './engine/scopes.js';

/**
 * A new constant in `graph`: an initializer, or a Constant node where initializers are not possible (bodies of local
 * functions). A Constant node is put before `before`. Before IR version 4 an initializer would have to be an input too:
 * the model is raised to 4 then, where those it has stand alone.
 */
export function addConstant(graph: Graph, name: string, tensor: Tensor, before?: Node): Value {
  if (!insideFunction(graph)) {
    raiseIrVersion(graph.model, 4);
    return graph.addInitializer(name, tensor);
  }
  const type = tensorType(tensor.dataType, tensor.dims);
  return addConstantNode(graph, { name, type }, tensor, before ?? graph.nodes.first).output();
}

/** The operator set that is imported for a Constant where none is: the oldest of models whose initializers stand alone. */
const CONSTANT_OPSET = 9;

/** Puts a Constant node for `output`, or for a new value, before `before`; models of other domains alone import ai.onnx for it. */
export function addConstantNode(
  graph: Graph,
  output: NodeSpec['outputs'][number],
  tensor: Tensor,
  before: Node | undefined,
): Node {
  const { model } = graph;
  const root = rootGraph(graph);
  if (root === model.graph) {
    if (model.opset() === 0 && model.irVersion >= 3) model.setOpset('', CONSTANT_OPSET);
  } else {
    for (const fn of model.functions.values())
      if (fn.graph === root && !fn.opsets.has('')) fn.opsets.set('', CONSTANT_OPSET);
  }
  const attributes = [attribute('value', tensor)];
  return graph.addNode({ opType: 'Constant', inputs: [], outputs: [output], attributes }, before);
}

/**
 * Makes a value that a node computes a constant of the same name: an initializer or, for an output of a graph and in local
 * functions, what a Constant node gives, which is given back. The node loses that output: the caller removes it. For values
 * of nodes with one output only, since others cannot do without the place of it.
 */
export function makeConstant(value: Value, tensor: Tensor): Node | undefined {
  const { graph, producer } = value;
  producer?.setOutput(value.outputIndex, undefined);
  if (!value.isGraphOutput) value.type = tensorType(tensor.dataType, tensor.dims);
  if (insideFunction(graph) || value.isGraphOutput)
    return addConstantNode(graph, value, tensor, producer ?? graph.nodes.first);
  raiseIrVersion(graph.model, 4);
  value.tensor = tensor;
  graph.registerInitializer(value);
  return undefined;
}

/** True for the body of a local function and the subgraphs in it. */
export function insideFunction(graph: Graph): boolean {
  return rootGraph(graph) !== graph.model.graph;
}

/**
 * Gives input `slot` of `node` another constant (named as a bias where there was none). Keeps the name when nothing else uses the old initializer, else the old
 * one stays and a copy is made.
 */
export function replaceConstantInput(node: Node, slot: number, tensor: Tensor): void {
  const old = node.input(slot);
  if (old?.tensor && old.graph === node.graph && old.uses.size === 1 && isDroppable(old)) {
    old.tensor = tensor;
    old.type = tensorType(tensor.dataType, tensor.dims);
    return;
  }
  node.setInput(slot, addConstant(node.graph, old ? `${old.name}_folded` : `${nodeLabel(node)}_bias`, tensor, node));
  if (old) dropIfUnused(old);
}

/** Removes an initializer or a Constant node that nothing uses any more. */
export function dropIfUnused(value: Value): void {
  if (value.uses.size > 0 || !isDroppable(value)) return;
  const producer = value.producer;
  if (producer?.is('Constant')) producer.graph.remove(producer);
  else if (value.tensor) {
    if (value.isGraphInput) value.graph.removeInput(value);
    value.graph.removeInitializer(value);
  }
}

/** False when the interface of the graph or opaque parts of the model name it. Before IR version 4 a listing as input means nothing. */
function isDroppable(value: Value): boolean {
  if (value.pinned || value.isGraphOutput) return false;
  return !value.isGraphInput || value.graph.model.irVersion < 4;
}
