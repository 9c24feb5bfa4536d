import type { ConfirmedForm } from './confirmed-form.js';

/** One step of the repair of a quantized model. */
export interface RepairStepReport {
  /** `head split`, `cross-layer equalization`, `SmoothQuant`, `weight rounding`, `bias correction`. */
  readonly step: string;
  readonly kept: boolean;
  /** Signal to noise of the model's outputs on samples that the step did not see, in dB, averaged over outputs. Absent where it was not tried. */
  readonly sqnrBeforeDb?: number;
  readonly sqnrAfterDb?: number;
  /** What it did, or why it was not kept. */
  readonly what: string;
}

/** How far the outputs of a layer are from those it has in FP32, with every layer of the plan in INT8: errors of the layers before it included. */
export interface LayerErrorReport {
  readonly name: string;
  readonly opType: string;
  /** Signal to noise in dB before the repair; absent where the layer came with it, as the parts of a head do. */
  readonly sqnrBeforeDb?: number;
  /** With the steps that were kept; absent where none was, or where the layer went with them. */
  readonly sqnrAfterDb?: number;
}

/** What was done about the errors of quantization beside the choice of ranges. */
export interface QuantizeRepairReport {
  readonly effort: 'low' | 'medium' | 'high';
  /** Calibration samples that steps were made from, and others that decided whether each was kept. */
  readonly fitted: number;
  readonly heldOut: number;
  readonly steps: readonly RepairStepReport[];
  /** Layers of INT8 in the order of the graph; absent where ONNX Runtime does not run the model with their outputs shown. */
  readonly layers?: readonly LayerErrorReport[];
  /** Why it was given up: then nothing of it was kept. */
  readonly givenUp?: string;
  /** The kept steps together on the judging samples: without and with them. Absent where no step was kept. */
  readonly confirmed?: { readonly without: ConfirmedForm; readonly with: ConfirmedForm; readonly kept: boolean };
}
