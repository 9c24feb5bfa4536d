import { basename } from 'node:path';
import type { SearchReport } from '../../../report/search-types.js';
import type { SampleSource } from '../../../samples/types.js';
import type { QuantizeOptions } from '../../options.js';
import { metricWish } from '../../preflight/judging.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import type { ModelRun } from '../../produce/model-run.js';
import { withTrials } from '../../workbench/trials.js';
import type { QuantizeWork } from '../before-work.js';
import { convertModel } from '../convert-model.js';
import { choiceFor } from '../layer-choice.js';
import { candidateOf, type QuantizeCandidate } from '../quantize-candidate.js';
import { rankLayers } from '../rank-layers.js';
import { keepAccuracy, reasonsOf, type Search } from './keep-accuracy.js';

/** Trials of few samples spread over the data need small batches. */
const RANK_BATCH = 4;

/**
 * The first candidate with as many layers quantized as `--max-drop` allows. Where no layer can be, and the mode is left to us: dynamic
 * INT8, then FP16.
 */
export async function settleFirst(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  first: QuantizeCandidate,
): Promise<QuantizeCandidate> {
  const settled = await settleAccuracy(run, work, first);
  if (settled.search?.met !== false || (run.options.mode ?? 'auto') !== 'auto') return settled;
  for (const mode of first.done === 'static' ? (['dynamic', 'fp16'] as const) : (['fp16'] as const)) {
    const other = await convertAs(run, work, mode);
    if (!other || other.done === 'none') continue;
    const next = await settleAccuracy(run, work, other);
    if (next.search?.met !== false) return { ...next, search: next.search ?? settled.search };
  }
  return settled;
}

/** Another form of the model, as if its mode had been asked for. */
export async function convertAs(
  run: ModelRun<QuantizeOptions>,
  { split }: QuantizeWork,
  mode: 'dynamic' | 'fp16',
): Promise<QuantizeCandidate | undefined> {
  const { model, path, options, stages, memoryBytes, runtime } = run;
  const { perTensor: _, reduceRange: __, batch: ___, ...rest } = options;
  const wanted = mode === 'fp16' ? { ...rest, mode } : { ...options, mode };
  const converted = await convertModel({ model, path, stages, memoryBytes, options: wanted }, split, runtime);
  return converted.step.changed === 0 ? undefined : candidateOf(run, converted, {});
}

/**
 * The candidate with the fewest layers in FP32 that keep `--max-drop` on labelled or held-out samples; as it was where there is no such
 * goal, or nothing that can be searched.
 * @param atLeast layers that are kept at least
 */
export async function settleAccuracy(
  run: ModelRun<QuantizeOptions>,
  { runtime, split }: QuantizeWork,
  candidate: QuantizeCandidate,
  atLeast = 0,
): Promise<QuantizeCandidate> {
  const { model, path, options, stages } = run;
  const { converted, done, fallback } = candidate;
  const { maxDrop, evalPath } = options;
  const isSearched = (done === 'static' || done === 'dynamic') && options.for !== 'tensorrt' && converted.base;
  if (maxDrop === undefined || !runtime || !isSearched || whyNotRunnable(model) !== undefined) return candidate;
  const choice = await choiceFor(converted, options);
  const judging: SampleSource = evalPath === undefined ? split.judging : { kind: 'data', path: evalPath };
  const calibration: SampleSource = split.calibration ? { kind: 'data', ...split.calibration } : split.judging;
  const wish = metricWish(
    options,
    model.graph.outputs.map(({ name }) => name),
  );
  // Dynamic quantization takes its scales from the whole batch.
  const oneByOne = done === 'dynamic' ? { batchSize: 1 } : {};
  stages.start('search');
  const context = { ...options, ...stages.context('search'), wish };
  const { found, samples } = await withTrials(runtime, { model, path }, context, async (trials) => {
    const judged = await trials.on(judging, oneByOne);
    const rank = async () => {
      const seen = await trials.on(calibration, { mostBatch: RANK_BATCH, ...oneByOne });
      return rankLayers(seen, choice, { calibrationSamples: seen.of });
    };
    const search = await keepAccuracy(
      choice,
      { samples: judged, isLabelled: evalPath !== undefined },
      maxDrop,
      rank,
      atLeast,
    );
    return { found: search, samples: judged.count };
  });
  stages.end(`${found.kept.length} of ${choice.layers.length} layers stay in FP32, ${found.steps.length} tried`);
  const search = reportOf(found, maxDrop, choice.layers.length, samples, judging);
  if (!found.met || found.kept.length === 0) return { ...candidate, search };
  const again = await choice.convert(reasonsOf(found.kept));
  return { ...candidateOf(run, { ...converted, ...again }, fallback), search };
}

function reportOf(
  { kept, met, steps, ranking }: Search,
  maxDrop: number,
  layers: number,
  samples: number,
  judging: SampleSource,
): SearchReport {
  return {
    maxDrop,
    samples,
    source: judging.kind === 'data' ? basename(judging.path) : 'synthetic inputs',
    layers,
    kept: kept.length,
    met,
    steps,
    ...(ranking ? { ranking: ranking.layers.map(({ key: _, ...layer }) => layer) } : {}),
  };
}
