import type { ReportFile, ReportHeader, ReportValue } from './types.js';

/** A file of a package. */
export interface PackagedFile {
  /** Relative to the package, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Absent for model files above 256 MiB: the system copies them, and reading them again would take as long. */
  readonly sha256?: string;
  /** It is a second name of the model's own file, not a copy. */
  readonly linked?: boolean;
}

/** What every command of `package` that writes something reports. Each target adds fields of its own. */
export interface PackageReport extends ReportHeader {
  readonly command: `package ${string}`;
  /** Where it was written, as given. */
  readonly output: string;
  /** False after a dry run. */
  readonly written: boolean;
  /** The model file, or the engine. */
  readonly input: ReportFile;
  readonly inputs: readonly ReportValue[];
  readonly outputs: readonly ReportValue[];
  readonly files: readonly PackagedFile[];
}
