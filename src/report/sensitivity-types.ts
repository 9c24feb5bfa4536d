import type { ComparisonResult } from '../evaluate/comparison.js';
import type {
  CalibrationReport,
  FloatLayerReport,
  LayerReport,
  ReportHeader,
  ReportModel,
  SyntheticInputsReport,
} from './types.js';

/** What the outputs keep when a layer is quantized and the others are not. */
export interface SensitivityLayerReport extends LayerReport {
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
