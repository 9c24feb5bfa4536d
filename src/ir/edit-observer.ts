import type { Node } from './node.js';
import type { Value } from './value.js';

/**
 * Hears of every edit of a model while it is attached to `model.observer`: what schedules passes and keeps count of sizes
 * needs no help from whoever edits.
 */
export interface EditObserver {
  /** Inputs, outputs, attributes or the operator of a node changed, or it came into a graph. */
  nodeChanged(node: Node): void;
  /** A value got or lost a use, a place among graph outputs, or its constant. */
  valueChanged(value: Value): void;
  nodeInserted(node: Node): void;
  /** The node has left its graph; its inputs are gone, its attributes are not. */
  nodeRemoved(node: Node): void;
  /** A constant came into a graph or, with a negative sign, left it. */
  constantMoved(value: Value, sign: 1 | -1): void;
}
