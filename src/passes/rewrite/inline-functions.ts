import type { Attribute } from '../../ir/attribute.js';
import { copyNodes, type ValueMapping } from '../../ir/copy-nodes.js';
import { functionKey, type ModelFunction } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import { allNodes, walkGraphs } from '../../ir/walk.js';
import { opVersions } from '../../ops/schema.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext, SweepContext } from '../engine/rewrite.js';
import { giveOutput } from '../nodes.js';

/**
 * f(x) = body of f: a call of a local function becomes the nodes of its body, and a function without calls is removed.
 *
 * Fires on every call in the main graph, its subgraphs and other functions. Refuses a function whose operators have
 * another meaning in the operator sets that the caller imports, and one that calls itself. Numerics: exact. Reference:
 * ONNX IR, section Functions.
 */
export const inlineFunctions = defineRewrite<object>({
  name: 'inline-functions',
  summary: 'Inlines local functions where they are called.',
  group: 'rewrite',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: '*',
  rules: () => ({ match: matchCall, sweep: dropUncalled }),
});

function matchCall(node: Node, context: RewriteContext): Match {
  const called = context.model.functions.get(functionKey(node.domain, node.opType, node.overload));
  if (!called) return undefined;
  const reason = whyNotInlined(called, node, context);
  if (reason !== undefined) return reason;
  return {
    nodes: [node],
    detail: `${called.graph.nodes.size} nodes`,
    apply() {
      inline(node, called);
      return undefined;
    },
  };
}

function whyNotInlined(called: ModelFunction, node: Node, context: RewriteContext): string | undefined {
  if (called.graph.initializers.size > 0) return 'its function has initializers';
  for (const graph of walkGraphs(called.graph)) {
    for (const inner of graph.nodes) {
      if (
        functionKey(inner.domain, inner.opType, inner.overload) ===
        functionKey(called.domain, called.name, called.overload)
      )
        return 'its function calls itself';
      const own = called.opsets.get(inner.domain) ?? 0;
      const callers = context.opset(node, inner.domain);
      if (own === callers || context.model.functions.has(functionKey(inner.domain, inner.opType, inner.overload)))
        continue;
      if (callers === 0) continue;
      const [low, high] = [Math.min(own, callers), Math.max(own, callers)];
      if (opVersions(inner.domain, inner.opType).some((version) => version > low && version <= high))
        return `${inner.opType} in its function is of version ${own} of its operator set, the caller's is ${callers}`;
    }
  }
  return undefined;
}

function inline(node: Node, called: ModelFunction): void {
  const { graph } = node;
  for (const [domain, version] of called.opsets)
    if (graph.model.opset(domain) === 0) graph.model.setOpset(domain, version);
  const mapping: ValueMapping = new Map();
  for (const [index, parameter] of called.graph.inputs.entries()) mapping.set(parameter, node.inputs[index]);
  const given = new Map<string, Attribute>(called.attributeDefaults.map((each) => [each.name, each]));
  for (const each of node.attributes.values()) given.set(each.name, each);
  copyNodes(called.graph.nodes, graph, mapping, {
    before: node,
    namePrefix: `${node.name || node.opType}/`,
    attributes: (own) => resolved(own, given),
  });
  for (const [index, output] of node.outputs.slice().entries()) {
    const result = called.graph.outputs[index];
    const value = result && (mapping.has(result) ? mapping.get(result) : result);
    if (output && value) giveOutput(node, output, value);
  }
}

/** A reference becomes what the call, or the default, says; undefined where neither says anything: the attribute is absent then. */
function resolved(own: Attribute, given: ReadonlyMap<string, Attribute>): Attribute | undefined {
  if (own.value.kind !== 'reference') return own;
  const value = given.get(own.value.value)?.value;
  return value && { name: own.name, value };
}

function dropUncalled(context: SweepContext): void {
  const called = new Set<string>();
  for (const node of allNodes(context.model)) called.add(functionKey(node.domain, node.opType, node.overload));
  for (const key of context.model.functions.keys()) {
    if (called.has(key)) continue;
    context.perform({
      nodes: [],
      detail: `function ${key.split('\u0000')[1] ?? ''}`,
      apply() {
        context.model.functions.delete(key);
        context.model.changed = true;
        return undefined;
      },
    });
  }
}
