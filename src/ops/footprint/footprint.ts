import type { Node } from '../../ir/node.js';

/** What one node makes at once. */
export interface NodeNeed {
  readonly node: Node;
  /** Bytes of all its outputs. */
  readonly bytes: number;
  /** Type of its largest output, in ONNX text syntax. */
  readonly typeText: string;
}

/**
 * Memory that a run takes at least. Bytes are doubles: far beyond 2^53 they are only near, and never wrap around. What is
 * not known before a run counts as nothing.
 */
export interface Footprint {
  /** Most bytes alive at one time, weights and inputs of the model among them. */
  readonly peakBytes: number;
  /** The node at which that is; undefined where nothing is computed. */
  readonly peakNode: Node | undefined;
  /** The node that makes most. */
  readonly largest: NodeNeed | undefined;
  /** Nodes that run at least, those of loops once for each iteration; Infinity for a loop without end. */
  readonly runs: number;
  /** The loop to which most of them belong, and how often its body runs. */
  readonly longest: { readonly node: Node; readonly times: number } | undefined;
}

export const NO_FOOTPRINT: Footprint = {
  peakBytes: 0,
  peakNode: undefined,
  largest: undefined,
  runs: 0,
  longest: undefined,
};

/** What holds for both: the one that is larger, with the larger need. */
export function largerFootprint(a: Footprint | undefined, b: Footprint): Footprint {
  if (!a) return b;
  const { peakBytes, peakNode } = a.peakBytes >= b.peakBytes ? a : b;
  const { runs, longest } = a.runs >= b.runs ? a : b;
  return { peakBytes, peakNode, largest: largerNeed(a.largest, b.largest), runs, longest };
}

export function largerNeed(a: NodeNeed | undefined, b: NodeNeed | undefined): NodeNeed | undefined {
  return (a?.bytes ?? 0) >= (b?.bytes ?? 0) ? a : b;
}

/** What the smaller of two branches takes: which one runs is not known. */
export function smallerFootprint(a: Footprint, b: Footprint): Footprint {
  const { runs, longest } = a.runs <= b.runs ? a : b;
  return { ...(a.peakBytes <= b.peakBytes ? a : b), runs, longest };
}
