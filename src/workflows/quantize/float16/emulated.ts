import type { OutputDifference } from '../../../evaluate/comparison.js';
import type { Model } from '../../../ir/model.js';
import { readModel } from '../../../ir/read-model.js';
import { inferTypes } from '../../../ops/infer-types.js';
import { emulateFloat16 } from '../../../quantize/emulate-float16.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { writeRunnable } from '../../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import type { SessionOptions } from '../../../runtime/types.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource, ValueSpec } from '../../../samples/types.js';
import type { ExecutionOptions } from '../../options.js';
import { withContrasts } from '../../workbench/contrasts.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { withSession } from '../../workbench/with-session.js';

/** Samples that layers are tried on. */
const TRIED_SAMPLES = 8;
/** Most time for running the original on them, in ms. */
const REFERENCE_MS = 20_000;

/**
 * Calls `use` with a session that computes the FLOAT16 model of a file in emulated half precision, and frees it after.
 * @throws SO5001 when ONNX Runtime refuses it
 */
export async function withEmulated<T>(
  runtime: RuntimeHost,
  path: string,
  options: ExecutionOptions,
  use: (session: number) => Promise<T>,
): Promise<T> {
  return withEmulatedFile(path, options, (emulated) => withSession(runtime, emulated.path, emulated.session, use));
}

/** The file of a model that computes another one's 16-bit floats in emulation, with the session that it wants; gone after `use`. */
export async function withEmulatedFile<T>(
  path: string,
  options: ExecutionOptions,
  use: (emulated: { readonly path: string; readonly session: SessionOptions }) => Promise<T>,
): Promise<T> {
  const model = await readModel(path);
  try {
    inferTypes(model);
    emulateFloat16(model);
    return await withWorkFolder(async (folder) =>
      use({ path: await writeRunnable(model, folder), session: emulatingSession(options) }),
    );
  } finally {
    model.source?.close();
  }
}

/** Nothing of ONNX Runtime's own may remove the rounding. Always on the CPU: what is emulated is the precision. */
function emulatingSession({ threads }: ExecutionOptions): SessionOptions {
  return withOptions(SESSIONS.observed, threads === undefined ? {} : { threads });
}

/** Measures candidates in emulated half precision against what the original gave on a few samples. */
export interface EmulatedTrials {
  /** Compares a converted model that is in memory; changes it. */
  measure(model: Model): Promise<readonly OutputDifference[]>;
}

/** Calls `use` with trials against the model of `path` on `source`. */
export function withEmulatedTrials<T>(
  runtime: RuntimeHost,
  original: { readonly path: string; readonly source: SampleSource; readonly inputs: readonly ValueSpec[] },
  options: ExecutionOptions,
  use: (trials: EmulatedTrials) => Promise<T>,
): Promise<T> {
  const reference = {
    ...original,
    samples: TRIED_SAMPLES,
    maxMs: REFERENCE_MS,
    session: sessionOptions(options),
  };
  return withContrasts(runtime, reference, (contrasts) =>
    use({
      measure(model) {
        emulateFloat16(model);
        return contrasts.contrast(model, emulatingSession(options));
      },
    }),
  );
}

/**
 * What the worst FLOAT output keeps of its signal, in dB: -Infinity where NaN or infinities are new, Infinity where
 * nothing is lost or no output is FLOAT. Outputs that depend on random numbers do not count.
 */
export function worstSqnrDb(outputs: readonly OutputDifference[]): number {
  let worst = Number.POSITIVE_INFINITY;
  for (const { nonFinite, shapeMismatches, sqnrDb, random } of outputs) {
    if (random) continue;
    if (nonFinite.b > nonFinite.a || shapeMismatches > 0) return Number.NEGATIVE_INFINITY;
    if (sqnrDb !== undefined && sqnrDb < worst) worst = sqnrDb;
  }
  return worst;
}
