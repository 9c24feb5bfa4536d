import type { AppliedRewrite, NearMiss } from '../../passes/engine/run-rewrites.js';
import { formatInteger, formatNumber, plural } from '../format.js';
import { ratioInterval } from '../latency-words.js';
import { rankedBars } from '../svg/ranked-bars.js';
import type { OptimizeReport, PassReport } from '../types.js';
import { checksOf } from '../verification-words.js';
import { judgedBanner, judgedSection } from './budgets-section.js';
import { figureText } from './figures.js';
import { element, type Markup } from './markup.js';
import {
  changeFigures,
  checksBanner,
  eyebrow,
  filesSection,
  latencySection,
  MOST_ROWS,
  notesSection,
  stepsTable,
  warnings,
} from './model-change.js';
import { page } from './page.js';
import { empty, figure, keyFigures, lead, list, named, section, table, under } from './parts.js';
import { verificationSection } from './verification-section.js';

const MOST_BARS = 20;

/** The report of `optimize` as one page that stands alone. */
export function optimizeHtml(report: OptimizeReport): string {
  const { input, output, nodesBefore, nodesAfter, latency, level, operators } = report;
  return page(
    `${input.name} – serve-opt optimize`,
    element(
      'header',
      {},
      eyebrow('optimize', report),
      element('h1', {}, named(input.name)),
      element('p', { class: 'subject' }, `level ${level}, for ${operators === 'ort' ? 'ONNX Runtime' : 'any runtime'}`),
      checksBanner(checksOf(report)),
      judgedBanner(report),
      warnings(report.warnings),
      keyFigures(changeFigures(input, output, [nodesBefore, nodesAfter], latency)),
    ),
    judgedSection(report),
    passesSection(report),
    leftOutSection(report),
    latencySection(latency, ['the original', 'the result']),
    verificationSection(report.verification),
    rewritesSection(report.rewrites),
    nearMissesSection(report.nearMisses),
    filesSection([
      ['Original', input],
      ['Result', output],
    ]),
    notesSection(report.notes),
  );
}

function passesSection({ passes, requested }: OptimizeReport): Markup {
  return section(
    'passes',
    'What changed',
    stepsTable(requested),
    passes.length === 0 ? empty('No pass found anything to change.') : [passesFigure(passes), passesTable(passes)],
  );
}

function passesFigure(passes: readonly PassReport[]): Markup | undefined {
  const busiest = [...passes].sort((a, b) => a.nodesDelta - b.nodesDelta).filter(({ nodesDelta }) => nodesDelta < 0);
  const shown = busiest.slice(0, MOST_BARS);
  const most = -(shown[0]?.nodesDelta ?? -1);
  if (shown.length === 0) return undefined;
  const groups = [...new Set(shown.map(({ group }) => group))];
  const bars = shown.map(({ pass, nodesDelta, group }) => ({
    name: pass,
    value: plural(-nodesDelta, 'node'),
    share: -nodesDelta / most,
    group,
  }));
  return figure(
    'Nodes removed by pass',
    'Nodes that each pass removed from all graphs, most first.',
    rankedBars('Nodes removed by pass', bars, groups),
  );
}

function passesTable(passes: readonly PassReport[]): Markup {
  return table(
    'Passes',
    [
      { title: 'Pass', kind: 'name' },
      { title: 'Group', kind: 'short' },
      { title: 'Numerics', kind: 'short' },
      { title: 'Rewrites', kind: 'number' },
      { title: 'Nodes', kind: 'number' },
      { title: 'Bytes', kind: 'number' },
    ],
    passes.map(({ pass, group, numerics, rewrites, nodesDelta, bytesDelta }) => ({
      cells: [named(pass), group, numerics, formatInteger(rewrites), signed(nodesDelta), signed(bytesDelta)],
    })),
  );
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${figureText(value, formatInteger)}`;
}

function leftOutSection({ dropped, slower }: OptimizeReport): Markup | undefined {
  if (dropped.length + slower.length === 0) return undefined;
  return section(
    'left-out',
    'Left out',
    lead('Rewrites that made the model wrong, or slower on this machine, are not in the result.'),
    list([
      ...dropped.map(({ pass, node, opType, reason }) => [
        named(pass),
        node === undefined ? undefined : [' at ', named(node)],
        opType === undefined ? undefined : [' (', named(opType), ')'],
        ': ',
        named(reason),
      ]),
      ...slower.map(({ pass, ratio, ratioLow, ratioHigh }) => [
        named(pass),
        `: with it the model takes ${formatNumber(ratio)}× as long here${ratioInterval(ratioLow, ratioHigh)}`,
      ]),
    ]),
  );
}

function rewritesSection(rewrites: readonly AppliedRewrite[] | undefined): Markup | undefined {
  if (rewrites === undefined || rewrites.length === 0) return undefined;
  return section(
    'rewrites',
    'Every change',
    lead(shownOf(rewrites.length, 'change'), ' In the order in which they were made.'),
    table(
      'Changes',
      [
        { title: 'Pass', kind: 'name' },
        { title: 'Nodes', kind: 'name' },
        { title: 'Became', kind: 'name' },
        { title: 'Node count', kind: 'number' },
      ],
      rewrites.slice(0, MOST_ROWS).map(({ pass, nodes, into, nodesDelta, detail }) => ({
        cells: [
          named(pass),
          nodes.map((node, i) => [i === 0 ? '' : ', ', named(`${node.opType} ${node.label}`)]),
          [
            into === undefined ? '–' : named(`${into.opType} ${into.label}`),
            detail === undefined ? undefined : under(named(detail)),
          ],
          signed(nodesDelta),
        ],
      })),
    ),
  );
}

function nearMissesSection(nearMisses: readonly NearMiss[] | undefined): Markup | undefined {
  if (nearMisses === undefined || nearMisses.length === 0) return undefined;
  return section(
    'near-misses',
    'Near misses',
    lead(shownOf(nearMisses.length, 'pattern'), ' Each nearly matched; the last column shows what was missing.'),
    table(
      'Near misses',
      [
        { title: 'Pass', kind: 'name' },
        { title: 'Node', kind: 'name' },
        { title: 'Operator', kind: 'short' },
        { title: 'Why not', kind: 'why' },
      ],
      nearMisses.slice(0, MOST_ROWS).map(({ pass, node, opType, reason }) => ({
        cells: [named(pass), named(node), named(opType), named(reason)],
      })),
    ),
  );
}

function shownOf(count: number, noun: string): string {
  if (count <= MOST_ROWS) return `${plural(count, noun)}.`;
  return `The first ${MOST_ROWS} of ${plural(count, noun)}; the JSON document has all.`;
}
