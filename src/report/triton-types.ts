/** What `package triton` reports. */
import type { DiffLine } from './line-diff.js';
import type { PackageReport } from './package-types.js';
import type { ReportFile } from './types.js';

/** A file or folder that stands in the repository already, and what becomes of it. */
export type EntryChange = 'new' | 'replaced' | 'unchanged' | 'kept';

/** Answer of `package triton`. Paths of files are relative to the repository. */
export interface TritonReport extends Omit<PackageReport, 'input'> {
  readonly command: 'package triton';
  /** Absent for an ensemble, which is made of models in the repository. */
  readonly input?: ReportFile;
  /** Of the model in the repository. */
  readonly name: string;
  readonly modelVersion: number;
  readonly platform: 'onnxruntime_onnx' | 'tensorrt_plan' | 'ensemble';
  /** 0 where the server does not batch requests. */
  readonly maxBatch: number;
  /** The text of `config.pbtxt`. */
  readonly config: string;
  /** Versions of the model in the repository after this, smallest first. */
  readonly versions: readonly number[];
  /** Of the entries in the folder of the model. */
  readonly changes: readonly { readonly entry: string; readonly change: EntryChange }[];
  /** The configuration that stands there against the new one, where they differ. */
  readonly configDiff?: readonly DiffLine[];
  /** Command that starts a server with the repository. */
  readonly serverCommand: string;
}
