import { formatInteger, formatNumber, plural, sentence } from '../format.js';
import type { PruneReport } from '../prune-types.js';
import {
  allocationSentence,
  attemptWords,
  changeWords,
  cutSentence,
  repairSentence,
  sparsityPhrase,
} from '../prune-words.js';
import type { SparsityReport } from '../sparsity-types.js';
import { patternPhrase, zeroShare } from '../sparsity-words.js';
import { linePlot } from '../svg/line-plot.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { checksOf } from '../verification-words.js';
import { metricFigures } from './answers.js';
import { judgedBanner, judgedSection } from './budgets-section.js';
import { element, type Markup } from './markup.js';
import {
  changeFigures,
  checksBanner,
  comparisonSection,
  eyebrow,
  filesSection,
  latencySection,
  MOST_ROWS,
  notesSection,
  warnings,
} from './model-change.js';
import { page } from './page.js';
import { figure, keyFigures, lead, named, section, table } from './parts.js';
import { verificationSection } from './verification-section.js';

/** The report of `prune` as one page that stands alone. */
export function pruneHtml(report: PruneReport): string {
  const { input, output, latency, accuracy, verification, before, after } = report;
  const what =
    report.weights.length > 0
      ? `Zeros: ${sparsityPhrase(report)}`
      : report.blocks === undefined
        ? `Units cut: ${report.method}`
        : `${report.blocks.filter(({ dropped }) => dropped).length} of ${plural(report.blocks.length, 'block')} dropped`;
  return page(
    `${input.name} – serve-opt prune`,
    element(
      'header',
      {},
      eyebrow('prune', report),
      element('h1', {}, named(input.name)),
      element('p', { class: 'subject' }, what),
      checksBanner(checksOf(report)),
      judgedBanner(report),
      warnings(report.warnings),
      keyFigures([
        ...changeFigures(input, output, undefined, latency),
        {
          name: 'Parameters',
          value: formatInteger(after.parameters),
          detail: `of ${formatInteger(before.parameters)}`,
        },
        { name: 'Multiply-adds', value: formatInteger(after.macs), detail: `of ${formatInteger(before.macs)}` },
        ...metricFigures(accuracy ?? verification.comparison),
      ]),
    ),
    judgedSection(report),
    groupsSection(report),
    blocksSection(report),
    attemptsSection(report),
    repairSection(report),
    weightsSection(report),
    wholeSection(report),
    comparisonSection('Accuracy', accuracy ?? verification.comparison, ' A is the original, B the result.'),
    latencySection(latency, ['the original', 'the result']),
    verificationSection(verification),
    filesSection([
      ['Original', input],
      ['Result', output],
    ]),
    notesSection(report.notes),
  );
}

/** Groups that get a bar. */
const MOST_BARS = 30;

function groupsSection(report: PruneReport): Markup | undefined {
  const { groups } = report;
  if (groups.length === 0) return undefined;
  const widest = Math.max(...groups.map(({ units }) => units));
  const sentences = [cutSentence(report), allocationSentence(report)].flatMap((each) =>
    each === undefined ? [] : [sentence(each)],
  );
  return section(
    'groups',
    'Groups',
    sentences.length === 0 ? undefined : lead(sentences.join(' ')),
    figure(
      'Widths before and after',
      `Pale: units before; full: units kept. A whole row is ${formatInteger(widest)} units. Groups are in the order of the model.`,
      rankedBars(
        'Units kept by group',
        groups.slice(0, MOST_BARS).map(({ name, kind, units, kept }) => ({
          name,
          value: `${kept} of ${units}`,
          share: kept / widest,
          whole: units / widest,
          group: kind,
        })),
        [...new Set(groups.map(({ kind }) => kind))],
      ),
    ),
    table(
      'Groups',
      [
        { title: 'Group', kind: 'name' },
        { title: 'Units', kind: 'short' },
        { title: 'Before', kind: 'number' },
        { title: 'Kept', kind: 'number' },
      ],
      groups.map(({ name, kind, units, kept }) => ({
        cells: [named(name), kind, formatInteger(units), formatInteger(kept)],
      })),
    ),
  );
}

function repairSection(report: PruneReport): Markup | undefined {
  const { repair } = report;
  const result = repairSentence(report);
  if (result === undefined) return undefined;
  const measured = repair.flatMap(({ before, after }, at) =>
    before === undefined || after === undefined ? [] : [{ x: at + 1, before, after }],
  );
  return section(
    'repair',
    'Repair',
    lead(sentence(result)),
    measured.length === 0
      ? undefined
      : figure(
          'Error by layer',
          'Of the outputs of each layer, on held-out samples, as a share of their size, in the order of the network.',
          linePlot(
            'Error by layer',
            [
              { name: 'before', points: measured.map(({ x, before }) => ({ x, y: before })) },
              { name: 'fitted anew', points: measured.map(({ x, after }) => ({ x, y: after })) },
            ],
            { x: 'layer', y: 'error' },
          ),
        ),
    table(
      'Layers behind what went',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'No.', kind: 'number' },
        { title: 'Error before', kind: 'number' },
        { title: 'Fitted anew', kind: 'number' },
        { title: 'Left, because', kind: 'why' },
      ],
      repair.slice(0, MOST_ROWS).map(({ layer, before, after, left }, at) => ({
        cells: [named(layer), String(at + 1), errorShare(before), errorShare(after), named(left ?? '')],
      })),
    ),
  );
}

