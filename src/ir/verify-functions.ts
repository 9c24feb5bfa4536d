import type { ErrorLocation } from '../errors.js';
import type { Graph } from './graph.js';
import type { Model } from './model.js';
import { functionKey, type ModelFunction } from './model-function.js';
import { nodeLabel, type ProblemList } from './problem.js';
import { MAX_NODES } from './proto/read-context.js';
import { walkGraphs } from './walk.js';

/** Checks domains, attribute references, and that inlining every call of a local function would come to an end of bearable size. */
export function verifyFunctions(model: Model, list: ProblemList): void {
  verifyBody(model.graph, model.opsets, undefined, list);
  for (const fn of model.functions.values()) {
    verifyParameters(fn, list);
    verifyBody(fn.graph, fn.opsets, fn, list);
  }
  verifyCalls(model, list);
}

function verifyParameters(fn: ModelFunction, list: ProblemList): void {
  const names = new Set<string>();
  for (const name of [...fn.attributeNames, ...fn.attributeDefaults.map((attribute) => attribute.name)]) {
    if (names.has(name)) list.add(`Function "${fn.name}" has two attributes named "${name}"`, { graph: fn.name });
    names.add(name);
  }
}

/** Domains must be imported, once said for each; `@name` needs a function around it. */
function verifyBody(
  body: Graph,
  opsets: ReadonlyMap<string, number>,
  fn: ModelFunction | undefined,
  list: ProblemList,
): void {
  const missing = new Set<string>();
  for (const graph of walkGraphs(body)) {
    for (const node of graph.nodes) {
      const where: ErrorLocation = { graph: graph.name, node: nodeLabel(node) };
      if (!opsets.has(node.domain) && !missing.has(node.domain)) {
        missing.add(node.domain);
        list.add(
          `Node "${nodeLabel(node)}" (${node.opType}) is of the domain "${node.domain || 'ai.onnx'}", which the ${fn ? `function "${fn.name}"` : 'model'} does not import`,
          where,
          'SO3002',
        );
      }
      // In a function a name that it does not declare is an attribute that no caller gives: exporters write such.
      if (fn) continue;
      for (const { name, value } of node.attributes.values()) {
        if (value.kind !== 'reference') continue;
        list.add(
          `Attribute "${name}" of node "${nodeLabel(node)}" (${node.opType}) refers to "${value.value}", but only a function has attributes to refer to`,
          where,
        );
      }
    }
  }
}

interface Body {
  readonly label: string;
  readonly ownNodes: number;
  /** Called functions, each as often as it is called. */
  readonly calls: readonly string[];
}

function readBody(model: Model, label: string, graph: Graph): Body {
  let ownNodes = 0;
  const calls: string[] = [];
  for (const inner of walkGraphs(graph)) {
    for (const node of inner.nodes) {
      ownNodes++;
      const key = functionKey(node.domain, node.opType, node.overload);
      if (model.functions.has(key)) calls.push(key);
    }
  }
  return { label, ownNodes, calls };
}

/** Depth-first over the calls, without recursion: finds a cycle, else counts the nodes after inlining everything. */
function verifyCalls(model: Model, list: ProblemList): void {
  if (model.functions.size === 0) return;
  const bodies = new Map<string, Body>();
  for (const [key, fn] of model.functions) bodies.set(key, readBody(model, fn.name, fn.graph));
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  for (const root of bodies.keys()) {
    if (sizes.has(root)) continue;
    const stack = [{ key: root, next: 0 }];
    open.add(root);
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const body = bodies.get(frame.key);
      const call = body?.calls[frame.next++];
      if (call === undefined) {
        stack.pop();
        open.delete(frame.key);
        if (body) sizes.set(frame.key, expandedSize(body, sizes));
      } else if (open.has(call)) {
        const label = bodies.get(call)?.label ?? '';
        list.add(`Function "${label}" calls itself${call === frame.key ? '' : ` through "${body?.label}"`}`, {
          graph: label,
        });
        return;
      } else if (!sizes.has(call)) {
        open.add(call);
        stack.push({ key: call, next: 0 });
      }
    }
  }
  const total = expandedSize(readBody(model, model.graph.name, model.graph), sizes);
  if (total > MAX_NODES) {
    list.add(
      `The calls of local functions expand to ${total > 1e15 ? 'far ' : ''}more than ${MAX_NODES} nodes`,
      { graph: model.graph.name },
      'SO2104',
    );
  }
}

/** Nodes after inlining. Grows without bound for a bomb, which a double bears: it ends at Infinity. */
function expandedSize(body: Body, sizes: ReadonlyMap<string, number>): number {
  return body.calls.reduce((total, call) => total - 1 + (sizes.get(call) ?? 0), body.ownNodes);
}
