import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import type { InContext, PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { loadPair } from '../workbench/loaded-pair.js';

/** Which of two models has outputs closer to those of the original: by the smallest SQNR of the float outputs; the first of equals. */
export async function closerOf(
  original: Model,
  candidates: readonly [Model, Model],
  source: SampleSource,
  runtime: RuntimeHost,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<0 | 1> {
  stages.start('compare');
  const figures: number[] = [];
  for (const candidate of candidates)
    figures.push(
      await withWorkFolder(async (folder) => {
        const links = new Map();
        const a = await writeRunnable(original, folder, { name: 'original.onnx', links });
        const b = await writeRunnable(candidate, folder, { name: 'candidate.onnx', links });
        const pair = await loadPair(runtime, original, { a, b }, { ...options, ...stages.context('compare') });
        const { outputs } = await pair.compare(source);
        return Math.min(...outputs.map(({ sqnrDb }) => sqnrDb ?? Number.NEGATIVE_INFINITY));
      }),
    );
  stages.end(figures.map((figure) => `${figure.toFixed(1)} dB`).join(' → '));
  return (figures[1] as number) > (figures[0] as number) ? 1 : 0;
}
