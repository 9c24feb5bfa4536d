import type { Graph } from '../../../ir/graph.js';
import type { Model } from '../../../ir/model.js';
import { functionKey } from '../../../ir/model-function.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { walkGraphs } from '../../../ir/walk.js';
import { inputParameter, type OpSchema, opSchema, outputParameter, type SchemaParameter } from '../../../ops/schema.js';
import { DataType } from '../../../tensor/dtype.js';
import { elementTypeOf, isFloat32, isFloat32Constant, isShapeOnly, keptReason, takesAnyType } from './classes.js';
import { whyConstantsDoNotFit } from './constant-range.js';
import { linkControlFlow } from './control-flow.js';
import { exactValues } from './exact-values.js';
import type { NarrowFloat } from './narrow-float.js';
import type { Demand, NodePlan } from './node-plan.js';
import { precisionRegions } from './precision-regions.js';

/** The decision for every node of the main graph and its subgraphs, and for what crosses the borders of subgraphs. */
export interface Float16Plan {
  /** Nodes topologically, outer graphs before inner ones. */
  readonly order: readonly Node[];
  /** Nodes that could be FLOAT16 and stay FLOAT for their values, as measured or as the graph uses them. */
  readonly chosen: ReadonlySet<Node>;
  readonly nodes: ReadonlyMap<Node, NodePlan>;
  /** Formal inputs of subgraphs that become FLOAT16. */
  readonly bodyInputs: ReadonlySet<Value>;
  /** By subgraph, the type wanted of each output. */
  readonly bodyOutputs: ReadonlyMap<Graph, readonly Demand[]>;
}

export interface PlanOptions {
  /** The type to convert to. */
  readonly to: NarrowFloat;
  /** Inputs and outputs of the model keep FLOAT. */
  readonly keepIo: boolean;
  /** False for a node that must stay as it is. */
  readonly selected: (node: Node) => boolean;
  /** Why a value must not become FLOAT16, from what was measured of it; undefined when nothing speaks against it. */
  readonly whyWide: (value: Value) => string | undefined;
  /** Reasons to keep nodes in FLOAT, by the name of their first output. */
  readonly kept: ReadonlyMap<string, string>;
}

/** Decides which nodes compute in 16 bits. Needs types (`inferTypes`); changes nothing. */
export function planFloat16(model: Model, options: PlanOptions): Float16Plan {
  const order: Node[] = [];
  for (const graph of walkGraphs(model.graph)) order.push(...graph.nodes);
  const { to } = options;
  const regions = precisionRegions(order, to);
  const exact = exactValues(order);
  const wide = new Map<Node, string>();
  const chosen = new Set<Node>();
  for (const node of order) {
    const never = staysFloat32(model, node, options) ?? keptReason(node);
    const values = never ?? whyValuesDoNotFit(node, options) ?? exact.get(node) ?? whyConstantsDoNotFit(node, to);
    const reason = values ?? regions.get(node) ?? options.kept.get(nodeKey(node));
    if (never === undefined && reason !== undefined && reason !== regions.get(node)) chosen.add(node);
    if (reason !== undefined) wide.set(node, reason);
  }
  const plan = (node: Node): NodePlan => planNode(model, node, wide.get(node), to);
  const nodes = new Map(order.map((node) => [node, plan(node)]));
  const links = linkControlFlow(order, nodes);
  for (const node of betweenFloat32(order, nodes, options.keepIo ? model.graph : undefined)) {
    wide.set(node, 'everything around it is float32');
    nodes.set(node, plan(node));
  }
  return { order, chosen, nodes, ...links };
}

/** What a node is known by from one conversion of a model to the next: the name of its first output. */
export function nodeKey(node: Node): string {
  return node.outputs.find((output) => output !== undefined)?.name ?? '';
}

/** A reason that holds whatever the schema says; undefined when there is none. */
function staysFloat32(model: Model, node: Node, options: PlanOptions): string | undefined {
  if (!options.selected(node)) return 'it is excluded';
  if (model.functions.has(functionKey(node.domain, node.opType, node.overload))) {
    return 'it calls a local function, whose body keeps its types';
  }
  if (node.domain !== '' && node.domain !== 'com.microsoft')
    return `operators of ${node.domain} do not support ${options.to.name}`;
  for (const value of [...node.inputs, ...node.outputs]) {
    if (!value) continue;
    if (value.type && value.type.kind !== 'tensor') return 'sequences and optional values keep float32';
    const type = elementTypeOf(value);
    if (node.domain === 'com.microsoft' && (type === DataType.INT8 || type === DataType.UINT8)) {
      return 'quantized operators keep float32';
    }
    if (type === undefined && !value.type) return `the type of "${value.name}" is unknown`;
  }
  if (isQuantizer(node)) return 'quantized operators keep float32';
  if (node.inputs.some((input) => input?.producer?.opType === 'DequantizeLinear'))
    return 'it is part of a quantized operator';
  for (const output of node.outputs) {
    for (const use of output?.uses ?? []) {
      if (use.node.opType === 'QuantizeLinear' && use.slot === 0) return 'it is part of a quantized operator';
    }
  }
  return undefined;
}

