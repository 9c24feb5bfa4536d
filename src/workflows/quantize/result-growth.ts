import { statSync } from 'node:fs';
import type { Model } from '../../ir/model.js';
import { formatBytes } from '../../report/format.js';
import type { QuantizeOptions } from '../options.js';
import { growthBytes } from '../produce/growth.js';
import type { ConversionMode } from './conversion.js';

/** What the Casts of FP16 take, at inputs, outputs and whatever stays in FP32: no growth worth a word. */
const CASTS_BYTES = 4096;

/** Why a result of `sizeBytes` is too large beside its input, or undefined. */
export function whyTooLarge(
  model: Model,
  path: string,
  sizeBytes: number,
  mode: ConversionMode,
  options: QuantizeOptions,
): string | undefined {
  const files = [path, ...(model.source?.externalPaths() ?? [])];
  const before = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const allowed =
    options.maxGrowth === undefined
      ? mode === 'fp16' || mode === 'bf16'
        ? CASTS_BYTES
        : 0
      : growthBytes(options.maxGrowth, before);
  if (sizeBytes - before <= allowed) return undefined;
  return `The result would be larger than the model (${formatBytes(before)} → ${formatBytes(sizeBytes)}), so nothing was done: the output is the unchanged model. To allow it, raise --max-growth.`;
}
