import type { SensitivityLayerReport } from './sensitivity-types.js';

/** One choice of layers that was tried against a budget. */
export interface SearchStepReport {
  /** Layers in FP32, the most sensitive ones. */
  readonly keptLayers: number;
  readonly verdict: 'pass' | 'fail';
  /** `drop`, `agreement` or `sqnr`. */
  readonly metric?: string;
  readonly measured?: number;
  /** 95 % interval, for shares of samples. */
  readonly low?: number;
  readonly high?: number;
  readonly why: string;
}

/** The search for the fewest layers in FP32. */
export interface SearchReport {
  /** As it was given: a share. */
  readonly maxDrop: number;
  /** Samples that chose, and the file or folder they are of. */
  readonly samples: number;
  readonly source: string;
  readonly layers: number;
  readonly kept: number;
  readonly met: boolean;
  readonly steps: readonly SearchStepReport[];
  /** Layers by what each loses alone; where they had to be ranked. */
  readonly ranking?: readonly SensitivityLayerReport[];
}

/** One form of the model that was timed beside the original. */
export interface AlternativeReport {
  readonly form: 'static' | 'mixed' | 'dynamic' | 'fp16' | 'none';
  /** Latency over that of the original, with its 95 % interval; absent where it was not timed. */
  readonly ratio?: number;
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
  readonly outcome: 'delivered' | 'slower' | 'rejected';
  readonly why: string;
}
