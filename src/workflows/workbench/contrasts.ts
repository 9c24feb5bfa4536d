import type { OutputDifference } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SessionOptions } from '../../runtime/types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { CandidateFiles } from './candidate-files.js';
import { withSession } from './with-session.js';

/** The model that candidates are held against, and what both run on. */
export interface ContrastedOriginal {
  readonly path: string;
  readonly source: SampleSource;
  readonly inputs: readonly ValueSpec[];
  /** At most so many samples of the source. */
  readonly samples: number;
  /** Most time for running the original on them, in ms. */
  readonly maxMs: number;
  readonly session: SessionOptions;
}

/** How far candidates in memory are from what the original gave. */
export interface Contrasts {
  /** @throws SO5001, SO5002 where ONNX Runtime refuses a candidate or fails */
  contrast(candidate: Model, session: SessionOptions): Promise<readonly OutputDifference[]>;
}

/**
 * Runs the original once, keeps what it gave in the child process, and calls `use` with what holds candidates against it: each
 * is written without its weights, loaded, run and freed.
 */
export async function withContrasts<T>(
  runtime: RuntimeHost,
  { path, source, inputs, samples, maxMs, session: options }: ContrastedOriginal,
  use: (contrasts: Contrasts) => Promise<T>,
): Promise<T> {
  const { reference } = await withSession(runtime, path, options, (session) =>
    runtime.request('reference', { session, sources: [source], inputs, samples, edges: false, maxMs }),
  );
  return withWorkFolder((folder) => {
    const candidates = new CandidateFiles(folder);
    return use({
      contrast: (candidate, candidateOptions) =>
        candidates.try(candidate, (file) =>
          withSession(runtime, file, candidateOptions, (session) =>
            runtime.request('contrast', { reference, session }),
          ),
        ),
    });
  });
}
