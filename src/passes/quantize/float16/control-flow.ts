import type { Graph } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { isFloat32 } from './classes.js';
import type { Demand, NodePlan } from './node-plan.js';

/** A value that crosses the border of a subgraph: all its parts have one type. Positions may be absent. */
interface Link {
  readonly inputSlot?: number;
  readonly bodyInput?: number;
  readonly bodyOutput?: number;
  readonly output?: number;
}

export interface ControlFlowLinks {
  readonly bodyInputs: Set<Value>;
  readonly bodyOutputs: Map<Graph, Demand[]>;
}

/**
 * Decides what If, Loop and Scan carry in FLOAT16: every FLOAT tensor, unless the node itself stays FLOAT32. Writes into
 * the plans of these nodes. Bodies of other operators keep FLOAT at their borders.
 */
export function linkControlFlow(order: readonly Node[], nodes: ReadonlyMap<Node, NodePlan>): ControlFlowLinks {
  const links: ControlFlowLinks = { bodyInputs: new Set(), bodyOutputs: new Map() };
  for (const node of order) {
    const bodies = node.subgraphs().map(({ graph }) => graph);
    for (const body of bodies) {
      links.bodyOutputs.set(
        body,
        body.outputs.map((): Demand => 'float32'),
      );
    }
    const plan = nodes.get(node);
    if (bodies.length === 0 || !plan || plan.reason !== undefined) continue;
    for (const link of linksOf(node, bodies)) if (isFloat(node, bodies, link)) narrow(node, plan, bodies, link, links);
  }
  return links;
}

function linksOf(node: Node, bodies: readonly Graph[]): Link[] {
  const body = bodies[0];
  if (node.is('If')) return node.outputs.map((_, at) => ({ bodyOutput: at, output: at }));
  if (node.is('Loop') && body) {
    // Node: M, cond, carried…; body: iteration, cond, carried… → cond, carried…, scanned…
    const carried = Math.max(node.inputs.length - 2, 0);
    return node.outputs.map((_, at) =>
      at < carried
        ? { inputSlot: at + 2, bodyInput: at + 2, bodyOutput: at + 1, output: at }
        : { bodyOutput: at + 1, output: at },
    );
  }
  const scanned = node.int('num_scan_inputs', 0);
  // Scan-8 has a slot for sequence lengths before the states and stays as it is.
  if (node.is('Scan') && body && node.inputs.length === body.inputs.length) {
    const states = node.inputs.length - scanned;
    const inputs = node.inputs.map(
      (_, at): Link =>
        at < states ? { inputSlot: at, bodyInput: at, bodyOutput: at, output: at } : { inputSlot: at, bodyInput: at },
    );
    return [
      ...inputs,
      ...node.outputs.slice(states).map((_, at) => ({ bodyOutput: states + at, output: states + at })),
    ];
  }
  return [];
}

/** Whether every part that is there is a FLOAT tensor, and at least one is. */
function isFloat(node: Node, bodies: readonly Graph[], link: Link): boolean {
  const parts: Value[] = [];
  const output = link.output === undefined ? undefined : node.outputs[link.output];
  if (output) parts.push(output);
  const input = link.inputSlot === undefined ? undefined : node.input(link.inputSlot);
  if (input) parts.push(input);
  for (const body of bodies) {
    const inner = [
      link.bodyInput === undefined ? undefined : body.inputs[link.bodyInput],
      link.bodyOutput === undefined ? undefined : body.outputs[link.bodyOutput],
    ];
    for (const value of inner) if (value) parts.push(value);
  }
  return parts.length > 0 && parts.every(isFloat32);
}

function narrow(node: Node, plan: NodePlan, bodies: readonly Graph[], link: Link, links: ControlFlowLinks): void {
  if (link.inputSlot !== undefined) plan.inputs[link.inputSlot] = 'float16';
  if (link.output !== undefined && node.outputs[link.output]) plan.outputs[link.output] = true;
  for (const body of bodies) {
    const input = link.bodyInput === undefined ? undefined : body.inputs[link.bodyInput];
    if (input) links.bodyInputs.add(input);
    const demands = links.bodyOutputs.get(body);
    if (demands && link.bodyOutput !== undefined && link.bodyOutput < demands.length)
      demands[link.bodyOutput] = 'float16';
  }
}
