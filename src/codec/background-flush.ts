import { fdatasync } from 'node:fs';

/** Flushes of one file. */
export interface BackgroundFlush {
  /** Begins a flush of what has been written, unless one runs. */
  start(): void;
  /** Waits for the flush that runs. @returns the first error of any of them */
  end(): Promise<Error | undefined>;
}

/**
 * Lets the disk take what has been written so far while more is made: syncing at the end alone would wait for all of it.
 * Systems report an error of a descriptor once, so the final sync would not repeat one that came here.
 */
export function backgroundFlush(fd: number): BackgroundFlush {
  let running: Promise<void> | undefined;
  let failure: Error | undefined;
  return {
    start() {
      running ??= new Promise((resolve) => {
        fdatasync(fd, (error) => {
          failure ??= error ?? undefined;
          running = undefined;
          resolve();
        });
      });
    },
    async end() {
      await running;
      return failure;
    },
  };
}
