import { ServeOptError } from '../../errors.js';
import type { Attribute, AttributeValue } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { functionKey, type ModelFunction } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import { formatType, tensorType, type ValueType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor, walkGraphs } from '../../ir/walk.js';
import { type Footprint, largerFootprint } from '../footprint/footprint.js';
import { opSchema } from '../schema.js';
import { bindTypes } from './bind.js';
import { type GraphResult, RuleContext, type RuleHost } from './context.js';
import { type Elements, tensorElements } from './elements.js';
import { joinTypes, mergeTypes, type OnConflict } from './merge.js';
import { ruleFor } from './rules.js';

/** Something in the model that contradicts itself or the specification. ONNX Runtime has the last word on it. */
export interface InferenceProblem {
  /** Name of the node, or of its first output when unnamed. */
  readonly node: string;
  readonly opType: string;
  /** The value in question, when it is one in particular. */
  readonly value: string | undefined;
  readonly reason: string;
  /**
   * What it is about: element types of inputs or outputs, sizes or ranks that an operator cannot have, a declared shape that
   * is not what comes out (which may be stale), or none of these.
   */
  readonly kind: 'type' | 'size' | 'shape' | 'other';
  /** It is in a subgraph or a local function, which need not be run. */
  readonly nested: boolean;
}

/** Subgraphs and function calls nested deeper are not looked into. */
const MAX_NESTING = 48;
/** Node visits, over all bodies visited again for loops and calls, after which bodies are left unknown. */
const MAX_VISITS = 4_000_000;
const MAX_PROBLEMS = 1000;

const EMPTY: GraphResult = { types: [], elements: [] };

/** What one instance of a graph (the main one, or one call of a local function) knows. */
export class Scope {
  readonly types: Map<Value, ValueType> = new Map();
  /** `undefined` is stored too: a constant that was looked at and is not carried. */
  readonly elements: Map<Value, Elements | undefined> = new Map();
  /** Memory of subgraphs by graph, of calls by node: the most over all iterations. Empty where it is not measured. */
  readonly footprints: Map<Graph | Node, Footprint> = new Map();
  /** How often the bodies of a node run at least, where that is known and measured. */
  readonly repeats: Map<Node, number> = new Map();
  /** Attributes of the call, for references in a function body. */
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly opsets: ReadonlyMap<string, number>;
  readonly depth: number;

  constructor(opsets: ReadonlyMap<string, number>, attributes: ReadonlyMap<string, Attribute>, depth: number) {
    this.opsets = opsets;
    this.attributes = attributes;
    this.depth = depth;
  }
}

export interface EngineOptions {
  /** The type the file (or a pass) states for a value, as opposed to one found by an earlier inference. */
  readonly declaredType: (value: Value) => ValueType | undefined;
  /** Measures the memory of a graph whose types have just been inferred. */
  readonly measure?: (scope: Scope, graph: Graph) => Footprint;
}

/** Walks graphs and applies the rules. One engine serves one `inferTypes`. */
export class InferenceEngine {
  readonly problems: InferenceProblem[] = [];
  /** Operators that have neither a schema nor a local function, as `domain::opType`. */
  readonly unknownOps: Set<string> = new Set();
  /** Types in function bodies, joined over all calls; undefined where calls disagree. */
  readonly functionTypes: Map<Value, ValueType | undefined> = new Map();
  readonly #model: Model;
  readonly #options: EngineOptions;
  readonly #calls: Map<string, GraphResult> = new Map();
  readonly #running: Set<ModelFunction> = new Set();
  #visits = 0;

  constructor(model: Model, options: EngineOptions) {
    this.#model = model;
    this.#options = options;
  }

