import type { Model } from '../ir/model.js';
import { allGraphs, allNodes, constantNodeTensor } from '../ir/walk.js';
import type { Tensor } from '../tensor/tensor.js';

/** Initializers and tensors of Constant nodes, each once. */
export function storedTensors(model: Model): Tensor[] {
  const tensors = new Set<Tensor>();
  for (const graph of allGraphs(model)) for (const { tensor } of graph.initializers) if (tensor) tensors.add(tensor);
  for (const node of allNodes(model)) {
    const tensor = node.is('Constant') ? constantNodeTensor(node) : undefined;
    if (tensor) tensors.add(tensor);
  }
  return [...tensors];
}

/** Elements of all of them: what is called the parameters of a model. */
export function parameterCount(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { size }) => sum + size, 0);
}
