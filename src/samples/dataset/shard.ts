import type { SourceArray } from './source-array.js';

/** Arrays that belong together: one file or row holding one or more samples. A data set is a list of them, in order. */
export interface Shard {
  /** File or row, for messages. */
  readonly label: string;
  /** Every array found; those that are no input and no labels are reported. */
  readonly arrays: readonly SourceArray[];
  /** Labels that lie outside `arrays`, in a file of their own. */
  readonly labels?: SourceArray;
  /** True when this is known to be one sample, so that a list of labels is that sample's. */
  readonly single?: boolean;
  /** True when the arrays are one sample exactly as they are, whatever their shapes. */
  readonly oneSample?: boolean;
}

/** What a reader of one file format gives. */
export interface ShardList {
  readonly shards: readonly Shard[];
  readonly warnings: readonly string[];
}
