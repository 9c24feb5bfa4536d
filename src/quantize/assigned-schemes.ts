/**
 * Which scheme each node and tensor of a model has, and from that the scheme in which each tensor is written and read. A node computes in one
 * type: it reads its data and writes its outputs in it. Where the type of a writer and of a reader differ, the reader gets a pair of its
 * own behind that of the writer, as ONNX Runtime's mixed precision does ("convert" of its tensor overrides).
 */
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import type { StaticPlan } from './plan.js';
import { type QuantizationScheme, S8_WEIGHTS, S32_BIASES, U8_ACTIVATIONS } from './scheme.js';

/** Schemes of the nodes of one model, and of the tensors that have one of their own. */
export interface AssignedSchemes {
  /** What a node reads and writes. */
  activations(node: Node): QuantizationScheme;
  /** The scheme of a tensor for its writer and all readers; undefined where the nodes decide. */
  tensor(value: Value): QuantizationScheme | undefined;
  weights(node: Node): QuantizationScheme;
  /** Scheme of biases; `float` leaves them as they are. */
  readonly biases: QuantizationScheme | 'float';
}

/** The same schemes for every node. */
export function uniformSchemes(
  activations: QuantizationScheme = U8_ACTIVATIONS,
  weights: QuantizationScheme = S8_WEIGHTS,
  biases: QuantizationScheme | 'float' = S32_BIASES,
): AssignedSchemes {
  return { activations: () => activations, tensor: () => undefined, weights: () => weights, biases };
}

/** The schemes of the tensors of a plan. Asked before the graph is changed. */
export class TensorSchemes {
  readonly #written: Map<Value, QuantizationScheme> = new Map();
  readonly #plan: StaticPlan;
  readonly #assigned: AssignedSchemes;
  readonly #moving: Set<Node>;

  constructor(plan: StaticPlan, assigned: AssignedSchemes) {
    this.#plan = plan;
    this.#assigned = assigned;
    this.#moving = new Set(plan.unweighted.filter(({ sharesRange }) => sharesRange).map(({ node }) => node));
    for (const value of plan.produced) this.#written.set(value, this.#ofWriter(value));
  }

  /** Scheme in which a quantized node writes a tensor; undefined for one that comes as FLOAT. */
  written(value: Value): QuantizationScheme | undefined {
    return this.#written.get(value);
  }

  /** Scheme in which a quantized node reads a tensor. What only moves values takes them as they come. */
  read(value: Value, node: Node): QuantizationScheme {
    const own = this.#ofTensor(value);
    if (own) return own;
    return (this.#moving.has(node) ? this.written(value) : undefined) ?? this.#assigned.activations(node);
  }

  /** The scheme with the fewest bits in which a tensor is written or read: the one that its range matters most for. */
  narrowest(value: Value): QuantizationScheme | undefined {
    const written = this.written(value);
    const readers = [...value.uses].filter(({ node }) => this.#computes(node));
    const all = [...(written ? [written] : []), ...readers.map(({ node }) => this.read(value, node))];
    return all.reduce<QuantizationScheme | undefined>(
      (least, each) => (least === undefined || each.bits < least.bits ? each : least),
      undefined,
    );
  }

  /** Every scheme in which an activation is written or read. */
  *all(): Generator<QuantizationScheme> {
    for (const value of this.#plan.tensors.keys()) {
      const written = this.written(value);
      if (written) yield written;
      for (const { node } of value.uses) if (this.#computes(node)) yield this.read(value, node);
    }
  }

  #nodes: ReadonlySet<Node> | undefined;
  #computes(node: Node): boolean {
    const { weighted, unweighted } = this.#plan;
    this.#nodes ??= new Set([...weighted, ...unweighted].map((each) => each.node));
    return this.#nodes.has(node);
  }

  #ofTensor(value: Value): QuantizationScheme | undefined {
    const root = this.#plan.tensors.get(value);
    return this.#assigned.tensor(value) ?? (root && root !== value ? this.#assigned.tensor(root) : undefined);
  }

  #ofWriter(value: Value): QuantizationScheme {
    const own = this.#ofTensor(value);
    if (own) return own;
    const root = this.#plan.tensors.get(value);
    const writer = writerOf(this.#plan, value);
    if (root && root !== value) {
      const known = this.#written.get(root) ?? (this.#plan.produced.has(root) ? this.#ofWriter(root) : undefined);
      if (known) return known;
    }
    return writer ? this.#assigned.activations(writer) : U8_ACTIVATIONS;
  }
}

/** The node whose result a tensor is, in front of a clamp that goes. */
export function writerOf({ clamps }: Pick<StaticPlan, 'clamps'>, value: Value): Node | undefined {
  const clamp = clamps.get(value);
  return clamp ? clamp.input(0)?.producer : value.producer;
}
