import type { Model } from './model.js';
import { walkGraphs } from './walk.js';

/** The IR version that the ONNX release of an ai.onnx opset came with (onnx docs/Versioning.md), from opset 8 on. */
const RELEASED_WITH: readonly (readonly [opset: number, irVersion: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [12, 7],
  [11, 6],
  [10, 5],
  [9, 4],
];

/** The least IR version of a model of this ai.onnx opset. */
export function irVersionForOpset(opset: number): number {
  return RELEASED_WITH.find(([from]) => opset >= from)?.[1] ?? 3;
}

/**
 * Raises the IR version, never lowers it. Before version 4 each initializer had to be listed as a graph input too; from
 * then on such a listing makes it a default that callers may override. Leaving it out keeps the constant a constant.
 */
export function raiseIrVersion(model: Model, version: number): void {
  if (model.irVersion >= version) return;
  if (model.irVersion < 4 && version >= 4) {
    for (const graph of walkGraphs(model.graph)) {
      for (const value of graph.initializers) if (value.isGraphInput) graph.removeInput(value);
    }
  }
  model.irVersion = version;
  model.changed = true;
}
