import type { Model } from '../../ir/model.js';
import type { Refusal } from '../../ir/transform.js';
import { productUnits } from '../../quantize/activation-products.js';
import { headChannels } from '../../quantize/plan.js';
import { withMovedRanges } from '../../quantize/planned-range.js';
import { planTensorRt } from '../../quantize/tensorrt-plan.js';
import { TENSORRT_SCHEMES, type TensorRtType } from '../../quantize/tensorrt-schemes.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { QuantizeRepairReport } from '../../report/repair-types.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { isWeightMode } from '../weight-only-options.js';
import type { SampleSplit } from '../workbench/sample-split.js';
import { calibrateStatic } from './calibrate-static.js';
import { Conversion, prepareConversion } from './conversion.js';
import type { ConversionRun } from './conversion-run.js';
import type { Converted } from './converted.js';
import { convertToHalf } from './float16/convert-float16.js';
import type { LoadFallback } from './float16/load-fallbacks.js';
import { repairConfirmed } from './repair/repair-confirmed.js';
import { staticPlanOf } from './schemes/static-plan-of.js';
import { chooseProducts } from './tensorrt/choose-products.js';
import { convertWeights } from './weight-only/convert-weights.js';

/**
 * Converts in the mode asked for; `auto` goes to dynamic where static finds nothing. Calibration needs `runtime`, which is
 * waited for only when it is needed: it gets ready beside the work on the graph.
 */
export async function convertModel(
  run: ConversionRun,
  split: SampleSplit,
  runtime: LazyRuntime | undefined,
  fallback: LoadFallback = {},
): Promise<Converted> {
  const { model, options, stages, memoryBytes } = run;
  const requested = options.mode ?? QUANTIZE_DEFAULTS.mode;
  let refused: readonly Refusal[] = [];
  if (requested === 'fp16' || requested === 'bf16')
    return convertToHalf(model, options, split, stages, runtime?.host(), memoryBytes, fallback);
  if (isWeightMode(requested)) return convertWeights(run, requested, split, runtime);
  if (requested === 'static' || requested === 'fp8' || (requested === 'auto' && options.dataPath !== undefined)) {
    const result = await convertStatic(run, split, runtime);
    if (result.step.changed > 0 || requested !== 'auto' || options.for === 'tensorrt' || options.for === 'qnn')
      return result;
    refused = result.step.refusals;
  }
  stages.start('quantize');
  const conversion = new Conversion(model.clone(), options, memoryBytes);
  await conversion.prepare('dynamic', options);
  const base = { prepared: conversion.copy(), ranges: new Map() };
  const dynamic = await conversion.toDynamic(options);
  const told = dynamic.changed > 0 ? refused.filter(({ opType }) => opType === 'Conv') : refused;
  const step = { ...dynamic, refusals: dynamic.refusals.map((refusal) => sameNode(told, refusal) ?? refusal) };
  stages.end(`${step.changed} layers`);
  return { conversion, mode: 'dynamic', step, base, warnings: conversion.warnings };
}

/**
 * What static quantization said of a layer: it counts where nothing was quantized, and of convolutions, of which dynamic
 * quantization only knows that they would need ranges.
 */
function sameNode(refused: readonly Refusal[], { node, opType }: Refusal): Refusal | undefined {
  return refused.find((each) => each.node === node && each.opType === opType);
}

async function convertStatic(
  { model, path, options, stages, memoryBytes }: ConversionRun,
  split: SampleSplit,
  runtime: LazyRuntime | undefined,
): Promise<Converted> {
  const mode = options.mode === 'fp8' ? 'fp8' : 'static';
  const conversion = await prepareConversion(model, mode, options, stages, memoryBytes);
  // FP8 has no other form.
  const forTensorRt = options.for === 'tensorrt' || mode === 'fp8';
  const type: TensorRtType = mode === 'fp8' ? 'fp8' : 'int8';
  const planned = forTensorRt ? undefined : staticPlanOf(conversion.model, conversion.layers, options);
  const { observe } = planned?.plan ?? planTensorRt(conversion.model, undefined, () => undefined);
  const moved = (ranges: RangeMap) => (planned ? withMovedRanges(ranges, planned.plan) : ranges);
  const calibrated = await calibrateStatic(
    {
      model: conversion.model,
      original: { model, path },
      observe,
      channels: planned && headChannels(planned.plan),
      scheme: planned?.scheme ?? (() => TENSORRT_SCHEMES[type].activations),
      async quantized(ranges) {
        const copy = conversion.copy();
        await (forTensorRt ? copy.toTensorRt(type, ranges, options, undefined) : copy.toStatic(moved(ranges), options));
        return copy.model;
      },
    },
    options,
    split,
    stages,
    runtime,
  );
  let ranges = moved(calibrated.ranges);
  let repair: QuantizeRepairReport | undefined;
  let reference: Model | undefined;
  // Without verification nothing could confirm a repair.
  if (planned && runtime && calibrated.report && (options.verify ?? QUANTIZE_DEFAULTS.verify))
    ({
      ranges,
      report: repair,
      reference,
    } = await repairConfirmed(conversion, ranges, { model, path }, split, options, stages, runtime));
  const products = forTensorRt
    ? await productsToKeep(model, conversion, type, ranges, options, split, stages, runtime?.host())
    : undefined;
  stages.start('quantize');
  const base = { prepared: conversion.copy(), ranges, ...(reference ? { reference } : {}) };
  const step = await (forTensorRt
    ? conversion.toTensorRt(type, ranges, options, products)
    : conversion.toStatic(ranges, options));
  stages.end(`${step.changed} nodes`);
  return {
    conversion,
    mode,
    step,
    base,
    ...(calibrated.report ? { calibration: calibrated.report } : {}),
    ...(repair ? { repair } : {}),
    warnings: [...conversion.warnings, ...calibrated.warnings],
  };
}

/** Tries on calibration samples what quantized products of two activations cost; undefined where there are none, or nothing to try on. */
async function productsToKeep(
  model: Model,
  conversion: Conversion,
  type: TensorRtType,
  ranges: RangeMap,
  options: InContext<QuantizeOptions>,
  { calibration }: SampleSplit,
  stages: Stages,
  runtime: Promise<RuntimeHost> | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  const path = model.source?.path;
  if (!runtime || !calibration || path === undefined || productUnits(conversion.model).length === 0) return undefined;
  stages.start('try');
  const kept = await chooseProducts(await runtime, conversion.model, {
    path,
    model,
    source: { kind: 'data', ...calibration },
    options,
    quantize: async (without) => {
      const trial = conversion.copy();
      await trial.toTensorRt(type, ranges, options, without);
      return trial.model;
    },
  });
  const count = productUnits(conversion.model).reduce((sum, { nodes }) => sum + nodes.length, 0);
  stages.end(`${count - kept.size} of ${count} products of activations`);
  return kept;
}