function errorShare(error: number | undefined): string {
  return error === undefined ? '' : `${formatNumber(100 * error)} %`;
}

function blocksSection(report: PruneReport): Markup | undefined {
  const { blocks, rankedBy, outside = [] } = report;
  if (blocks === undefined) return undefined;
  return section(
    'blocks',
    'Blocks',
    lead(
      rankedBy === 'weights'
        ? 'Blocks that a sum leads around, ranked by the size of their weights: a guess, for want of samples.'
        : 'Blocks that a sum leads around. The figure is how close the outputs stay without a block and those dropped before it.',
    ),
    table(
      'Blocks',
      [
        { title: 'Block, by its last layer', kind: 'name' },
        { title: 'Layers', kind: 'number' },
        { title: 'Outputs without it', kind: 'number' },
        { title: '', kind: 'short' },
      ],
      blocks.map((block) => ({
        cells: [named(block.name), formatInteger(block.layers), changeWords(block), block.dropped ? 'dropped' : ''],
      })),
    ),
    outside.length === 0
      ? undefined
      : table(
          'Layers in no block that can be dropped',
          [
            { title: 'Layer', kind: 'name' },
            { title: 'Operator', kind: 'short' },
            { title: 'Why', kind: 'why' },
          ],
          outside
            .slice(0, MOST_ROWS)
            .map(({ layer, operator, reason }) => ({ cells: [named(layer), named(operator), named(reason)] })),
        ),
  );
}

function attemptsSection({ attempts, blocks, targetSpeedUp }: PruneReport): Markup | undefined {
  if (attempts === undefined) return undefined;
  const why =
    targetSpeedUp === undefined
      ? 'Budgets of the outputs were missed at first: less was taken until they were kept.'
      : `The original was to be made ${targetSpeedUp.toFixed(2)}x as fast; each attempt was timed beside it.`;
  return section(
    'attempts',
    'Attempts',
    lead(why),
    table(
      'Attempts',
      [
        { title: blocks === undefined ? 'Amount' : 'Blocks', kind: 'number' },
        { title: 'Measured', kind: 'why' },
      ],
      attempts.map((attempt) => ({ cells: [formatNumber(attempt.amount), named(attemptWords(attempt))] })),
    ),
  );
}

function weightsSection({ weights, sparsity }: PruneReport): Markup | undefined {
  if (weights.length === 0) return undefined;
  const patterns = new Map(sparsity?.layers.map(({ node, pattern }) => [node, pattern]));
  return section(
    'weights',
    'Weights',
    table(
      'Zeros by layer',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Operator', kind: 'short' },
        { title: 'Weights', kind: 'number' },
        { title: 'Zeros', kind: 'number' },
        { title: 'Share', kind: 'number' },
        { title: 'Pattern', kind: 'short' },
        { title: 'Left, because', kind: 'why' },
      ],
      weights.map(({ node, opType, elements, zeros, left }) => ({
        cells: [
          named(node),
          named(opType),
          formatInteger(elements),
          formatInteger(zeros),
          elements === 0 ? '' : zeroShare(zeros, elements),
          patternPhrase(patterns.get(node)),
          named(left ?? ''),
        ],
      })),
    ),
    sparsity && runtimesTable(sparsity),
  );
}

function runtimesTable({ runtimes }: SparsityReport): Markup {
  return table(
    'Runtimes that skip zeros',
    [
      { title: 'Runtime', kind: 'name' },
      { title: 'Skips zeros of', kind: 'short' },
      { title: 'Needs', kind: 'why' },
    ],
    runtimes.map(({ name, layers, needs }) => ({
      cells: [named(name), layers === 0 ? 'no layer' : plural(layers, 'layer'), needs],
    })),
  );
}

function wholeSection({ whole }: PruneReport): Markup | undefined {
  if (whole.length === 0) return undefined;
  return section(
    'whole',
    'Stays whole',
    whole.length > MOST_ROWS ? lead(`The first ${MOST_ROWS} of ${plural(whole.length, 'axis', 'axes')}.`) : undefined,
    table(
      'Axes of weights that stay whole',
      [
        { title: 'Weight', kind: 'name' },
        { title: 'Axis', kind: 'number' },
        { title: 'Size', kind: 'number' },
        { title: 'Why', kind: 'why' },
      ],
      whole.slice(0, MOST_ROWS).map(({ weight, axis, size, reason }) => ({
        cells: [named(weight), String(axis), formatInteger(size), named(reason)],
      })),
    ),
  );
}
