import { statSync } from 'node:fs';
import type { Model } from '../ir/model.js';
import { formatBytes } from '../report/format.js';
import { growthBytes } from './optimize/growth.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';

/** FP16 is chosen for its speed, and a model of few weights takes some more bytes for the Casts at its inputs and outputs. */
const CASTS_BYTES = 4096;

/** Why a result of `sizeBytes` is too large beside its input, or undefined. */
export function whyTooLarge(
  model: Model,
  path: string,
  sizeBytes: number,
  mode: 'static' | 'dynamic' | 'fp16',
  options: QuantizeOptions,
): string | undefined {
  const files = [path, ...(model.source?.externalPaths() ?? [])];
  const before = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const allowed = growthBytes(options.maxGrowth ?? QUANTIZE_DEFAULTS.maxGrowth, before);
  if (sizeBytes - before <= Math.max(allowed, mode === 'fp16' ? CASTS_BYTES : 0)) return undefined;
  return `The result would be larger than the model (${formatBytes(before)} → ${formatBytes(sizeBytes)}), so nothing was done: the output is the model as it was. --max-growth allows growth.`;
}
