import { basename } from 'node:path';
import { ServeOptError } from '../errors.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import { readModel } from '../ir/read-model.js';
import type { SensitivityReport } from '../report/sensitivity-types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { withDecoderReading } from './decoder-reading.js';
import { describeInputs } from './describe-inputs.js';
import type { InContext, QuantizeMode, SensitivityOptions, WorkflowContext } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkDataPaths } from './preflight/data.js';
import { metricWish } from './preflight/judging.js';
import { checkModel } from './preflight/model.js';
import { whyNotRunnable } from './preflight/runnable.js';
import { ModelRun } from './produce/model-run.js';
import { prepareQuantize } from './quantize/before-work.js';
import { convertModel } from './quantize/convert-model.js';
import { choiceFor } from './quantize/layer-choice.js';
import { describeLayers } from './quantize/layer-reports.js';
import { type LayerRanking, rankLayers } from './quantize/rank-layers.js';
import { Stages } from './stages.js';
import { fixedMacs } from './stated-cost.js';
import { WatchedInputs } from './watched-inputs.js';
import { isWeightMode, type WeightMode } from './weight-only-options.js';
import { Failure } from './workbench/failure.js';
import { rankingSamples } from './workbench/sample-split.js';
import { withTrials } from './workbench/trials.js';

/**
 * Ranks the layers of a model by what its outputs lose when each alone is quantized, in about two passes over samples: held-out ones where there are
 * enough.
 * @throws ServeOptError: SO5006 for a model that cannot be run here, SO4001… for data that does not fit
 * @example
 * const { layers } = await sensitivity('model.onnx', { dataPath: 'calib.npz' });
 */
export async function sensitivity(
  path: string,
  given: SensitivityOptions = {},
  context: WorkflowContext = {},
): Promise<SensitivityReport> {
  const options: InContext<SensitivityOptions> = withDecoderReading({ ...given, ...context }, path);
  const ignored = checkOptions('sensitivity', options);
  checkDataPaths(options.dataPath);
  const stages = new Stages(options);
  stages.start('read');
  const watched = new WatchedInputs(options.dataPath);
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  watched.add(model);
  try {
    const run = new ModelRun({ model, path, outputPath: path, options, stages });
    try {
      return await watched.during(options.signal, async () => {
        run.warnings.push(...ignored, ...checkModel(model, options));
        const data = options.dataPath === undefined ? [] : [options.dataPath];
        options.onFiles?.({ reads: [path, ...(model.source?.externalPaths() ?? []), ...data], writes: [] });
        const report = await measure(run);
        watched.check();
        return report;
      });
    } finally {
      await run.close();
    }
  } finally {
    model.source?.close();
  }
}

/** @throws SO1002 for a mode whose layers cannot be ranked */
function rankedMode<T extends QuantizeMode>(mode: T): Exclude<T, 'bf16' | 'fp8' | WeightMode> {
  if (mode !== 'bf16' && mode !== 'fp8' && !isWeightMode(mode)) return mode as Exclude<T, 'bf16' | 'fp8' | WeightMode>;
  throw new ServeOptError('SO1002', `sensitivity cannot be used with --mode ${mode}`, {
    why: 'layers are ranked in INT8 and FP16',
    hint: mode === 'bf16' ? 'use --mode fp16' : 'use --mode static',
  });
}

async function measure(run: ModelRun<SensitivityOptions>): Promise<SensitivityReport> {
  const { model, path, options, stages } = run;
  const reason = whyNotRunnable(model);
  if (reason !== undefined)
    throw new ServeOptError('SO5006', reason, { hint: 'layers are ranked by running the model' });
  rankedMode(options.mode ?? 'auto');
  const { split, doubts } = await prepareQuantize(run);
  stages.end();
  run.hashInput();
  const { memoryBytes } = run;
  const converted = await convertModel(
    // Layers are ranked with the ranges that take no trials.
    {
      model,
      path,
      outputPath: path,
      stages,
      memoryBytes,
      onClose: (close) => run.onClose(close),
      options: { calibration: 'minmax', ...options },
    },
    split,
    run.runtime,
  );
  const { calibration, step } = converted;
  const mode = rankedMode(converted.mode);
  const choice = await choiceFor(converted, options);
  const { source, heldOut } = rankingSamples(split);
  const wish = metricWish(
    options,
    model.graph.outputs.map(({ name }) => name),
  );
  // Dynamic quantization takes its scales from the whole batch.
  const batchSize = mode === 'dynamic' ? 1 : undefined;
  const oneByOne = batchSize === undefined ? {} : { batchSize };
  const { ranking, together, judged } = await withTrials(
    run.runtime,
    { model, path },
    { ...options, ...stages.context('rank'), wish, unoptimized: choice.unoptimized },
    async (trials) => {
      stages.start('rank', choice.layers.length);
      const samples = await trials.on(source, { mostBatch: TRIAL_BATCH, ...oneByOne });
      const ranked: LayerRanking = await rankLayers(samples, choice, {
        calibrationSamples: split.calibration?.count ?? samples.of,
        macs: fixedMacs(model),
        onTrial: (done, total) => stages.advance(done, total),
      });
      stages.end(`${ranked.layers.length} layers, ${ranked.trials} trials`);
      if (ranked.layers.length === 0) return { ranking: ranked, together: undefined, judged: samples.source };
      stages.start('compare');
      const held = await trials.on(split.judging, oneByOne);
      const all = await held.score(await choice.candidate(new Map()));
      stages.end(`${held.count} samples`);
      return { ranking: ranked, together: all, judged: held.source };
    },
  );
  const described = describeInputs(inputSpecs(model), judged, run.options.reading);
  const header = await run.reportHeader('sensitivity', true);
  const { leftInFloat } = describeLayers(converted.conversion.original, converted.conversion.model, step);
  const failed = ranking.layers.filter(({ failure }) => failure !== undefined).length;
  return {
    ...header,
    mode,
    model: await run.inputReport(),
    ...(calibration ? { calibration } : {}),
    trials: {
      source: source.kind === 'data' ? basename(source.path) : `synthetic inputs (seed ${source.seed})`,
      samples: ranking.samples,
      ...(heldOut ? { heldOut } : {}),
      models: ranking.trials,
      passes: ranking.passes,
    },
    layers: ranking.layers.map(({ key: _, ...layer }) => layer),
    leftInFloat,
    ...(isComparison(together) ? { allTogether: together } : {}),
    ...described.fields,
    warnings: [
      ...run.warnings,
      ...doubts,
      ...converted.warnings,
      ...(failed > 0 ? [`${failed} layers could not be run quantized: they are ranked first.`] : []),
      ...(together instanceof Failure ? [`All layers together could not be run: ${together.reason}.`] : []),
      ...(split.heldOut
        ? []
        : ['Too few samples to hold some out: all layers together were judged on the calibration samples.']),
    ],
    notes: [
      ...described.notes,
      ...(ranking.layers.length === 0 ? ['This model has no layer that this mode quantizes.'] : []),
      ...(source.kind === 'seeded' ? ['Synthetic inputs rank layers roughly: give real samples with --data.'] : []),
    ],
  };
}

/** Trials of few samples spread over the data need small batches. */
const TRIAL_BATCH = 4;

function isComparison(result: ComparisonResult | Failure | undefined): result is ComparisonResult {
  return result !== undefined && !(result instanceof Failure);
}
