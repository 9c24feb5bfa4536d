import type { Style } from './style.js';

/** What every text of a report needs to know. */
export interface TextOptions {
  readonly style: Style;
  /** Columns of the terminal; undefined for a pipe, where nothing is cut. */
  readonly columns: number | undefined;
  /** 0 lists what matters, 1 (`-v`) everything. */
  readonly verbosity: number;
}
