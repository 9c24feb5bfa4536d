import type { Model } from '../ir/model.js';
import { allNodes } from '../ir/walk.js';

/** Operators that take a scale from all samples of a run together. */
const SCALED_BY_RUN: ReadonlySet<string> = new Set([
  ':DynamicQuantizeLinear',
  'com.microsoft:DynamicQuantizeMatMul',
  'com.microsoft:DynamicQuantizeLSTM',
  'com.microsoft:MatMulIntegerToFloat',
]);

/** Whether a sample of a model gives other results beside others than alone: then samples go one at a time. */
export function dependsOnBatch(model: Model): boolean {
  for (const { domain, opType } of allNodes(model)) if (SCALED_BY_RUN.has(`${domain}:${opType}`)) return true;
  return false;
}
