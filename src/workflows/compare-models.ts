import type { CompareReport } from '../report/types.js';
import { compare } from './compare.js';
import { COMPARE_DEFAULTS, type CompareOptions } from './options.js';

/**
 * Compares two model files: `compare` with everything in the options, as the command line has it.
 * @throws SO4002 when the models do not take the same inputs, SO5006 when ONNX Runtime for Node cannot pass them
 */
export function compareModels(pathA: string, pathB: string, options: CompareOptions = {}): Promise<CompareReport> {
  return compare(pathA, pathB, options.dataPath ?? { seed: options.seed ?? COMPARE_DEFAULTS.seed }, options);
}
