import type { WeightOnlyMode } from './weight-only-types.js';

/** What the outputs keep when a layer is quantized and the others are not. */
export interface SensitivityLayerReport {
  readonly name: string;
  readonly opType: string;
  /** Bytes of its weights before. */
  readonly weightBytes: number;
  /** Signal to noise of the worst output, in dB: measured, or the layer's share of what its group loses. */
  readonly sqnrDb: number;
  /** Layers that were quantized together for it; 1 where it was measured alone. */
  readonly together: number;
  /** The channel of an output that lost most, in dB; of layers measured alone. */
  readonly worstChannelDb?: number;
  /** Share of the predictions that stay the same, where an output has class scores; of layers measured alone. */
  readonly agreement?: number;
  /** Why ONNX Runtime could not run it. */
  readonly failure?: string;
}

/** One choice of layers that was tried against a budget. */
export interface SearchStepReport {
  /** Layers in FP32, the most sensitive ones. */
  readonly keptLayers: number;
  readonly verdict: 'pass' | 'fail';
  /** `drop`, `agreement` or `sqnr`; also `divergence`, `token edits` or `worst channel` where no goal was set. */
  readonly metric?: string;
  readonly measured?: number;
  /** 95 % interval, for shares of samples. */
  readonly low?: number;
  readonly high?: number;
  readonly why: string;
}

/** The search for the fewest layers in FP32. */
export interface SearchReport {
  /** As it was given: a share. Absent where the outputs of held-out samples decided, without a goal. */
  readonly maxDrop?: number;
  /** Samples that chose, and the file or folder they are of. */
  readonly samples: number;
  readonly source: string;
  readonly layers: number;
  readonly kept: number;
  readonly met: boolean;
  readonly steps: readonly SearchStepReport[];
  /** Choices that there was no time for, and what the limit was. */
  readonly notTried?: string;
  /** Layers by what each loses alone; where they had to be ranked. */
  readonly ranking?: readonly SensitivityLayerReport[];
}

/** One form of the model that was timed beside the original. */
export interface AlternativeReport {
  readonly form: 'static' | 'mixed' | 'dynamic' | 'fp16' | 'bf16' | 'fp8' | WeightOnlyMode | 'none';
  /** Latency over that of the original, with its 95 % interval; absent where it was not timed. */
  readonly ratio?: number;
  readonly ratioLow?: number;
  readonly ratioHigh?: number;
  readonly outcome: 'delivered' | 'slower' | 'rejected';
  readonly why: string;
}
