/** Which nodes static quantization takes to INT8, and which tensors have to be observed for it. */
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { allNodes, constantTensor, walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { type ChannelShape, isObservable } from './expose-ranges.js';
import { isModelOutput, valuesForLayers } from './leaving-values.js';
import {
  clampBounds,
  dataSlots,
  fixedRange,
  insensitiveBelow,
  operatorClass,
  WEIGHTED_OPERATORS,
} from './operator-classes.js';
import { keepsPooled, pooledReason } from './pooled.js';
import { type WeightedNode, weightedNode } from './weighted.js';

export interface PlanOptions {
  /** Which nodes may be quantized; default all. */
  readonly select?: (node: Node) => boolean;
  /**
   * Quantize every node of these types with all its inputs and outputs, as ONNX Runtime's Python quantizer does. Default:
   * nodes with weights, and others only between two quantized ones.
   */
  readonly opTypes?: readonly string[] | undefined;
  /** Whether Relu and Clip may go behind a node (symmetric activations do not clip at zero). Default: all. */
  readonly dropsClamp?: (writer: Node) => boolean;
}

/** A node whose inputs and outputs are integers, though it has no weights. */
export interface UnweightedNode {
  readonly node: Node;
  readonly sharesRange: boolean;
  readonly slots: readonly number[];
}

export interface LeftNode {
  readonly node: Node;
  readonly reason: string;
}

export interface StaticPlan {
  readonly weighted: readonly WeightedNode[];
  /**
   * Convolutions whose result leaves the model, with the tensor they write: an INT8 kernel gives all channels of it one scale, and one
   * much smaller than the others would be lost without another layer ever reading it.
   */
  readonly heads: ReadonlyMap<Node, Value>;
  readonly unweighted: readonly UnweightedNode[];
  /** Every activation that becomes integers, mapped to the value whose range it takes (itself, unless only moved). */
  readonly tensors: ReadonlyMap<Value, Value>;
  /** Tensors that a kernel writes as integers: every use reads the dequantized value. The others keep their float uses. */
  readonly produced: ReadonlySet<Value>;
  /** Relu and Clip nodes that the quantized output clips as well. */
  readonly clamps: ReadonlyMap<Value, Node>;
  /** Lowest value worth representing, for tensors whose consumers give 0 below it. */
  readonly floors: ReadonlyMap<Value, number>;
  /** Names of the tensors whose range must be known, in graph order. */
  readonly observe: readonly string[];
  /** Outputs of Softmax and Sigmoid take their full range, whatever was observed: as ONNX Runtime's quantizer does. */
  readonly pinsFixedRanges: boolean;
  /** Nodes with weights (and recurrent ones) that stay in float, and why. */
  readonly left: readonly LeftNode[];
}

/** Plans static quantization of a model. Does not change it. */
export function planStatic(model: Model, options: PlanOptions = {}): StaticPlan {
  const planner = new Planner(options);
  const graphs = [...walkGraphs(model.graph)].filter(isObservable);
  for (const graph of graphs) planner.addGraph(graph);
  const seen = new Set(graphs);
  for (const node of allNodes(model)) if (!seen.has(node.graph)) planner.leaveOutside(node);
  return planner.finish(options.opTypes === undefined ? valuesForLayers(walkGraphs(model.graph)) : undefined);
}

/** The tensors of heads, whose channels have to be looked at one by one. */
export function headChannels({ weighted, heads }: StaticPlan): Map<string, ChannelShape> {
  const shapes = new Map<string, ChannelShape>();
  for (const { node, weight, channels } of weighted) {
    const value = heads.get(node);
    if (value) shapes.set(value.name, { rank: weight.rank, channels });
  }
  return shapes;
}

class Planner {
  readonly #select: (node: Node) => boolean;
  readonly #opTypes: ReadonlySet<string> | undefined;
  readonly #dropsClamp: (writer: Node) => boolean;
  readonly #weighted: Map<Node, WeightedNode> = new Map();
  readonly #candidates: Map<Node, UnweightedNode> = new Map();
  readonly #left: LeftNode[] = [];
  /** Values with one element a channel, after global pooling. */
  readonly #pooled: Set<Value> = new Set();

  constructor(options: PlanOptions) {
    this.#select = options.select ?? (() => true);
    this.#opTypes = options.opTypes && new Set(options.opTypes);
    this.#dropsClamp = options.dropsClamp ?? (() => true);
  }

  addGraph(graph: Graph): void {
    for (const node of graph.nodes) {
      if (keepsPooled(node, this.#pooled)) this.#pooled.add(node.output());
      const listed = this.#opTypes === undefined || (node.domain === '' && this.#opTypes.has(node.opType));
      if (node.domain === '' && WEIGHTED_OPERATORS.has(node.opType)) this.#addWeighted(node, listed);
      else if (listed && this.#select(node)) this.#addCandidate(node);
    }
  }

  leaveOutside(node: Node): void {
    if (node.domain === '' && WEIGHTED_OPERATORS.has(node.opType)) {
      const place = node.graph.model.functions.size > 0 ? 'a local function or a loop' : 'a loop';
      this.#left.push({ node, reason: `it is inside ${place}, where ranges cannot be observed` });
    }
  }

  #addWeighted(node: Node, listed: boolean): void {
    const reason = listed ? (this.#select(node) ? undefined : 'it is excluded') : 'its op type is not listed';
    const pooled = this.#opTypes === undefined ? pooledReason(node, this.#pooled) : undefined;
    const why = reason ?? pooled;
    const weighted = why === undefined ? weightedNode(node, this.#opTypes === undefined) : { reason: why };
    if ('reason' in weighted) this.#left.push({ node, reason: weighted.reason });
    else this.#weighted.set(node, weighted);
  }

  #addCandidate(node: Node): void {
    const kind = operatorClass(node);
    if (!kind || !node.outputs[0]) return;
    const slots = dataSlots(node);
    const constants = slots.map((slot) => constantTensor(node.input(slot)));
    if (constants.every((tensor) => tensor !== undefined)) return;
    if (constants.some((tensor) => tensor && (tensor.dataType !== DataType.FLOAT || tensor.size === 0))) return;
    if (slots.some((slot) => isKnownNotFloat(node.input(slot)))) return;
    this.#candidates.set(node, { node, sharesRange: kind === 'same-range', slots });
  }

  /** @param forLayers values that layers read; undefined where op types are listed, which knows no heads */
  finish(forLayers: ReadonlySet<Value> | undefined): StaticPlan {
    if (forLayers) this.#keepBetween();
    else this.#keepFollowing();
    return this.#collect(forLayers);
  }

  /** With listed op types, an operator that only moves values or clamps is taken when its input is quantized already. */
  #keepFollowing(): void {
    const quantized = new Set<Value>();
    for (const { node, output } of this.#weighted.values()) {
      if (node.input(0)) quantized.add(node.input(0) as Value);
      quantized.add(output);
    }
    for (const [node, candidate] of this.#candidates) {
      const follows = candidate.sharesRange || clampBounds(node) !== undefined;
      if (follows && !quantized.has(node.input(0) as Value)) this.#candidates.delete(node);
      else
        for (const value of [...candidate.slots.map((s) => node.input(s)), ...node.outputs])
          if (value) quantized.add(value);
    }
  }

  /**
   * Keeps a candidate only when all it reads is integer already and something that takes integers reads it: then data stays INT8
   * between two quantized nodes. Removing one can take the ground from its neighbours, so they are looked at again.
   */
  #keepBetween(): void {
    const queue = [...this.#candidates.keys()];
    const waiting = new Set(queue);
    for (let next = queue.pop(); next; next = queue.pop()) {
      waiting.delete(next);
      const candidate = this.#candidates.get(next);
      if (!candidate || (this.#isFed(candidate) && this.#isWanted(next))) continue;
      this.#candidates.delete(next);
      for (const neighbour of neighbours(next)) {
        if (!this.#candidates.has(neighbour) || waiting.has(neighbour)) continue;
        waiting.add(neighbour);
        queue.push(neighbour);
      }
    }
  }

  #isFed({ node, slots }: UnweightedNode): boolean {
    return slots.every((slot) => {
      const value = node.input(slot);
      return value !== undefined && (constantTensor(value) !== undefined || this.#writesIntegers(value.producer));
    });
  }

  #writesIntegers(node: Node | undefined): boolean {
    if (!node) return false;
    return this.#candidates.has(node) || (node.is('Conv') && this.#weighted.has(node));
  }

  #isWanted(node: Node): boolean {
    return node.outputs.some(
      (output) => output && [...output.uses].some((use) => this.#readsIntegers(use.node, use.slot)),
    );
  }

  #readsIntegers(node: Node, slot: number): boolean {
    if (this.#weighted.has(node)) return slot === 0;
    return this.#candidates.get(node)?.slots.includes(slot) ?? false;
  }

  #collect(forLayers: ReadonlySet<Value> | undefined): StaticPlan {
    const all = forLayers === undefined;
    const heads = new Map<Node, Value>();
    const tensors = new Map<Value, Value>();
    const produced = new Set<Value>();
    const clamps = new Map<Value, Node>();
    const fused = new Set<Node>();
    const weighted = [...this.#weighted.values()];
    const add = (value: Value | undefined) => {
      if (value && !constantTensor(value) && !tensors.has(value)) tensors.set(value, value);
    };
    const addProduced = (output: Value, clamp: Node | undefined) => {
      if (clamp) {
        clamps.set(clamp.output(), clamp);
        fused.add(clamp);
      }
      produced.add(clamp ? clamp.output() : output);
      add(clamp ? clamp.output() : output);
    };
    for (const { node, output } of weighted) {
      add(node.input(0));
      if (!node.is('Conv') && !all) continue;
      const clamp = this.#clampAfter(output);
      addProduced(output, clamp);
      if (forLayers && (!forLayers.has(output) || isModelOutput(output))) heads.set(node, clamp?.output() ?? output);
    }
    for (const { node, slots, sharesRange } of this.#candidates.values()) {
      if (fused.has(node)) continue;
      for (const slot of slots) add(node.input(slot));
      for (const output of node.outputs) {
        if (output) addProduced(output, sharesRange ? undefined : this.#clampAfter(output));
      }
    }
    for (const { node, sharesRange } of this.#candidates.values()) {
      const root = sharesRange ? tensors.get(node.input(0) as Value) : undefined;
      for (const output of node.outputs) if (output && root) tensors.set(output, root);
    }
    for (const value of tensors.keys()) {
      const clamp = produced.has(value) ? undefined : this.#clampBefore(value);
      if (clamp) clamps.set(value, clamp);
      if (clamp) fused.add(clamp);
    }
    const unweighted = [...this.#candidates.values()].filter(({ node }) => !fused.has(node));
    const floors = all ? new Map<Value, number>() : floorsOf(tensors.values());
    return {
      weighted,
      heads,
      unweighted,
      tensors,
      produced,
      clamps,
      floors,
      observe: observed(tensors, all),
      pinsFixedRanges: all,
      left: this.#left,
    };
  }

  /** The Relu or Clip that alone reads `value` and that quantization to [0, …] or [min, max] would repeat. */
  #clampAfter(value: Value): Node | undefined {
    if (value.uses.size !== 1 || value.isGraphOutput || value.pinned) return undefined;
    if (value.producer && !this.#dropsClamp(value.producer)) return undefined;
    const [use] = value.uses;
    const node = use?.node;
    if (!node || use.slot !== 0 || node.graph !== value.graph || !this.#select(node)) return undefined;
    if (this.#opTypes && !this.#opTypes.has(node.opType)) return undefined;
    const bounds = clampBounds(node);
    return bounds && bounds.min <= 0 && bounds.max >= 0 && bounds.min < bounds.max ? node : undefined;
  }

  /** A clamp right before a tensor that is only read as integers can go, whatever computes its input. */
  #clampBefore(value: Value): Node | undefined {
    const clamp = value.producer;
    const input = clamp && (clamp.is('Relu') || clamp.is('Clip')) ? clamp.input(0) : undefined;
    if (!clamp || !input?.producer || value.isGraphOutput || this.#opTypes) return undefined;
    if (this.#clampAfter(input) !== clamp) return undefined;
    return [...value.uses].every(({ node, slot }) => this.#readsIntegers(node, slot) && this.#dropsClamp(node))
      ? clamp
      : undefined;
  }
}

function isKnownNotFloat(value: Value | undefined): boolean {
  return value?.type !== undefined && (value.type.kind !== 'tensor' || value.type.dataType !== DataType.FLOAT);
}

function* neighbours(node: Node): Generator<Node> {
  for (const input of node.inputs) if (input?.producer) yield input.producer;
  for (const output of node.outputs) if (output) for (const use of output.uses) yield use.node;
}

function floorsOf(values: Iterable<Value>): Map<Value, number> {
  const floors = new Map<Value, number>();
  for (const value of values) {
    const floor = floors.has(value) ? undefined : insensitiveBelow(value);
    if (floor !== undefined) floors.set(value, floor);
  }
  return floors;
}

function observed(tensors: ReadonlyMap<Value, Value>, pinsFixedRanges: boolean): string[] {
  const names = new Set<string>();
  for (const root of tensors.values()) if (!pinsFixedRanges || !fixedRange(root.producer)) names.add(root.name);
  return [...names];
}
