/** Tests that cannot run everywhere. The title of a skipped one says why; `npm test` lists them at its end. */
import { describe, it } from 'vitest';

type Run = () => void | Promise<void>;

/** What stands in for vitest's `it` and `describe`. */
export interface Conditional {
  it(title: string, run: Run): void;
  each<T>(cases: readonly T[]): (title: string, run: (one: T) => void | Promise<void>) => void;
  describe(title: string, body: () => void): void;
}

/** @param reason what stands in the way, for the title */
export function skipWhere(applies: boolean, reason: string): Conditional {
  const named = (title: string) => (applies ? `${title} [skipped: ${reason}]` : title);
  return {
    it: (title, run) => it.skipIf(applies)(named(title), run),
    each: (cases) => (title, run) => it.skipIf(applies).for(cases)(named(title), (one) => run(one)),
    describe: (title, body) => describe.skipIf(applies)(named(title), body),
  };
}
