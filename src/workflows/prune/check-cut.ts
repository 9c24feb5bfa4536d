import { ServeOptError } from '../../errors.js';
import { zeroUnits } from '../../passes/prune/zero-weights.js';
import { copiedDependencies } from '../../prune/copied-dependencies.js';
import type { CutCheckReport } from '../../report/prune-types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { loadPair } from '../workbench/loaded-pair.js';
import type { StructuredCut } from './structured.js';

/** Less than this is no rounding: 1e-4 of the signal. */
const LEAST_SQNR_DB = 80;

/**
 * Compares a cut model with the same model whose units are set to zero instead: they have to compute the same.
 * @returns a sentence where that cannot be compared
 * @throws SO9001 where they differ by more than rounding: the cut is wrong then
 */
export async function checkCut(
  cut: StructuredCut,
  source: SampleSource,
  runtime: LazyRuntime,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<CutCheckReport | string> {
  if (options.throughNormalization)
    return 'statistics over axes that are cut change, so the cut cannot be compared with zeros';
  const masked = cut.base.clone();
  zeroUnits(copiedDependencies(cut.dependencies, cut.base, masked), cut.removed);
  stages.start('check the cut');
  return withWorkFolder(async (folder) => {
    const links = new Map();
    const reference = await writeRunnable(masked, folder, { name: 'masked.onnx', links });
    const path = await writeRunnable(cut.model, folder, { name: 'cut.onnx', links });
    const host = await runtime.host();
    const pair = await loadPair(
      host,
      cut.base,
      { a: reference, b: path },
      { ...options, ...stages.context('check the cut') },
    );
    const fitted = await pair.fit(source);
    if (typeof fitted === 'string') {
      stages.end();
      return fitted;
    }
    const { outputs, samples } = await pair.compare(fitted);
    const known = outputs.flatMap(({ sqnrDb }) => (sqnrDb === undefined || Number.isNaN(sqnrDb) ? [] : [sqnrDb]));
    const sqnrDb = Math.min(...known, Number.POSITIVE_INFINITY);
    stages.end(`${samples} samples`);
    if (sqnrDb < LEAST_SQNR_DB) {
      throw new ServeOptError('SO9001', 'The cut model differs from the original with the same units set to zero', {
        why: `${sqnrDb.toFixed(1)} dB, ${LEAST_SQNR_DB} dB were expected`,
        hint: 'please report the model; --exclude LAYER keeps layers whole',
      });
    }
    return { sqnrDb, samples };
  });
}
