import { basename } from 'node:path';
import type { SearchReport } from '../../../report/search-types.js';
import type { SampleSource } from '../../../samples/types.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import { metricWish } from '../../preflight/judging.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import type { ModelRun } from '../../produce/model-run.js';
import { fixedMacs } from '../../stated-cost.js';
import { rankingSamples } from '../../workbench/sample-split.js';
import { withTrials } from '../../workbench/trials.js';
import type { QuantizeWork } from '../before-work.js';
import { convertModel } from '../convert-model.js';
import { choiceFor } from '../layer-choice.js';
import { candidateOf, type QuantizeCandidate } from '../quantize-candidate.js';
import { rankLayers } from '../rank-layers.js';
import {
  type Aim,
  judgeDrop,
  type KeepAccuracyOptions,
  keepAccuracy,
  reasonsOf,
  type Search,
} from './keep-accuracy.js';
import { judgeOutputs } from './output-aims.js';
import { SEARCH_MS, SearchTime } from './search-time.js';

/** Where nobody set a goal, ranking takes half the time. */
const UNASKED = { passes: 1 } as const;
/** Share of the time that ranking may take. */
const RANK_SHARE = 0.4;
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
  const time = searchTime(run.options);
  const settled = await settleAccuracy(run, work, first, { time });
  if (run.options.maxDrop === undefined || settled.search?.met !== false || (run.options.mode ?? 'auto') !== 'auto')
    return settled;
  for (const mode of first.done === 'static' ? (['dynamic', 'fp16'] as const) : (['fp16'] as const)) {
    const other = await convertAs(run, work, mode);
    if (!other || other.done === 'none') continue;
    const next = await settleAccuracy(run, work, other, { time });
    if (next.search?.met !== false) return { ...next, search: next.search ?? settled.search };
  }
  return settled;
}

function searchTime({ effort = QUANTIZE_DEFAULTS.effort }: QuantizeOptions): SearchTime {
  return new SearchTime(SEARCH_MS[effort]);
}

/** Another form of the model, as if its mode had been asked for. */
export async function convertAs(
  run: ModelRun<QuantizeOptions>,
  { split }: QuantizeWork,
  mode: 'dynamic' | 'fp16',
): Promise<QuantizeCandidate | undefined> {
  const { model, path, outputPath, options, stages, memoryBytes, runtime } = run;
  const { perTensor: _, reduceRange: __, batch: ___, ...rest } = options;
  const wanted = mode === 'fp16' ? { ...rest, mode } : { ...options, mode };
  const onClose: typeof run.onClose = (close) => run.onClose(close);
  const converted = await convertModel(
    { model, path, outputPath, stages, memoryBytes, onClose, options: wanted },
    split,
    runtime,
  );
  return converted.step.changed === 0 ? undefined : candidateOf(run, converted, {});
}

/** What layers are kept in FP32 for: a goal that was set, or what the outputs of held-out samples should keep; nothing where neither can be judged. */
function goalOf(
  { options }: ModelRun<QuantizeOptions>,
  { split }: QuantizeWork,
): { readonly name: string; readonly judging: SampleSource; readonly judge: Aim['judge'] } | undefined {
  const { maxDrop, evalPath, verify = QUANTIZE_DEFAULTS.verify, effort = QUANTIZE_DEFAULTS.effort } = options;
  if (maxDrop !== undefined) {
    const judging: SampleSource = evalPath === undefined ? split.judging : { kind: 'data', path: evalPath };
    return {
      name: '--max-drop',
      judging,
      judge: (result) => judgeDrop(result, evalPath !== undefined, maxDrop),
    };
  }
  // Samples that calibrated would say that all is well, and made-up ones nothing.
  if (!verify || effort === 'low' || !split.calibration || !split.heldOut) return undefined;
  return { name: 'the outputs', judging: split.judging, judge: judgeOutputs };
}

/**
 * The candidate with the fewest layers in FP32 that keep `--max-drop` on labelled or held-out samples, or what the outputs should keep
 * without such a goal (`OUTPUT_AIMS`); as it was where nothing can be judged or searched, or no choice of layers does.
 * @param options atLeast: layers that are kept at least; time: what is left where other forms were searched before
 */
export async function settleAccuracy(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  { atLeast = 0, time = searchTime(run.options) }: Pick<KeepAccuracyOptions, 'atLeast' | 'time'> = {},
): Promise<QuantizeCandidate> {
  const { model, path, options, stages } = run;
  const { runtime, split } = work;
  const { converted, done, fallback } = candidate;
  const isSearched = (done === 'static' || done === 'dynamic') && options.for !== 'tensorrt' && converted.base;
  const goal = goalOf(run, work);
  if (!goal || !runtime || !isSearched || whyNotRunnable(model) !== undefined) return candidate;
  const choice = await choiceFor(converted, options);
  const { judging, judge } = goal;
  const wish = metricWish(
    options,
    model.graph.outputs.map(({ name }) => name),
  );
  // Dynamic quantization takes its scales from the whole batch.
  const oneByOne = done === 'dynamic' ? { batchSize: 1 } : {};
  stages.start('search');
  // Progress is told in trials, not in samples of each.
  const { onProgress: _, ...quiet } = { ...options, ...stages.context('search'), wish };
  let count = 0;
  const advance = (more: number): void => stages.advance(++count, count + more);
  const { found, samples } = await withTrials(runtime, { model, path }, quiet, async (trials) => {
    const judged = await trials.on(judging, oneByOne);
    const rank = async () => {
      const ranked = await trials.on(rankingSamples(split).source, { mostBatch: RANK_BATCH, ...oneByOne });
      return rankLayers(ranked, choice, {
        calibrationSamples: split.calibration?.count ?? ranked.of,
        macs: fixedMacs(model),
        time: time.part(RANK_SHARE),
        onTrial: (trial, all) => advance(all - trial + 2 * Math.ceil(Math.log2(choice.layers.length + 1))),
        ...(options.maxDrop === undefined ? UNASKED : {}),
      });
    };
    const search = await keepAccuracy(choice, { samples: judged, judge }, rank, {
      atLeast,
      time,
      onTrial: (more) => advance(more + (count === 0 && atLeast === 0 ? choice.layers.length : 0)),
    });
    return { found: search, samples: judged.count };
  });
  stages.end(`${found.kept.length} of ${choice.layers.length} layers stay in FP32, ${found.steps.length} tried`);
  const search = reportOf(found, options, time.limitMs, choice.layers.length, samples, judging);
  if (!found.met || found.kept.length === 0) return { ...candidate, search };
  const again = await choice.convert(reasonsOf(found.kept, goal.name));
  return { ...candidateOf(run, { ...converted, ...again }, fallback), search };
}

function reportOf(
  { kept, met, steps, ranking, notTried }: Search,
  { maxDrop, effort = QUANTIZE_DEFAULTS.effort }: QuantizeOptions,
  limitMs: number,
  layers: number,
  samples: number,
  judging: SampleSource,
): SearchReport {
  return {
    ...(maxDrop === undefined ? {} : { maxDrop }),
    samples,
    source: judging.kind === 'data' ? basename(judging.path) : 'synthetic inputs',
    layers,
    kept: kept.length,
    met,
    steps,
    ...(notTried === undefined
      ? {}
      : { notTried: `${notTried}: the ${limitMs / 1000} s of --effort ${effort} were used up` }),
    ...(ranking ? { ranking: ranking.layers.map(({ key: _, ...layer }) => layer) } : {}),
  };
}
