import type { LatencyReport, QuantileReport } from '../../bench/results.js';
import { formatLatency, formatLatencyRange, formatRateRange } from '../../report/bench-format.js';
import type { BenchReport, ConfigurationReport } from '../../report/bench-types.js';
import {
  coldStartSplit,
  isServer,
  memorySubtraction,
  noiseFindings,
  quantileRange,
  scenarioSentence,
  throughputUnit,
} from '../../report/bench-words.js';
import { formatBytes, formatInteger, formatPercent, formatRate, plural } from '../../report/format.js';
import { modelSizeBytes } from '../../report/model-size.js';
import { percentileName } from '../../report/percentile-name.js';
import { safeText } from '../../report/safe-text.js';
import { type BenchTextOptions, caution, fact } from './bench-layout.js';
import { profileText, providersText } from './bench-profile.js';
import { latencySparkline } from './sparkline.js';
import { type Cell, renderTable } from './table.js';
import { wrapLine } from './wrap.js';

/** Inputs named without `-v`. */
const SHORT_INPUTS = 4;
const SPARKLINE_CELLS = 40;
/** In a narrow terminal. */
const FEWEST_CELLS = 8;

/** All that is known of one configuration. */
export async function configurationText(
  configuration: ConfigurationReport,
  report: BenchReport,
  options: BenchTextOptions,
): Promise<string> {
  const { style, columns } = options;
  const { latency, error, profile } = configuration;
  const parts = [wrapLine(headline(configuration, report, options), columns)];
  parts.push(...fedLines(configuration, report, options.verbosity).map((text) => style.dim(wrapLine(text, columns))));
  if (error !== undefined) {
    parts.push('', wrapLine(`${style.failed} ${style.bold(error.code)} ${safeText(error.message)}`, columns));
  }
  if (latency !== undefined) parts.push('', await latencyText(latency, configuration, options));
  const facts = factLines(configuration, options);
  if (facts.length > 0) parts.push('', ...facts);
  if (profile !== undefined) parts.push('', await profileText(profile, options));
  const findings = noiseFindings(configuration);
  if (findings.length > 0) parts.push('', ...findings.map((text) => caution(text, options)));
  return parts.join('\n');
}

/** `model.onnx 25.1 MB · cpu · 2 threads · batch 1`. */
function headline(
  { label, model, executionProviders, threads, batchSize }: ConfigurationReport,
  { server }: BenchReport,
  { style }: BenchTextOptions,
): string {
  const facts: string[] = [];
  if (server !== undefined) facts.push(`${safeText(server.protocol, 40)} at ${safeText(server.url, 200)}`);
  const providers = executionProviders.map((name) => safeText(name, 40)).join(', then ');
  if (providers !== '') facts.push(providers);
  if (threads !== undefined && executionProviders.length > 0) facts.push(plural(threads, 'thread'));
  if (server === undefined) facts.push(`batch ${formatInteger(batchSize)}`);
  const said = ` ${label} `;
  const unsaid = facts.filter((text) => !said.includes(` ${text} `));
  const size = model === undefined ? '' : ` ${formatBytes(modelSizeBytes(model))}`;
  return [`${style.bold(safeText(label, 120))}${size}`, ...unsaid].join(' · ');
}

/** What was fed, and how requests came. */
function fedLines({ inputs, dims }: ConfigurationReport, report: BenchReport, verbosity: number): readonly string[] {
  const lines: string[] = [];
  if (inputs.length > 0) {
    const named = inputs.slice(0, SHORT_INPUTS).map(({ name, type }) => `${safeText(name, 60)} ${safeText(type, 80)}`);
    const more = inputs.length > named.length ? ` and ${formatInteger(inputs.length - named.length)} more` : '';
    // The types hold the sizes already; their names matter to whoever sets them.
    const sizes = verbosity > 0 ? dims.map(({ name, size }) => `${safeText(name, 40)}=${size}`).join(' ') : '';
    const from =
      report.source === 'synthetic' ? `synthetic, seed ${report.seed}` : `from ${safeText(report.source, 100)}`;
    lines.push(`fed ${named.join(', ')}${more}${sizes === '' ? '' : `, ${sizes}`} (${from})`);
  }
  return [...lines, scenarioSentence(report)];
}