  /** Infers a graph in a scope. Without `inputs` the declared input types are the truth. */
  inferGraph(scope: Scope, graph: Graph, inputs?: readonly (ValueType | undefined)[], depth = 0): GraphResult {
    if (depth > MAX_NESTING || this.#visits > MAX_VISITS) {
      this.#other(`graph "${graph.name}" is nested too deeply and was left out of type inference`);
      return EMPTY;
    }
    graph.inputs.forEach((value, index) => {
      const declared = this.#options.declaredType(value);
      const type = inputs ? mergeTypes(inputs[index], declared, this.#conflict(value)) : declared;
      setOrDelete(scope.types, value, type);
    });
    for (const value of graph.initializers) {
      const { tensor } = value;
      if (tensor && !(value.isGraphInput && scope.types.has(value)))
        scope.types.set(value, tensorType(tensor.dataType, tensor.dims));
      else if (!scope.types.has(value)) setOrDelete(scope.types, value, this.#options.declaredType(value));
    }
    for (const node of this.#order(graph)) this.#inferNode(scope, node, depth);
    const footprint = this.#options.measure?.(scope, graph);
    if (footprint) scope.footprints.set(graph, largerFootprint(scope.footprints.get(graph), footprint));
    return {
      types: graph.outputs.map((value) => this.#typeOf(scope, value)),
      elements: graph.outputs.map((value) => this.#elementsOf(scope, value)),
      ...(footprint ? { footprint } : {}),
    };
  }

  /** The nodes of a graph, producers first. Lists are expected sorted; one that is not is sorted here, and reported. */
  #order(graph: Graph): Iterable<Node> {
    const seen = new Set<Node>();
    for (const node of graph.nodes) {
      for (const producer of producersOf(node, graph)) {
        if (!seen.has(producer) && producer !== node) {
          this.#other(`the nodes of graph "${graph.name}" are not in topological order`, graph.name);
          return sorted(graph);
        }
      }
      seen.add(node);
    }
    return graph.nodes;
  }

  #inferNode(scope: Scope, node: Node, depth: number): void {
    this.#visits++;
    const { domain } = node;
    const schema = opSchema(domain, node.opType, versionOf(scope, domain, this.#model));
    const called = this.#model.functions.get(functionKey(domain, node.opType, node.overload));
    if (called && (!schema || domain !== '')) {
      const result = this.#call(scope, node, called, depth);
      if (result.footprint) scope.footprints.set(node, largerFootprint(scope.footprints.get(node), result.footprint));
      this.#store(scope, node, result);
      return;
    }
    if (!schema) {
      this.unknownOps.add(`${domain}::${node.opType}`);
      for (const { graph } of node.subgraphs()) this.inferGraph(scope, graph, undefined, depth + 1);
      this.#store(scope, node, EMPTY);
      return;
    }
    const types = node.inputs.map((value) => value && this.#typeOf(scope, value));
    const { outputs, problems } = bindTypes(schema, types, node.outputs.length);
    for (const reason of problems) this.#problem(node, undefined, reason, 'type', depth > 0);
    const context = new RuleContext(this.#host(scope, node, depth), node, schema, outputs);
    ruleFor(schema.domain, schema.opType)?.(context);
    this.#store(scope, node, {
      types: node.outputs.map((_, index) => context.outputType(index)),
      elements: node.outputs.map((_, index) => context.outputElements(index)),
    });
  }

  #host(scope: Scope, node: Node, depth: number): RuleHost {
    return {
      typeOf: (value) => this.#typeOf(scope, value),
      elementsOf: (value) => this.#elementsOf(scope, value),
      resolve: (attribute) => resolveAttribute(attribute, scope),
      inferSubgraph: (graph, inputs, elements) => {
        graph.inputs.forEach((value, index) => {
          scope.elements.set(value, elements?.[index]);
        });
        return this.inferGraph(scope, graph, inputs, depth + 1);
      },
      measuring: this.#options.measure !== undefined,
      repeats: (times) => scope.repeats.set(node, times),
      report: (at, value, reason, kind = 'size') => this.#problem(at, value?.name, reason, kind, depth > 0),
    };
  }

  #store(scope: Scope, node: Node, result: GraphResult): void {
    node.outputs.forEach((value, index) => {
      if (!value) return;
      const type = mergeTypes(result.types[index], this.#options.declaredType(value), this.#conflict(value));
      setOrDelete(scope.types, value, type);
      const elements = result.elements[index];
      if (elements) scope.elements.set(value, elements);
      else scope.elements.delete(value);
    });
  }

  /** Infers one call of a local function; equal calls are looked at once. */
  #call(scope: Scope, node: Node, called: ModelFunction, depth: number): GraphResult {
    if (this.#running.has(called)) {
      this.#problem(node, undefined, `function "${called.name}" calls itself`, 'other', depth > 0);
      return EMPTY;
    }
    const attributes = new Map(called.attributeDefaults.map((attribute) => [attribute.name, attribute]));
    for (const attribute of node.attributes.values()) {
      const value = resolveAttribute(attribute, scope);
      if (value) attributes.set(attribute.name, { name: attribute.name, value });
    }
    const types = node.inputs.map((value) => value && this.#typeOf(scope, value));
    const elements = node.inputs.map((value) => value && this.#elementsOf(scope, value));
    const key = callKey(called, attributes, types, elements);
    const before = key === undefined ? undefined : this.#calls.get(key);
    if (before) return before;
    const inner = new Scope(called.opsets, attributes, scope.depth + 1);
    called.graph.inputs.forEach((value, index) => {
      inner.elements.set(value, elements[index]);
    });
    this.#running.add(called);
    const result = this.inferGraph(inner, called.graph, types, depth + 1);
    this.#running.delete(called);
    for (const graph of walkGraphs(called.graph)) {
      for (const value of graph.values.values()) {
        const type = inner.types.get(value);
        const joined = this.functionTypes.has(value) ? joinTypes(this.functionTypes.get(value), type) : type;
        this.functionTypes.set(value, joined);
      }
    }
    if (key !== undefined) this.#calls.set(key, result);
    return result;
  }

  #typeOf(scope: Scope, value: Value): ValueType | undefined {
    return scope.types.get(value) ?? this.#options.declaredType(value);
  }

  #elementsOf(scope: Scope, value: Value): Elements | undefined {
    if (scope.elements.has(value)) return scope.elements.get(value);
    const elements = this.#constantElements(value);
    scope.elements.set(value, elements);
    return elements;
  }

  #constantElements(value: Value): Elements | undefined {
    try {
      const tensor = value.producer ? undefined : constantTensor(value);
      return tensor && tensorElements(tensor);
    } catch (error) {
      // External data may be absent: types are still worth having, and whoever needs the bytes will say so again.
      if (!(error instanceof ServeOptError)) throw error;
      this.#other(error.message, '', value.name);
      return undefined;
    }
  }

  #conflict(value: Value): OnConflict {
    return (reason, conflict) => {
      const kind = conflict === 'type' && !value.producer ? 'other' : conflict;
      this.#problem(value.producer, value.name, reason, kind, value.graph !== this.#model.graph);
    };
  }

  #other(reason: string, node = '', value?: string): void {
    this.#report({ node, opType: '', value, reason, kind: 'other', nested: false });
  }

