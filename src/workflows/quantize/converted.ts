import type { Model } from '../../ir/model.js';
import type { TransformStepReport } from '../../ir/transform.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { QuantizeRepairReport } from '../../report/repair-types.js';
import type { CalibrationReport } from '../../report/types.js';
import type { WeightOnlyReport } from '../../report/weight-only-types.js';
import type { Conversion, ConversionMode } from './conversion.js';

/** What a conversion came to. */
export interface Converted {
  readonly conversion: Conversion;
  readonly mode: ConversionMode;
  readonly step: TransformStepReport;
  readonly calibration?: CalibrationReport;
  /** What another conversion to INT8 starts from. */
  readonly base?: IntegerBase;
  /** What was done about errors beside the choice of ranges. */
  readonly repair?: QuantizeRepairReport;
  /** What another conversion to FLOAT16 starts from. */
  readonly float16?: Float16Base;
  /** How weights alone were quantized. */
  readonly weightOnly?: WeightOnlyReport;
  readonly warnings: readonly string[];
}

/** What a conversion to INT8 can be tried again from. */
export interface IntegerBase {
  /** Prepared (and repaired), and not converted yet. */
  readonly prepared: Conversion;
  /** Of activations; empty for dynamic INT8. */
  readonly ranges: RangeMap;
  /** The prepared model before a repair changed weights and biases for INT8 in every layer; absent where none did. */
  readonly reference?: Model;
}

/** What a conversion to FLOAT16 can be tried again from. */
export interface Float16Base {
  /** Prepared, and not converted yet. */
  readonly prepared: Conversion;
  readonly ranges: RangeMap;
  /** Reasons to keep nodes in FLOAT whatever else is kept, by their first outputs. */
  readonly kept: ReadonlyMap<string, string>;
}