/** Quantiles with their intervals, and how the latencies are spread. */
async function latencyText(
  latency: LatencyReport,
  configuration: ConfigurationReport,
  options: BenchTextOptions,
): Promise<string> {
  const processes = latency.processes.length;
  const fewer = latency.effectiveRuns < latency.runs;
  // Without bursts within a process it is the processes that differ, and only more of them would tell more.
  const differ = fewer && processes > 1 && latency.effectiveRuns < latency.runs / 4 && latency.autocorrelation < 0.3;
  const fresh = isServer(configuration) ? 'window' : differ ? 'process' : 'fresh process';
  const where = processes > 1 ? ` in ${plural(processes, fresh, fresh === 'window' ? 'windows' : `${fresh}es`)}` : '';
  const number = formatInteger(latency.effectiveRuns);
  const few = differ ? `, which differ: ${number} effective` : `, ${number} effective`;
  const worth = fewer ? few : '';
  const parts = [fact('Latency', `${plural(latency.runs, 'run')}${where}${worth}`, options)];
  parts.push(await quantilesTable(latency.quantiles, options));
  const spread = spreadLine(latency, configuration, options);
  if (spread !== undefined) parts.push(spread);
  if (options.verbosity > 0) {
    const { mild, severe } = latency.outliers;
    const { minMs, meanMs, maxMs } = latency;
    parts.push(
      `  min ${formatLatency(minMs)}, mean ${formatLatency(meanMs)}, max ${formatLatency(maxMs)}`,
      `  outliers ${formatInteger(mild)} mild, ${formatInteger(severe)} severe (kept); lag-1 autocorrelation ${latency.autocorrelation.toFixed(2)}`,
      wrapLine(
        `  p50 of each ${isServer(configuration) ? 'window' : 'process'}: ${latency.processes.map(({ p50Ms }) => formatLatency(p50Ms)).join(', ')}`,
        options.columns,
        4,
      ),
    );
    const { warmUp } = configuration;
    if (warmUp !== undefined) {
      parts.push(
        `  warm-up ${plural(warmUp.runs, 'run')}, ${formatLatency(warmUp.ms)}${warmUp.settled ? '' : ', not settled'}`,
      );
    }
  }
  return parts.join('\n');
}

export async function quantilesTable(quantiles: readonly QuantileReport[], options: BenchTextOptions): Promise<string> {
  const rows = quantiles.map((quantile): readonly Cell[] => {
    const range = quantileRange(quantile);
    const name = percentileName(quantile.probability);
    if (quantile.ms === undefined) return [name, '–', { text: quantile.why ?? 'unknown', style: 'dim' }];
    return [
      name,
      { text: formatLatency(quantile.ms), style: 'bold' },
      { text: range || (quantile.why ?? ''), style: 'dim' },
    ];
  });
  const titles = [
    { title: '' },
    { title: '', align: 'right' },
    { title: quantiles.some((each) => each.lowMs !== undefined) ? '95 % interval' : '' },
  ] as const;
  return renderTable(titles, rows, { ...options, indent: 2 });
}

/** `3.05 ms ▁▃▆█▇▅▃▂▁ 6.41 ms, 0.8 % beyond up to 18.2 ms`. */
function spreadLine(
  latency: LatencyReport,
  { segments = [] }: ConfigurationReport,
  { style, ascii, columns }: BenchTextOptions,
): string | undefined {
  const [p50, p90, p95, p99] = [0.5, 0.9, 0.95, 0.99].map(
    (wanted) => latency.quantiles.find(({ probability }) => probability === wanted)?.ms,
  );
  // A tail far out is said in words.
  const end =
    p50 === undefined || latency.maxMs <= 3 * p50
      ? latency.maxMs
      : Math.max(p95 ?? p90 ?? 2 * p50, Math.min(p99 ?? 0, 2 * p50));
  const draw = (cells: number): readonly [start: string, line: string, end: string] | undefined => {
    const line = latencySparkline(segments, cells, end, ascii);
    if (line === undefined) return undefined;
    const beyond = line.beyond > 0 ? `, ${formatPercent(line.beyond)} up to ${formatLatency(latency.maxMs)}` : '';
    return [`  ${formatLatency(line.lowMs)} `, line.text, ` ${formatLatency(line.highMs)}${beyond}`];
  };
  const full = draw(SPARKLINE_CELLS);
  const excess = full === undefined || columns === undefined ? 0 : full.join('').length - columns;
  const fitting = excess > 0 ? draw(Math.max(FEWEST_CELLS, SPARKLINE_CELLS - excess)) : full;
  if (fitting === undefined) return undefined;
  const [left, line, right] = fitting;
  return `${style.dim(left)}${style.cyan(line)}${style.dim(right)}`;
}

