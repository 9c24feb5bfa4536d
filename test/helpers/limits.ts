import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** See vitest.config.ts. */
    machineFactor: number;
  }
}

/** A limit of a quiet machine, in any unit of time, for this one. */
export function scaled(quiet: number): number {
  return quiet * inject('machineFactor');
}
