import type { BudgetReport } from '../../gates/budget-report.js';
import { formatLatency } from '../bench-format.js';
import type { ColdStartReport, ConfigurationReport } from '../bench-types.js';
import { COLD_START_PARTS, quantileOf, throughputUnit } from '../bench-words.js';
import { formatBytes, formatInteger, formatPercent, formatRate, plural } from '../format.js';
import { modelSizeBytes } from '../model-size.js';
import { percentileName } from '../percentile-name.js';
import { timeUnit } from '../svg/chart.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { stackedBars } from '../svg/stacked-bars.js';
import { conditionsPart } from './bench-environment.js';
import { type Density, latencyPart } from './bench-latency.js';
import { profilePart, providersPart } from './bench-profile.js';
import { figureText, intervalDetail, intervalText, isFigure, MISSING, quantileDetail } from './figures.js';
import { type Child, element, fragment, type Markup } from './markup.js';
import { fileRows } from './model-change.js';
import { figure, type KeyFigure, keyValues, named, table } from './parts.js';

/** The numbers to see first of a configuration. */
export function configurationFigures(configuration: ConfigurationReport): readonly KeyFigure[] {
  const { latency, throughput, coldStart, memory, model, tokens } = configuration;
  const figures: KeyFigure[] = [];
  for (const probability of [0.5, 0.99]) {
    const quantile = quantileOf(latency?.quantiles, probability);
    if (quantile === undefined) continue;
    figures.push({
      name: `${percentileName(probability)} latency`,
      value: figureText(quantile.ms, formatLatency),
      detail: quantileDetail(quantile),
    });
  }
  const firstToken = tokens?.firstTokenMs[0];
  if (firstToken !== undefined) {
    figures.push({
      name: `${percentileName(firstToken.probability)} time to first token`,
      value: figureText(firstToken.ms, formatLatency),
      detail: quantileDetail(firstToken),
    });
  }
  if (throughput !== undefined) {
    figures.push({
      name: 'Throughput',
      value: figureText(throughput.value, (value) => formatRate(value, throughputUnit(configuration))),
      detail: intervalDetail(throughput.low, throughput.high, '/s'),
    });
  }
  if (coldStart !== undefined) {
    figures.push({
      name: 'Cold start',
      value: figureText(coldStart.median.totalMs, formatLatency),
      detail: `median of ${formatInteger(coldStart.starts.length)}`,
    });
  }
  if (memory !== undefined) {
    figures.push({
      name: 'Peak memory',
      value: figureText(memory.peakBytes, formatBytes),
      detail: `${figureText(memory.modelBytes, formatBytes)} for the model`,
    });
  }
  if (model !== undefined) {
    figures.push({ name: 'Model size', value: figureText(modelSizeBytes(model), formatBytes) });
  }
  return figures;
}

/** All that is known of a configuration. */
export function configurationBody(
  configuration: ConfigurationReport,
  budgets: readonly BudgetReport[],
  density: Density,
): Markup {
  const { label, profile } = configuration;
  const own = budgets.filter((budget) => budget.configuration === label);
  return fragment(
    latencyPart(configuration, own, density),
    tokensPart(configuration),
    responsesPart(configuration),
    coldStartPart(label, configuration.coldStart, density.starts),
    providersPart(configuration.providersUsed ?? profile?.providers),
    profilePart(label, profile, density.profileRows),
    conditionsPart(configuration),
    setupPart(configuration),
  );
}

