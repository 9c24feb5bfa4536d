import { headChannels } from '../../../quantize/plan.js';
import { withMovedRanges } from '../../../quantize/planned-range.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { calibrateIn } from '../../calibrate.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import type { Conversion } from '../conversion.js';
import { staticPlanOf } from '../schemes/static-plan-of.js';
import { type Repaired, repairStatic } from './repair-static.js';

/** Repairs a prepared model before it is quantized, in place; gives the ranges that it is to be quantized with. */
export async function repairConversion(
  conversion: Conversion,
  ranges: RangeMap,
  { block }: SampleSplit,
  calibration: NonNullable<SampleSplit['calibration']>,
  options: InContext<QuantizeOptions>,
  stages: Stages,
  host: RuntimeHost,
): Promise<Repaired> {
  const { batch = QUANTIZE_DEFAULTS.batch, threads, effort = QUANTIZE_DEFAULTS.effort } = options;
  const repaired = await repairStatic(
    {
      model: conversion.model,
      ranges,
      samples: calibration,
      ...(block === undefined ? {} : { block }),
      calibrate: async (model) => {
        const source = { kind: 'data', ...calibration } as const;
        const { plan } = staticPlanOf(model, conversion.layers, options);
        const measured = await calibrateIn(host, model, source, {
          batch,
          tensors: plan.observe,
          channels: headChannels(plan),
          ...(threads === undefined ? {} : { threads }),
        });
        return withMovedRanges(measured.ranges, plan);
      },
      quantize: async (model, its) => {
        const trial = conversion.copy();
        trial.replaceModel(model.clone());
        // What was made of a layer is told from its pairs.
        await trial.toStatic(its, { ...options, format: 'qdq' });
        return trial.model;
      },
    },
    effort,
    host,
    options,
    stages,
  );
  conversion.replaceModel(repaired.model);
  return repaired;
}
