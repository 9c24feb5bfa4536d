import { broadcastShapes } from '../infer/broadcast.js';
import { refuse } from './kernel-context.js';

/** Multidirectional broadcasting of shapes that are known; refuses those that do not fit. */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  return broadcastShapes(shapes, refuse) as number[];
}
