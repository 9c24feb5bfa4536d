import { ServeOptError } from '../errors.js';

/** What is said of a result that is not delivered although it has a report: a budget, or what stands in its place. */
const REFUSALS: ReadonlySet<string> = new Set(['SO7001', 'SO7002', 'SO3507']);

/** A report, and why the result that it is about was not delivered. */
export interface KeptOrRefused<R> {
  readonly report: R;
  readonly refused?: ServeOptError;
}

/**
 * Runs a command that makes a model. One that misses a budget is not delivered, and yet has a report to show: what was
 * measured is what its user wants to know. @throws whatever else kept the command from its end
 */
export async function keptOrRefused<R extends object>(
  run: (onRefused: (report: R) => void) => Promise<R>,
): Promise<KeptOrRefused<R>> {
  let report: R | undefined;
  try {
    return {
      report: await run((made) => {
        report = made;
      }),
    };
  } catch (error) {
    const isRefusal = error instanceof ServeOptError && REFUSALS.has(error.code);
    if (report === undefined || !isRefusal) throw error;
    return { report, refused: error };
  }
}
