import { bug } from '../errors.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import type { Dependencies } from './dependency-groups.js';

/**
 * The dependencies of a copy of a model, without finding them anew: axes keep their numbers, so units of the original are
 * units of the copy.
 * @param original the model that the dependencies were found in, as it was then
 * @param copy made by `original.clone()`, and not changed since
 */
export function copiedDependencies(dependencies: Dependencies, original: Model, copy: Model): Dependencies {
  const { nodes, values } = counterparts(original, copy);
  const { table, elements, solved, groups, frozen } = dependencies;
  const nodeOf = (node: Node): Node => nodes.get(node) ?? node;
  return {
    table: table.copied(nodes, values),
    elements: new Map([...elements].map(([value, known]) => [values.get(value) ?? value, known])),
    solved,
    groups: groups.map((group) => ({
      ...group,
      marks: group.marks.map((mark) => ({ ...mark, node: nodeOf(mark.node) })),
    })),
    frozen: frozen.map((each) => ({ ...each, value: values.get(each.value) ?? each.value, node: nodeOf(each.node) })),
  };
}

/** Nodes and values of the main graph with those in the same places of the copy. */
function counterparts(
  original: Model,
  copy: Model,
): { readonly nodes: ReadonlyMap<Node, Node>; readonly values: ReadonlyMap<Value, Value> } {
  const nodes = new Map<Node, Node>();
  const values = new Map<Value, Value>();
  const pair = (value: Value | undefined, twin: Value | undefined): void => {
    if (value && twin) values.set(value, twin);
  };
  for (const side of ['inputs', 'outputs'] as const)
    for (const [at, value] of original.graph[side].entries()) pair(value, copy.graph[side][at]);
  const others = copy.graph.nodes[Symbol.iterator]();
  for (const node of original.graph.nodes) {
    const twin = others.next().value;
    if (twin === undefined || twin.opType !== node.opType) throw bug('the copy of a model has other nodes');
    nodes.set(node, twin);
    for (const [slot, value] of node.inputs.entries()) pair(value, twin.inputs[slot]);
    for (const [index, value] of node.outputs.entries()) pair(value, twin.outputs[index]);
  }
  return { nodes, values };
}
