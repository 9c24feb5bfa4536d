import type { PruneReport } from './prune-types.js';
import type { CompareReport, OptimizeReport, QuantizeReport } from './types.js';

/** Answer of a command that makes or compares models. */
export type ModelReport = CompareReport | QuantizeReport | OptimizeReport | PruneReport;