  #problem(
    node: Node | undefined,
    value: string | undefined,
    reason: string,
    kind: InferenceProblem['kind'],
    nested: boolean,
  ): void {
    this.#report({ node: labelOf(node), opType: node?.opType ?? '', value, reason, kind, nested });
  }

  #report(problem: InferenceProblem): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    const last = this.problems.at(-1);
    if (last?.node === problem.node && last.value === problem.value && last.reason === problem.reason) return;
    this.problems.push(problem);
  }
}

function setOrDelete(types: Map<Value, ValueType>, value: Value, type: ValueType | undefined): void {
  if (type) types.set(value, type);
  else types.delete(value);
}

function labelOf(node: Node | undefined): string {
  return node ? node.name || (node.outputs.find((value) => value)?.name ?? '') : '';
}

/** The imported version of a domain. Models before IR 3 had no imports, and meant version 1. */
function versionOf(scope: Scope, domain: string, model: Model): number {
  return scope.opsets.get(domain) ?? (domain === '' && model.irVersion < 3 ? 1 : 0);
}

function resolveAttribute(attribute: Attribute | undefined, scope: Scope): AttributeValue | undefined {
  if (attribute?.value.kind !== 'reference') return attribute?.value;
  return scope.attributes.get(attribute.value.value)?.value;
}

/** Equal keys mean equal calls. Undefined when a call cannot be described shortly. */
function callKey(
  called: ModelFunction,
  attributes: ReadonlyMap<string, Attribute>,
  types: readonly (ValueType | undefined)[],
  elements: readonly (Elements | undefined)[],
): string | undefined {
  const parts: unknown[] = [];
  for (const { name, value } of attributes.values()) {
    if (value.kind === 'tensor' || value.kind === 'tensors' || value.kind === 'graph' || value.kind === 'graphs')
      return undefined;
    parts.push([name, value.kind, String(value.value)]);
  }
  const known = elements.map((e) => (e ? [e.dims, e.items.map((item) => item ?? null)] : null));
  const key = functionKey(called.domain, called.name, called.overload);
  return JSON.stringify([key, types.map(formatType), known, parts]);
}

/** Nodes of `graph` whose outputs `node` needs, its subgraphs' captures included. */
function* producersOf(node: Node, graph: Graph): Generator<Node> {
  for (const value of node.inputs) if (value?.producer && value.graph === graph) yield value.producer;
  for (const { graph: body } of node.subgraphs()) {
    for (const inner of walkGraphs(body)) {
      for (const user of inner.nodes)
        for (const value of user.inputs) if (value?.producer && value.graph === graph) yield value.producer;
      for (const value of inner.outputs) if (value.producer && value.graph === graph) yield value.producer;
    }
  }
}

/** Topological order (Kahn); nodes on a cycle come last, in list order. */
function sorted(graph: Graph): Node[] {
  const waiting = new Map<Node, number>();
  const users = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    const producers = new Set(producersOf(node, graph));
    waiting.set(node, producers.size);
    for (const producer of producers) {
      const list = users.get(producer);
      if (list) list.push(node);
      else users.set(producer, [node]);
    }
  }
  const order = [...waiting].filter(([, count]) => count === 0).map(([node]) => node);
  for (const node of order) {
    waiting.delete(node);
    for (const user of users.get(node) ?? []) {
      const left = (waiting.get(user) ?? 0) - 1;
      waiting.set(user, left);
      if (left === 0) order.push(user);
    }
  }
  return [...order, ...waiting.keys()];
}
