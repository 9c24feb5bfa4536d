import type { ScoreFiles } from './rows-work.js';

/** An output of all samples in files. */
export interface OutputFiles extends ScoreFiles {
  readonly rows: number;
  readonly rowDims: readonly number[];
  /** Every value is between 0 and 1. */
  readonly unit: boolean;
  /** Name of the output, or of the file. */
  readonly name: string;
}
