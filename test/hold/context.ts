import type { ProcessWatch } from './watch.js';

/** What every part of the suite gets. */
export interface Hold {
  /** The repository. */
  readonly root: string;
  /** bin/serve-opt.js. */
  readonly program: string;
  /** An empty folder, removed at the end. */
  readonly scratch: string;
  /** Folders given on the command line. */
  readonly folders: readonly string[];
  /** How many runs of the parts that repeat; undefined takes the number of each part. */
  readonly count: number | undefined;
  /** Bombs and variants of trivial runs whose name holds it; '' takes all. */
  readonly only: string;
  /** Time limits are multiplied by it. */
  readonly factor: number;
  readonly watch: ProcessWatch;
  /** Called at the end of the suite, in reverse order, also after a signal. Must be synchronous. */
  atEnd(clean: () => void): void;
}

/** Calls `use` for each item, so many at once. */
export async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  use: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await use(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
