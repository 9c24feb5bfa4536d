import { basename } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import { walkGraphs } from '../../../ir/walk.js';
import { isObservable } from '../../../quantize/expose-ranges.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import type { SampleSource } from '../../../samples/types.js';
import { DataType } from '../../../tensor/dtype.js';
import { calibrateIn } from '../../calibrate.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import type { Stages } from '../../stages.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import { withSmallerSamples } from '../../workbench/smaller-samples.js';
import { prepareConversion } from '../conversion.js';
import type { Converted, Float16Base } from '../converted.js';
import type { LoadFallback } from './load-fallbacks.js';

/** Below this an output has lost more than rounding, in dB: BFLOAT16 has three bits less, of 6 dB each. */
export const ROUNDING_ONLY_DB = { fp16: 40, bf16: 22 } as const;

/** A mode that makes 16-bit floats. */
export type HalfMode = keyof typeof ROUNDING_ONLY_DB;

/** The mode of options that ask for 16-bit floats. */
export function halfMode({ mode }: Pick<QuantizeOptions, 'mode'>): HalfMode {
  return mode === 'bf16' ? 'bf16' : 'fp16';
}
/** Samples in one run while measuring ranges. */
const BATCH = 8;

/**
 * Converts to FLOAT16. Ranges of all FLOAT values, inputs included, are measured first where ONNX Runtime may be used:
 * on the calibration samples, or on synthetic ones.
 */
export async function convertToHalf(
  model: Model,
  options: InContext<QuantizeOptions>,
  split: SampleSplit,
  stages: Stages,
  runtime: Promise<RuntimeHost> | undefined,
  memoryBytes: number,
  fallback: LoadFallback,
): Promise<Converted> {
  const prepared = await prepareConversion(model, halfMode(options), options, stages, memoryBytes);
  const measured = await measureRanges(prepared.model, options, split, stages, runtime);
  const kept = fallback.kept?.(prepared.model) ?? new Map();
  const base: Float16Base = { prepared, ranges: measured.ranges, kept };
  const converted = await convertFrom(base, options, stages, new Map());
  const warnings = [...converted.warnings, ...(measured.warning === undefined ? [] : [measured.warning])];
  return { ...converted, warnings, ...(measured.calibration ? { calibration: measured.calibration } : {}) };
}

/** Converts what was prepared, with some layers kept in FLOAT for the reasons given. */
export async function convertFrom(
  base: Float16Base,
  options: InContext<QuantizeOptions>,
  stages: Stages,
  kept: ReadonlyMap<string, string>,
): Promise<Converted> {
  stages.start('convert');
  const conversion = base.prepared.copy();
  const step = await conversion.toFloat16(options, {
    ranges: base.ranges,
    kept: new Map([...base.kept, ...kept]),
  });
  stages.end(`${step.changed} nodes`);
  return { conversion, mode: halfMode(options), step, float16: base, warnings: conversion.warnings };
}

interface Measured {
  readonly ranges: RangeMap;
  readonly calibration?: NonNullable<Converted['calibration']>;
  readonly warning?: string;
}

async function measureRanges(
  model: Model,
  options: InContext<QuantizeOptions>,
  split: SampleSplit,
  stages: Stages,
  runtime: Promise<RuntimeHost> | undefined,
): Promise<Measured> {
  const none: RangeMap = new Map();
  const mode = halfMode(options);
  const unmeasured = (why: string): Measured => ({
    ranges: none,
    warning: `Activation ranges were not measured: ${why}. ${mode === 'fp16' ? 'Layers whose values exceed the float16 range' : 'Layers that count beyond 256'} may have been converted.`,
  });
  if (!runtime) return unmeasured('running the model was switched off');
  const tensors = floatTensors(model);
  if (tensors.length === 0) return { ranges: none };
  const refused = whyNotRunnable(model);
  if (refused !== undefined) return unmeasured(refused);
  const { calibration } = split;
  const seed = options.seed ?? QUANTIZE_DEFAULTS.seed;
  stages.start('observe');
  try {
    const host = await runtime;
    const source: SampleSource = calibration ? { kind: 'data', ...calibration } : split.judging;
    const { ranges, samples } = await withSmallerSamples(source, (some) =>
      calibrateIn(
        host,
        model,
        some,
        {
          tensors,
          batch: options.batch ?? BATCH,
          ...(options.threads === undefined ? {} : { threads: options.threads }),
        },
        stages.context('observe'),
      ),
    );
    stages.end(`${ranges.size} tensors, ${samples} samples`);
    const name = calibration ? basename(calibration.path) : `synthetic inputs (seed ${seed})`;
    return { ranges, calibration: { source: name, samples, method: 'min-max' } };
  } catch (error) {
    // Synthetic inputs that the model does not run on.
    if (calibration || !(error instanceof ServeOptError) || error.code !== 'SO5002') throw error;
    stages.end();
    return unmeasured(error.message);
  }
}

/** Names of the FLOAT tensors that are computed or given where a run can be observed. */
function floatTensors(model: Model): string[] {
  const names = new Set<string>();
  for (const graph of walkGraphs(model.graph)) {
    if (!isObservable(graph)) continue;
    for (const { name, producer, tensor, type } of graph.values.values()) {
      if (tensor || producer?.is('Constant')) continue;
      if (type?.kind === 'tensor' && type.dataType === DataType.FLOAT) names.add(name);
    }
  }
  return [...names];
}
