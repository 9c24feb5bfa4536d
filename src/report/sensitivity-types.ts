import type { ComparisonResult } from '../evaluate/comparison.js';
import type { SensitivityLayerReport } from './search-types.js';
import type { CalibrationReport, FloatLayerReport, ReportHeader, ReportModel, SyntheticInputsReport } from './types.js';

/** Answer of `sensitivity`. */
export interface SensitivityReport extends ReportHeader {
  readonly command: 'sensitivity';
  readonly mode: 'static' | 'dynamic' | 'fp16';
  readonly model: ReportModel;
  readonly calibration?: CalibrationReport;
  /** What layers were tried on. */
  readonly trials: {
    /** A file or folder of samples, or synthetic inputs. */
    readonly source: string;
    /** Samples of each trial. */
    readonly samples: number;
    /** They made no ranges. False, or absent, where too few samples were left for that. */
    readonly heldOut?: boolean;
    /** Models that were tried. */
    readonly models: number;
    /** Runs of the model for all trials, in passes over the samples. */
    readonly passes: number;
  };
  /** Most sensitive first. */
  readonly layers: readonly SensitivityLayerReport[];
  /** Layers that the mode does not quantize, and why. */
  readonly leftInFloat: readonly FloatLayerReport[];
  /** All layers quantized together, on held-out samples. */
  readonly allTogether?: ComparisonResult;
  readonly syntheticInputs?: SyntheticInputsReport;
}
