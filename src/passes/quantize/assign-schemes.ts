/** Which nodes and tensors of a model overrides of schemes mean. */
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { allNodes, constantTensor, walkGraphs } from '../../ir/walk.js';
import { type AssignedSchemes, uniformSchemes } from '../../quantize/assigned-schemes.js';
import { type QuantizationScheme, quantizedTypeName } from '../../quantize/scheme.js';
import { chosenActivations, chosenWeights, type SchemeOverride } from '../../quantize/scheme-choices.js';
import { suggest } from '../../suggest.js';
import { matchesGlob, nodesMeant } from '../node-filter.js';

export interface SchemeDefaults {
  readonly activations: QuantizationScheme;
  readonly weights: QuantizationScheme;
  readonly biases: QuantizationScheme | 'float';
}

/** Schemes of a model's nodes and tensors, and the nodes that stay in FP32. */
export interface AssignedModel {
  readonly schemes: AssignedSchemes;
  /** With the override that says so. */
  readonly float: ReadonlyMap<Node, string>;
}

/** What a pattern means: nodes by name, operator type or weight, or else activations. */
export interface Meant {
  readonly nodes: ReadonlySet<Node>;
  readonly tensors: ReadonlySet<Value>;
}

/** What a pattern means in a model; both are empty where it means nothing. */
export function meantBy(model: Model, pattern: string): Meant {
  const nodes = new Set(nodesMeant(model, pattern));
  const activations = new Set<Value>();
  const isGlob = /[*?]/.test(pattern);
  for (const graph of walkGraphs(model.graph))
    for (const value of graph.values.values()) {
      if (value.name !== pattern && !(isGlob && matchesGlob(value.name, pattern))) continue;
      if (constantTensor(value) === undefined) activations.add(value);
      else for (const { node, slot } of value.uses) if (slot === 1 || !isGlob) nodes.add(node);
    }
  return nodes.size > 0 ? { nodes, tensors: new Set() } : { nodes, tensors: activations };
}

/** @throws SO1003 for the first override that means nothing, with the nearest name */
export function checkOverrides(model: Model, overrides: readonly SchemeOverride[]): void {
  for (const { match } of overrides) {
    const { nodes, tensors } = meantBy(model, match);
    if (nodes.size > 0 || tensors.size > 0) continue;
    const near = suggest(match.replace(/[*?]+/g, ''), namesOf(model));
    throw new ServeOptError('SO1003', `No node and no tensor matches "${match}" of an override`, {
      hint: near === undefined ? 'serve-opt inspect MODEL --dump lists the names' : `did you mean "${near}"?`,
    });
  }
}

function* namesOf(model: Model): Generator<string> {
  for (const node of allNodes(model)) {
    yield nodeLabel(node);
    yield node.opType;
  }
  for (const graph of walkGraphs(model.graph)) yield* graph.values.keys();
}

/**
 * Schemes of every node of a model. Overrides that mean nothing are passed over: what they meant may have been folded.
 * @throws SO1002 where a node would get INT8 activations and UINT8 weights, which no kernel multiplies
 */
export function assignSchemes(
  model: Model,
  defaults: SchemeDefaults,
  overrides: readonly SchemeOverride[] = [],
): AssignedModel {
  const { activations, weights, biases } = defaults;
  checkPair(activations, weights);
  if (overrides.length === 0) return { schemes: uniformSchemes(activations, weights, biases), float: new Map() };
  const activationsOf = new Map<Node, QuantizationScheme>();
  const weightsOf = new Map<Node, QuantizationScheme>();
  const tensorsOf = new Map<Value, QuantizationScheme>();
  const float = new Map<Node, string>();
  for (const override of overrides) {
    const { nodes, tensors } = meantBy(model, override.match);
    for (const node of nodes) {
      if (override.activations)
        activationsOf.set(node, chosenActivations(activationsOf.get(node) ?? activations, override.activations));
      if (override.weights) weightsOf.set(node, chosenWeights(weightsOf.get(node) ?? weights, override.weights));
      if (override.float) float.set(node, override.match);
    }
    for (const value of tensors) {
      if (override.activations)
        tensorsOf.set(value, chosenActivations(tensorsOf.get(value) ?? activations, override.activations));
      if (override.float) for (const node of touching(value)) float.set(node, override.match);
    }
  }
  for (const node of new Set([...activationsOf.keys(), ...weightsOf.keys()]))
    checkPair(activationsOf.get(node) ?? activations, weightsOf.get(node) ?? weights, node);
  return {
    schemes: {
      activations: (node) => activationsOf.get(node) ?? activations,
      tensor: (value) => tensorsOf.get(value),
      weights: (node) => weightsOf.get(node) ?? weights,
      biases,
    },
    float,
  };
}

function touching(value: Value): Node[] {
  return [...(value.producer ? [value.producer] : []), ...[...value.uses].map(({ node }) => node)];
}

function checkPair(activations: QuantizationScheme, weights: QuantizationScheme, node?: Node): void {
  if (quantizedTypeName(activations) !== 's8' || quantizedTypeName(weights) !== 'u8') return;
  const place = node ? ` (${node.opType} "${nodeLabel(node)}")` : '';
  throw new ServeOptError('SO1002', `INT8 activations cannot be combined with UINT8 weights${place}`, {
    hint: 'use s8 weights, or u8 activations',
  });
}