/** What was measured of the values that a node touches. */
function whyValuesDoNotFit(node: Node, { whyWide }: PlanOptions): string | undefined {
  for (const value of [...node.inputs, ...node.outputs]) {
    const reason = isFloat32(value) ? whyWide(value) : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isQuantizer(node: Node): boolean {
  return /^(Dynamic)?QuantizeLinear$|^DequantizeLinear$/.test(node.opType);
}

/** The plan of one node by its schema; control flow is linked afterwards. */
function planNode(model: Model, node: Node, wide: string | undefined, to: NarrowFloat): NodePlan {
  const keep = (reason: string | undefined): NodePlan => ({
    inputs: node.inputs.map((_, slot) => (takesAnyType(node, slot) ? 'any' : 'float32')),
    outputs: node.outputs.map(() => false),
    reason,
  });
  const touchesFloat =
    node.outputs.some(isFloat32) || node.inputs.some((v, at) => isFloat32(v) && !takesAnyType(node, at));
  if (node.is('Constant') || !touchesFloat) return keep(undefined);
  if (wide !== undefined) return keep(wide);
  const schema = opSchema(node.domain, node.opType, model.opset(node.domain));
  if (!schema) return keep('its operator is unknown');
  if (schema.determinism === 'subgraph') return keep(undefined);
  const narrow = narrowVariables(node, schema, to);
  if (narrow.size === 0) return keep(`${node.opType} does not support ${to.name} at opset ${model.opset(node.domain)}`);
  return {
    inputs: node.inputs.map((_, slot): Demand => {
      if (takesAnyType(node, slot)) return 'any';
      return narrow.has(inputParameter(schema, slot)?.type ?? '') && !keepsPrecision(node, slot)
        ? 'float16'
        : 'float32';
    }),
    outputs: node.outputs.map(
      (output, index) => isFloat32(output) && narrow.has(outputParameter(schema, index)?.type ?? ''),
    ),
    reason: undefined,
  };
}

/** The region of interest of Resize has a type of its own, and its coordinates need more than 11 bits. */
function keepsPrecision(node: Node, slot: number): boolean {
  return node.is('Resize') && slot === 1;
}

/** Type variables of the schema that stand for FLOAT in this node and may stand for the narrow type. */
function narrowVariables(node: Node, schema: OpSchema, { name }: NarrowFloat): Set<string> {
  const variables = new Set<string>();
  const add = (value: Value | undefined, parameter: SchemaParameter | undefined): void => {
    if (!isFloat32(value) || !parameter?.homogeneous) return;
    if (schema.typeConstraints.get(parameter.type)?.includes(`tensor(${name})`)) variables.add(parameter.type);
  };
  node.inputs.forEach((input, slot) => {
    if (!takesAnyType(node, slot)) add(input, inputParameter(schema, slot));
  });
  node.outputs.forEach((output, index) => {
    add(output, outputParameter(schema, index));
  });
  return variables;
}

/**
 * Nodes that only move elements (or make them: generators, Cast) and whose FLOAT values all come from and go to
 * FLOAT32 places: converting them would only put a Cast on each side. `keptOutputs` is the main graph when its inputs
 * and outputs keep FLOAT.
 */
function betweenFloat32(
  order: readonly Node[],
  nodes: ReadonlyMap<Node, NodePlan>,
  keptOutputs: Graph | undefined,
): Node[] {
  const movable = (node: Node): boolean => {
    if (!nodes.get(node)?.outputs.includes(true)) return false;
    if (isShapeOnly(node) || node.is('Cast')) return true;
    return !node.inputs.some(isFloat32) && node.subgraphs().length === 0;
  };
  const fromWide = new Set<Node>();
  for (const node of order) {
    if (!movable(node)) continue;
    const wide = node.inputs.every((input, slot) => {
      if (!isFloat32(input) || takesAnyType(node, slot) || isFloat32Constant(input)) return true;
      const { producer } = input;
      if (!producer) return input.graph === keptOutputs;
      return !nodes.get(producer)?.outputs[input.outputIndex] || fromWide.has(producer);
    });
    if (wide) fromWide.add(node);
  }
  const toWide = new Set<Node>();
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at];
    if (!node || !movable(node)) continue;
    const wide = node.outputs.every((output) => {
      if (!output) return true;
      if (output.outputOf.some((graph) => graph !== keptOutputs)) return false;
      return [...output.uses].every(
        (use) => toWide.has(use.node) || nodes.get(use.node)?.inputs[use.slot] !== 'float16',
      );
    });
    if (wide) toWide.add(node);
  }
  return order.filter((node) => fromWide.has(node) && toWide.has(node));
}
