import { statSync } from 'node:fs';
import type { Model } from '../ir/model.js';
import { formatBytes } from '../report/format.js';
import { growthBytes } from './optimize/growth.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';

/** What nodes and names take: no growth worth a word. The Casts of FP16 come at its inputs, outputs and whatever stays in FP32. */
const NODES_BYTES = { static: 512, dynamic: 512, fp16: 4096 } as const;
/** Share of a file that is none either. */
const NO_GROWTH = 0.001;

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
  if (sizeBytes - before <= Math.max(allowed, NODES_BYTES[mode], before * NO_GROWTH)) return undefined;
  return `The result would be larger than the model (${formatBytes(before)} → ${formatBytes(sizeBytes)}), so nothing was done: the output is the model as it was. --max-growth allows growth.`;
}