function coldStartPart(label: string, coldStart: ColdStartReport | undefined, most: number): Markup | undefined {
  if (coldStart === undefined) return undefined;
  const { starts, median } = coldStart;
  const shown = starts.slice(0, most);
  const bars = [
    { name: 'median', values: COLD_START_PARTS.map(([, key]) => median[key]), total: median.totalMs, isMain: true },
    ...shown.map((start, i) => ({ name: `start ${i + 1}`, values: COLD_START_PARTS.map(([, key]) => start[key]) })),
  ];
  const unit = timeUnit(starts.reduce((most, { totalMs }) => (isFigure(totalMs) ? Math.max(most, totalMs) : most), 0));
  const more =
    starts.length > shown.length ? ` The first ${shown.length} of ${formatInteger(starts.length)} are drawn.` : '';
  return fragment(
    element('h3', {}, 'Cold start'),
    element(
      'div',
      { class: 'charts' },
      figure(
        'From process start to the first inference',
        `${plural(starts.length, 'start')} in fresh processes; files were in the system’s cache.${more}`,
        stackedBars({
          label: `Cold starts of ${label} by part`,
          parts: COLD_START_PARTS.map(([name]) => name),
          bars,
          format: formatLatency,
          axis: { name: unit.name, format: unit.format },
        }),
      ),
      element(
        'div',
        {},
        table(
          'Parts of a cold start',
          [
            { title: 'Part' },
            { title: 'Median', kind: 'number' },
            { title: 'Least', kind: 'number' },
            { title: 'Most', kind: 'number' },
          ],
          [...COLD_START_PARTS, ['total', 'totalMs'] as const].map(([name, key]) => {
            const values = starts.map((start) => start[key]).filter(isFigure);
            const end = (value: number): string => (values.length === 0 ? MISSING : formatLatency(value));
            return {
              cells: [name, figureText(median[key], formatLatency), end(Math.min(...values)), end(Math.max(...values))],
            };
          }),
        ),
      ),
    ),
  );
}

function tokensPart({ tokens }: ConfigurationReport): Markup | undefined {
  if (tokens === undefined) return undefined;
  return fragment(
    element('h3', {}, 'Tokens'),
    keyValues([
      ['Tokens received', figureText(tokens.total, formatInteger)],
      ['Tokens per second of one response', figureText(tokens.perSecond.value, formatRate)],
      ['95 % interval', intervalText(tokens.perSecond.low, tokens.perSecond.high, '/s')],
    ]),
    table(
      'Time to the first token',
      [
        { title: 'Time to first token' },
        { title: 'Measured', kind: 'number' },
        { title: '95 % interval', kind: 'number' },
        ...(tokens.firstTokenMs.some(({ why }) => why !== undefined) ? [{ title: '', kind: 'why' as const }] : []),
      ],
      tokens.firstTokenMs.map(({ probability, ms, lowMs, highMs, why }) => ({
        cells: [
          percentileName(probability),
          figureText(ms, formatLatency),
          intervalText(lowMs, highMs, 'ms') ?? MISSING,
          ...(why === undefined ? [] : [named(why)]),
        ],
      })),
    ),
  );
}

function responsesPart({ label, responses }: ConfigurationReport): Markup | undefined {
  if (responses === undefined || responses.length === 0) return undefined;
  const total = responses.reduce((sum, { count }) => sum + count, 0);
  const bars = [...responses]
    .sort((a, b) => b.count - a.count)
    .map(({ status, count }) => {
      const share = total > 0 ? count / total : 0;
      return { name: status, value: `${formatInteger(count)} · ${formatPercent(share)}`, share, group: status };
    });
  return fragment(
    element('h3', {}, 'Responses'),
    element(
      'div',
      { class: 'charts' },
      figure(
        'By status',
        `${plural(total, 'response')}. Failed ones count as over every budget.`,
        rankedBars(`Responses of ${label} by status`, bars, bars.length > 1 ? [bars[0]?.name ?? ''] : []),
      ),
    ),
  );
}

function setupPart(configuration: ConfigurationReport): Markup {
  const { model, executionProviders, threads, batchSize, dims, inputs } = configuration;
  return fragment(
    element('h3', {}, 'Set-up'),
    keyValues([
      ['Providers requested', executionProviders.length === 0 ? undefined : named(executionProviders.join(', '))],
      ['Threads', threads === undefined ? undefined : formatInteger(threads)],
      ['Batch size', figureText(batchSize, formatInteger)],
      ...dims.map(({ name, size }): readonly [string, Child] => [`Dimension ${name}`, figureText(size, formatInteger)]),
    ]),
    keyValues(
      [
        ...inputs.map(({ name, type }): readonly [string, Child] => [`Input ${name}`, named(type)]),
        ...(model === undefined ? [] : fileRows('File', model)),
      ],
      true,
    ),
  );
}
