import type { PackageReport } from './package-types.js';

/** Answer of `package mar`. */
export interface MarReport extends PackageReport {
  readonly command: 'package mar';
  readonly format: 'mar' | 'tgz' | 'folder';
  /** Of the archive, or of all files of a folder. */
  readonly sizeBytes: number;
  /** Of the archive; absent for a folder and after a dry run. */
  readonly sha256?: string;
  readonly name: string;
  readonly modelVersion: string;
  readonly preprocess: 'json' | 'image' | 'text';
  readonly workers: number;
  readonly batchSize: number;
  /** Whether requests run together; why not, where they do not. */
  readonly batching: { readonly kind: 'open' | 'one' | 'whole'; readonly why?: string };
  /** The output that responses take classes from. */
  readonly classes?: { readonly output: string; readonly top?: number };
}
