import { formatLatency } from '../bench-format.js';
import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import { throughputUnit } from '../bench-words.js';
import { formatRate } from '../format.js';
import { percentileName } from '../percentile-name.js';
import { configurationBody, configurationFigures } from './bench-configuration.js';
import { environmentSection } from './bench-environment.js';
import { regressionsSection } from './bench-gates.js';
import { errorNotice, headline } from './bench-headline.js';
import type { Density } from './bench-latency.js';
import { overviewSection } from './bench-overview.js';
import { scenarioName, subjectOf } from './bench-subject.js';
import { budgetsSection } from './budgets-section.js';
import { configurationId } from './configuration-id.js';
import { figureText } from './figures.js';
import { element, type Markup } from './markup.js';
import { eyebrow, notesSection } from './model-change.js';
import { page } from './page.js';
import { contents, foldable, keyFigures, named, section } from './parts.js';

/** The more configurations, the less of each is drawn, so that the page stays small: the first row that fits counts. */
const DENSITIES: readonly (Density & { readonly upTo: number })[] = [
  { upTo: 12, mostBins: 60, curvePoints: 240, isWide: true, columnWidth: 1, profileRows: 15, starts: 12 },
  { upTo: 30, mostBins: 36, curvePoints: 80, isWide: false, columnWidth: 2, profileRows: 6, starts: 5 },
  {
    upTo: Number.POSITIVE_INFINITY,
    mostBins: 24,
    curvePoints: 60,
    isWide: false,
    columnWidth: 4,
    profileRows: 4,
    starts: 3,
  },
];

const HOW_JUDGED =
  'A budget is held or broken only where the runs show it with 95 % confidence; otherwise it is inconclusive.';

/**
 * The report of `bench` as one page that stands alone: no scripts, nothing loaded, light or dark as the reader likes. The
 * same report gives the same bytes.
 */
export function benchHtml(report: BenchReport): string {
  const { configurations, budgets, regressions, scenario, notes, verdict } = report;
  const isSingle = configurations.length === 1;
  const subject = subjectOf(report);
  const parts = [
    { id: 'budgets', title: 'Budgets', part: budgetsSection(budgets, !isSingle, HOW_JUDGED) },
    { id: 'regression', title: 'Against the baseline', part: regressionsSection(regressions) },
    { id: 'overview', title: 'Configurations', part: overviewSection(report) },
    { id: 'details', title: isSingle ? 'Measurements' : 'Each configuration', part: detailsSection(report) },
    { id: 'environment', title: 'Machine and method', part: environmentSection(report) },
    {
      id: 'notes',
      title: 'Notes',
      part: notesSection(notes),
    },
  ].filter(({ part }) => part !== undefined);
  return page(
    `${subject} – serve-opt bench${verdict === undefined ? '' : `: ${verdict}`}`,
    element(
      'header',
      {},
      eyebrow('bench', report),
      element('h1', {}, named(subject)),
      element('p', { class: 'subject' }, subjectLine(report, subject), scenarioName(scenario)),
      headline(report),
      isSingle ? configurations.map((configuration) => keyFigures(configurationFigures(configuration))) : undefined,
      contents(parts),
    ),
    parts.map(({ part }) => part),
    footer(),
  );
}

/** What the heading leaves open: where a server is, how a single model was run. */
function subjectLine({ server, configurations }: BenchReport, subject: string): readonly (Markup | string)[] {
  if (server !== undefined) return [named(server.url), ` · ${server.protocol} · `];
  const [only, ...others] = configurations;
  if (only === undefined || others.length > 0 || only.label === subject) return [];
  return [named(only.label), ' · '];
}

function detailsSection({ configurations, budgets }: BenchReport): Markup | undefined {
  const [only, ...others] = configurations;
  const density = DENSITIES.find(({ upTo }) => configurations.length <= upTo);
  if (only === undefined || density === undefined) return undefined;
  if (others.length === 0) return section('details', 'Measurements', configurationBody(only, budgets, density));
  return section(
    'details',
    'Each configuration',
    configurations.map((configuration, i) =>
      foldable(
        configurationId(i),
        i === 0,
        [element('b', {}, named(configuration.label)), element('span', {}, summaryText(configuration))],
        errorNotice(configuration),
        keyFigures(configurationFigures(configuration)),
        configurationBody(configuration, budgets, density),
      ),
    ),
  );
}

function summaryText(configuration: ConfigurationReport): string {
  const { latency, throughput } = configuration;
  if (latency === undefined) return 'not measured';
  const parts = latency.quantiles
    .filter(({ probability }) => probability === 0.5 || probability === 0.99)
    .map(({ probability, ms }) => `${percentileName(probability)} ${figureText(ms, formatLatency)}`);
  if (throughput !== undefined)
    parts.push(figureText(throughput.value, (value) => formatRate(value, throughputUnit(configuration))));
  return parts.join(' · ');
}

function footer(): Markup {
  return element(
    'footer',
    {},
    element(
      'p',
      {},
      'Percentiles are by nearest rank on the samples as they came; their 95 % intervals come from order statistics and assume no distribution. Times are wall-clock times that a caller sees, copies of inputs and outputs included.',
    ),
    element('p', {}, 'This page loads nothing and runs nothing.'),
  );
}
