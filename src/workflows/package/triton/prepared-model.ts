import type { ModelConfig } from '../../../proto/model-config.js';
import type { ReportFile, ReportValue } from '../../../report/types.js';
import type { ModelFacts } from '../../../targets/model-facts.js';
import type { PackageFile } from '../../../targets/package-file.js';

/** A model that is ready to be written into a repository. */
export interface PreparedModel {
  readonly platform: 'onnxruntime_onnx' | 'tensorrt_plan' | 'ensemble';
  readonly config: ModelConfig;
  /** Files of the version, relative to its folder; none for an ensemble. */
  readonly versionFiles: readonly PackageFile[];
  /** Files beside the versions, relative to the folder of the model, but for the configuration and the README. */
  readonly modelFiles: readonly PackageFile[];
  readonly input?: ReportFile;
  readonly inputs: readonly ReportValue[];
  /** One row for the requests of the README; absent where the model is no ONNX. */
  readonly example?: ModelFacts['example'];
  readonly outputs: readonly ReportValue[];
  readonly onnxRuntimeVersion?: string;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Rows of the README: what was measured of this model before. */
  readonly measured: readonly (readonly [what: string, figure: string])[];
  /** Looks at a version that was written. @param folder its folder @throws SO6003 where it is not what it should be */
  readonly lookAt?: (folder: string) => Promise<void>;
  /** Looks whether what it was made of is still the same. @throws SO2008 */
  readonly check?: () => void;
}
