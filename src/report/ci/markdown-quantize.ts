/** What was decided in a quantization, for a comment on a pull request. */
import { observerCounts } from '../calibration-words.js';
import { formatBytes, formatNumber, plural } from '../format.js';
import { ratioInterval } from '../latency-words.js';
import { measurePhrase } from '../measure-words.js';
import { layerErrorCells, layerErrorsSentence, repairLines, worstLayers } from '../repair-words.js';
import { FORM_WORDS, stepWords } from '../search-words.js';
import type { QuantizeReport } from '../types.js';
import { markdownCode, markdownProse } from './markdown-text.js';
import type { MarkdownWriter } from './markdown-writer.js';

/** Layers and outputs that are listed. */
const MOST_LISTED = 20;

/** Samples, measures, layers kept, choices tried, forms timed and the repair. */
export function quantizeDetails(page: MarkdownWriter, report: QuantizeReport): void {
  const { calibration, verification, repair, search, alternatives = [], leftInFloat } = report;
  const { comparison } = verification;
  const lines: string[] = [];
  if (calibration !== undefined) {
    const counts = observerCounts(calibration);
    lines.push(
      `- ranges: ${calibration.method} over ${plural(calibration.samples, 'calibration sample')} of ${markdownCode(calibration.source)}${counts === undefined ? '' : ` (${counts})`}`,
    );
  }
  if (comparison !== undefined) {
    const { source, samples } = comparison;
    const kind = source.kind === 'seeded' ? 'synthetic sample' : source.first > 0 ? 'held-out sample' : 'sample';
    lines.push(`- outputs compared on ${plural(samples, kind)}`);
    for (const output of comparison.outputs.slice(0, MOST_LISTED)) {
      const measure = measurePhrase(output);
      if (measure !== undefined) lines.push(`- ${markdownCode(output.name)}: ${markdownProse(measure)}`);
    }
  }
  if (repair !== undefined) lines.push(...repairLines(repair).map((line) => `- ${markdownProse(line.trim())}`));
  if (lines.length > 0) page.block(...lines, '');
  if (repair?.layers?.length) {
    page.block(`- ${markdownProse(`Outputs of layers, the worst first. ${layerErrorsSentence(repair)}`)}`, '');
    page.table(
      [{ title: 'layer' }, { title: 'SQNR before', right: true }, { title: 'after', right: true }],
      worstLayers(repair.layers)
        .slice(0, MOST_LISTED)
        .map((layer) => [markdownCode(layer.name), ...layerErrorCells(layer)]),
    );
  }
  if (leftInFloat.length > 0)
    page.table(
      [{ title: 'kept in FP32' }, { title: 'weights', right: true }, { title: 'why' }],
      [...leftInFloat]
        .sort((a, b) => b.weightBytes - a.weightBytes)
        .slice(0, MOST_LISTED)
        .map(({ name, weightBytes, reason }) => [markdownCode(name), formatBytes(weightBytes), markdownProse(reason)]),
    );
  if (search !== undefined && search.steps.length > 1)
    page.table(
      [{ title: 'layers in FP32', right: true }, { title: 'verdict' }, { title: 'measured' }],
      search.steps.map((step) => [String(step.keptLayers), step.verdict, markdownProse(stepWords(step))]),
    );
  if (alternatives.length > 0)
    page.table(
      [{ title: 'form' }, { title: "original's time", right: true }, { title: 'outcome' }, { title: 'why' }],
      alternatives.map(({ form, ratio, ratioLow, ratioHigh, outcome, why }) => [
        FORM_WORDS[form],
        ratio === undefined ? '' : `${formatNumber(ratio)}×${ratioInterval(ratioLow, ratioHigh)}`,
        outcome,
        markdownProse(why),
      ]),
    );
}
