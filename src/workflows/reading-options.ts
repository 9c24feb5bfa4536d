import type { DataReading } from '../samples/data-reading.js';

/** How samples are read where they are not arrays. */
export interface ReadingOptions {
  /** How images and texts of the data become inputs, and where their labels are: the same for all data of the run. */
  readonly reading?: DataReading;
}
