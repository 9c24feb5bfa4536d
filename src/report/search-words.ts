import { formatMetricValue } from './bench-format.js';
import { formatNumber, plural } from './format.js';
import type { AlternativeReport, SearchReport, SearchStepReport } from './search-types.js';

/** A form of a model, in words. */
export const FORM_WORDS = {
  static: 'static INT8',
  mixed: 'INT8 with more layers in FP32',
  dynamic: 'dynamic INT8',
  fp16: 'FP16',
  bf16: 'BF16',
  fp8: 'FP8',
  int4: 'INT4 weights',
  'int8-weights': 'INT8 weights',
  int2: 'INT2 weights',
  none: 'the original',
} as const;

/** What is said of the searches for a model that keeps its goals. */
export function searchNotes({
  search,
  alternatives = [],
}: {
  readonly search?: SearchReport | undefined;
  readonly alternatives?: readonly AlternativeReport[];
}): string[] {
  return [
    ...(search ? searchSentences(search) : []),
    ...(search?.notTried === undefined ? [] : [notTriedSentence(search.notTried)]),
    ...(alternatives.length > 0 ? [speedSentence(alternatives)] : []),
  ];
}

/** `Not tried: 3 to 7 layers in FP32: the 300 s of --effort medium were used up.` */
export function notTriedSentence(notTried: string): string {
  return `Not tried: ${notTried}. A higher --effort allows more time.`;
}

function searchSentences(search: SearchReport): string[] {
  const { maxDrop, kept, layers, met, steps, source, samples } = search;
  const cost = `${plural(steps.length, 'choice')} tried on ${plural(samples, 'sample')} of ${source}`;
  const last = steps.findLast(({ verdict }) => verdict === 'pass');
  if (maxDrop === undefined) {
    if (met && kept === 0) return [];
    const first = steps[0]?.why ?? '';
    if (!met) return [`The outputs lose clearly with INT8, and no choice of layers keeps them (${cost}): ${first}.`];
    const now = last === undefined ? '' : ` Now: ${last.why}.`;
    return [
      `${kept} of ${plural(layers, 'layer')} ${kept === 1 ? 'stays' : 'stay'} in FP32, since the outputs lose clearly without (${cost}): ${first}.${now}`,
    ];
  }
  const goal = `--max-drop ${Number((100 * maxDrop).toPrecision(6))}%`;
  if (!met) return [`${goal}: no choice of layers to quantize keeps it (${cost}).`];
  const chosen = steps.findLast(({ keptLayers }) => keptLayers === kept);
  if (chosen?.verdict === 'fail')
    return [
      `${goal}: kept with ${kept} of ${plural(layers, 'layer')} in FP32, but not beyond doubt (${cost}): ${chosen.why}.`,
    ];
  if (kept === 0) return [`${goal}: kept with all ${plural(layers, 'layer')} quantized (${cost}).`];
  const first = steps[0];
  const without = first && first.keptLayers === 0 ? `; with none, ${stepWords(first)}` : '';
  return [
    `${goal}: ${kept} of ${plural(layers, 'layer')} ${kept === 1 ? 'stays' : 'stay'} in FP32 for it${without} (${cost}, which also judge the result).`,
  ];
}

/** Units of what goals are judged by; other measures are told whole. */
const STEP_UNITS = { drop: 'ratio', agreement: 'ratio', sqnr: 'dB' } as const;

/** `drop 1.2 % (95 %: 0.4 to 2 %)`, or why it failed. */
export function stepWords({ metric, measured, low, high, why }: SearchStepReport): string {
  if (metric === undefined || measured === undefined || !(metric in STEP_UNITS)) return why;
  const unit = STEP_UNITS[metric as keyof typeof STEP_UNITS];
  const interval =
    low === undefined || high === undefined
      ? ''
      : ` (95 %: ${formatMetricValue(low, unit)} to ${formatMetricValue(high, unit)})`;
  return `${metric} ${formatMetricValue(measured, unit)}${interval}`;
}

function speedSentence(alternatives: readonly AlternativeReport[]): string {
  const parts = alternatives.map(({ form, ratio, outcome, why }) => {
    const time = ratio === undefined ? '' : `, ${formatNumber(ratio, 3)}× its time`;
    return `${FORM_WORDS[form]}${time}: ${outcome === 'delivered' ? 'delivered' : why}`;
  });
  return `Beside the original on this machine: ${parts.join('; ')}. --allow-slower delivers INT8 all the same.`;
}
