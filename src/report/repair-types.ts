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

/** What was done about the errors of quantization beside the choice of ranges. */
export interface QuantizeRepairReport {
  readonly effort: 'low' | 'medium' | 'high';
  /** Calibration samples that steps were made from, and others that decided whether each was kept. */
  readonly fitted: number;
  readonly heldOut: number;
  readonly steps: readonly RepairStepReport[];
  /** Why it was given up: then nothing of it was kept. */
  readonly givenUp?: string;
  /** The kept steps together on the judging samples: without and with them. Absent where no step was kept. */
  readonly confirmed?: { readonly without: ConfirmedForm; readonly with: ConfirmedForm; readonly kept: boolean };
}
