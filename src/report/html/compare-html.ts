import { agreementOf } from '../comparison-words.js';
import type { CompareReport } from '../types.js';
import { metricFigures } from './answers.js';
import { judgedBanner, judgedSection } from './budgets-section.js';
import { element } from './markup.js';
import {
  changeFigures,
  comparisonSection,
  eyebrow,
  filesSection,
  latencySection,
  notesSection,
  warnings,
} from './model-change.js';
import { page } from './page.js';
import { keyFigures, named } from './parts.js';

/** The report of `compare` as one page that stands alone. */
export function compareHtml(report: CompareReport): string {
  const { a, b, comparison, latency } = report;
  const agreement = agreementOf(comparison);
  return page(
    `${b.name} against ${a.name} – serve-opt compare`,
    element(
      'header',
      {},
      eyebrow('compare', report),
      element('h1', {}, named(b.name), ' against ', named(a.name)),
      element('p', { class: 'subject' }, 'A is ', named(a.name), ', B is ', named(b.name)),
      judgedBanner(report),
      warnings(report.warnings),
      keyFigures([
        ...(agreement === undefined ? [] : [{ name: 'Agreement', value: agreement.value, detail: agreement.what }]),
        ...metricFigures(comparison),
        ...changeFigures(a, b, undefined, latency),
      ]),
    ),
    judgedSection(report),
    comparisonSection('Outputs', comparison),
    latencySection(latency, ['A', 'B']),
    filesSection([
      ['A', a],
      ['B', b],
    ]),
    notesSection(report.notes),
  );
}