/** A word, a value and what belongs to it. */
type Fact = readonly [label: string, value: string, rest: string];

/** Throughput, memory, cold start, tokens, responses and providers: one line each, values under each other. */
function factLines(configuration: ConfigurationReport, options: BenchTextOptions): readonly string[] {
  const { style } = options;
  const facts = [...measuredFacts(configuration, options.verbosity), ...tokenFacts(configuration)];
  const widest = Math.max(0, ...facts.map(([, value]) => value.length));
  const lines = facts.map(([label, value, rest]) => {
    if (rest === '') return fact(label, style.bold(value), options);
    return fact(label, `${style.bold(value)}${' '.repeat(widest - value.length + 2)}${style.dim(rest)}`, options);
  });
  const { responses = [], providersUsed = [], executionProviders } = configuration;
  if (responses.length > 0) {
    const counts = responses.map(({ status, count }) => {
      const text = `${safeText(status, 60)}: ${formatInteger(count)}`;
      return /^(2\d\d|ok)$/i.test(status) ? text : style.yellow(text);
    });
    lines.push(fact('Responses', counts.join(' · '), options));
  }
  if (providersUsed.length > 0) lines.push(fact('Ran on', providersText(providersUsed, executionProviders), options));
  return lines;
}

function measuredFacts(configuration: ConfigurationReport, verbosity: number): readonly Fact[] {
  const { throughput, memory, coldStart } = configuration;
  const facts: Fact[] = [];
  if (throughput !== undefined) {
    const unit = throughputUnit(configuration);
    const { value, low, high } = throughput;
    const interval = low === undefined || high === undefined ? [] : [`95 %: ${formatRateRange(low, high, unit)}`];
    const what = configuration.batchSize > 1 ? ['samples'] : [];
    facts.push(['Throughput', formatRate(value, unit), [...what, ...interval].join(', ')]);
  }
  if (memory !== undefined) {
    facts.push(['Memory', formatBytes(memory.modelBytes), `over the bare runtime: ${memorySubtraction(memory)}`]);
  }
  if (coldStart !== undefined) {
    facts.push(['Cold start', formatLatency(coldStart.median.totalMs), coldStartSplit(coldStart.median)]);
    const totals = coldStart.starts.map((start) => start.totalMs);
    if (verbosity > 0 && totals.length > 0) {
      const span = formatLatencyRange(Math.min(...totals), Math.max(...totals));
      facts.push(['', '', `${plural(totals.length, 'start')}, ${span}; files in the system's cache`]);
    }
  }
  return facts;
}

/** What servers of completions count. */
function tokenFacts({ tokens }: ConfigurationReport): readonly Fact[] {
  if (tokens === undefined) return [];
  const [first, ...others] = tokens.firstTokenMs.flatMap(({ probability, ms }) =>
    ms === undefined ? [] : [{ name: percentileName(probability), value: formatLatency(ms) }],
  );
  const { value, low, high } = tokens.perSecond;
  const interval = low === undefined || high === undefined ? '' : `, 95 %: ${formatRateRange(low, high)}`;
  const rest = others.map((each) => `${each.name} ${each.value}`);
  return [
    ...(first === undefined ? [] : [['First token', first.value, [first.name, ...rest].join(', ')] as const]),
    ['Tokens', formatRate(value), `in one response${interval}; ${formatInteger(tokens.total)} in all`],
  ];
}
