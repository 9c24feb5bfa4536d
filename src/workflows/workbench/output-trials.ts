import type { OutputDifference } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { ExecutionOptions } from '../options.js';
import { CandidateFiles } from './candidate-files.js';
import { withContrasts } from './contrasts.js';
import { sessionOptions } from './execution-session.js';
import { fitSource } from './fit-source.js';
import { randomOutputs } from './random-outputs.js';
import { withSession } from './with-session.js';

/** What trials are held against. */
export interface TrialSetting {
  /** The model that is changed; its outputs are the reference. */
  readonly original: Model;
  readonly source: SampleSource;
  /** At most so many samples. */
  readonly samples: number;
  readonly execution: ExecutionOptions;
}

/**
 * How far the outputs of a changed model are from those of the original: noise over signal, Σ(a − b)² / Σa², of the output that
 * lost most; 0 where nothing changed, Infinity where they cannot be compared. Labels are not needed.
 * @throws SO5001, SO5002 where ONNX Runtime refuses the changed model or fails
 */
export type OutputTrial = (changed: Model) => Promise<number>;

/** Most time for running the original on the samples, in ms. */
const REFERENCE_MS = 20_000;

/**
 * Runs a model once on a few samples and calls `use` with what tells how far a changed copy is from it: the trials by which layers,
 * groups and blocks are ranked.
 */
export async function withOutputTrials<T>(
  runtime: RuntimeHost,
  { original, source, samples, execution }: TrialSetting,
  use: (trial: OutputTrial) => Promise<T>,
): Promise<T> {
  const session = withOptions(SESSIONS.compared, sessionOptions(execution));
  const inputs = inputSpecs(original);
  const random = randomOutputs(original);
  return withWorkFolder(async (folder) => {
    const path = await new CandidateFiles(folder).write(original);
    const fitted =
      source.kind === 'data'
        ? source
        : await withSession(runtime, path, session, (id) => fitSource(runtime, id, inputs, source));
    const usable = typeof fitted === 'string' ? source : fitted;
    return withContrasts(
      runtime,
      { path, source: usable, inputs, samples, maxMs: REFERENCE_MS, session },
      ({ contrast }) => use(async (changed) => noiseOf(await contrast(changed, session), random)),
    );
  });
}

/** Noise over signal of the output that lost most. */
export function noiseOf(differences: readonly OutputDifference[], random: ReadonlySet<string> = new Set()): number {
  let most = 0;
  for (const { name, sqnrDb, exactEqual, shapeMismatches, incomparable, nonFinite } of differences) {
    if (random.has(name)) continue;
    if (incomparable !== undefined || shapeMismatches > 0 || nonFinite.lost > 0) return Number.POSITIVE_INFINITY;
    if (sqnrDb !== undefined) most = Math.max(most, 10 ** (-sqnrDb / 10));
    else if (!Number.isNaN(exactEqual)) most = Math.max(most, 1 - exactEqual);
  }
  return most;
}
