/** What is said of a quantization, on the terminal and in pages. */
import type { ComparisonResult } from '../evaluate/comparison.js';
import { formatNumber, plural } from './format.js';
import { latencyChange, latencyVerdict } from './latency-words.js';
import type { QuantizeReport } from './types.js';

/** What was done to the model. */
export const MODE_WORDS = {
  static: 'static INT8',
  dynamic: 'dynamic INT8',
  fp16: 'FP16',
  bf16: 'BF16',
  fp8: 'FP8',
  int4: 'INT4 weights',
  'int8-weights': 'INT8 weights',
  int2: 'INT2 weights',
  none: 'unchanged',
} as const;

/** Nodes before the first step and after the last; of a model that was left as it was, whatever was tried, those it has. */
export function nodeCounts(report: QuantizeReport): readonly [number, number] | undefined {
  const first = report.steps[0];
  const last = report.steps.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return [first.nodesBefore, report.mode === 'none' ? first.nodesBefore : last.nodesAfter];
}

/** `64 held-out samples`, `8 synthetic samples`. */
export function samplesPhrase({ source, samples }: ComparisonResult): string {
  if (source.kind === 'seeded') return plural(samples, 'synthetic sample');
  // What follows the calibration samples took no part in the calibration.
  return plural(samples, source.first > 0 ? 'held-out sample' : 'sample');
}

/** One sentence where the result was measured to be slower than the original; undefined where it was not. */
export function slowerSentence({ latency, mode }: Pick<QuantizeReport, 'latency' | 'mode'>): string | undefined {
  if (latency === undefined || latencyVerdict(latency) !== 'slower') return undefined;
  const onCpu = (latency.executionProviders ?? ['cpu']).every((provider) => provider === 'cpu');
  if (mode === 'fp16' && onCpu) return `Made for GPUs; on this CPU ${formatNumber(latency.ratio)}× slower`;
  const threads = latency.threads === undefined ? '' : ` with ${plural(latency.threads, 'thread')}`;
  return `slower here: on this machine${threads} the result takes longer than the original (${latencyChange(latency)})`;
}
