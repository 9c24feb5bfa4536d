import type { PackageFinding } from '../targets/finding.js';

export type { FindingSeverity, PackageFinding } from '../targets/finding.js';

/** What `package check` reports. */
export interface PackageCheckReport {
  readonly schemaVersion: number;
  readonly command: 'package check';
  /** Of serve-opt. */
  readonly version: string;
  /** What was checked, as given. */
  readonly checked: string;
  /** What it is: a model repository or a model of Triton, an archive of TorchServe. */
  readonly kind: PackageKind;
  /** Models that were looked at. */
  readonly models: readonly string[];
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  /** Errors and the rest by model and place. */
  readonly findings: readonly PackageFinding[];
}

export type PackageKind = 'triton repository' | 'triton model' | 'torchserve archive';
