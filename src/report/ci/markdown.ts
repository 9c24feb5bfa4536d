import { formatLatency } from '../bench-format.js';
import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import {
  coldStartSplit,
  frontSentence,
  noiseFindings,
  quantileOf,
  quantileRange,
  ratioChange,
  ratioRange,
  regressionReason,
  scenarioSentence,
  throughputUnit,
  verdictReasons,
} from '../bench-words.js';
import type { DistillReport } from '../distill-types.js';
import { formatBytes, formatInteger, formatPercent, formatRate, sentence } from '../format.js';
import type { ModelReport } from '../model-report.js';
import { percentileName } from '../percentile-name.js';
import { budgetsTable, VERDICT_SIGNS } from './markdown-budgets.js';
import { distillMarkdown } from './markdown-distill.js';
import { modelMarkdown } from './markdown-model.js';
import { markdownCode, markdownProse } from './markdown-text.js';
import { MarkdownWriter } from './markdown-writer.js';

/** GitHub refuses comments of more than 65,536 characters. */
export const MARKDOWN_COMMENT_BYTES = 65_000;
/** GitHub drops a step's summary above 1 MiB; other programs of the step may have written to it. */
export const MARKDOWN_SUMMARY_BYTES = 900_000;

/** By this an action can find its comment again and replace it. */
export const MARKDOWN_MARKER = '<!-- serve-opt bench -->';

/** Rows of a profile. */
const TOP_OPERATORS = 10;
const TOP_FINDINGS = 20;

/**
 * The report for a comment on a pull request or the summary of a step: the verdict, gates, what was measured, and how.
 * Names are code, so nothing of theirs is Markdown, HTML or a mention; rows beyond `maximumBytes` are cut and counted.
 */
export function markdownReport(
  report: BenchReport | ModelReport | DistillReport,
  maximumBytes = MARKDOWN_COMMENT_BYTES,
): string {
  if (report.command === 'distill') return distillMarkdown(report, maximumBytes);
  return report.command === 'bench' ? benchMarkdown(report, maximumBytes) : modelMarkdown(report, maximumBytes);
}

function benchMarkdown(report: BenchReport, maximumBytes: number): string {
  const page = new MarkdownWriter(maximumBytes);
  const { verdict } = report;
  page.block(MARKDOWN_MARKER);
  if (verdict === undefined) page.block('### serve-opt bench', '');
  else
    page.block(
      `### ${VERDICT_SIGNS[verdict]} serve-opt bench: ${verdict}`,
      '',
      `${sentence(verdictReasons(report))}`,
      '',
    );
  if (report.interrupted) page.block('> ⚠️ Interrupted: these are partial results.', '');
  budgetsTable(page, report.budgets, report.configurations.length > 1);
  regressions(page, report);
  configurations(page, report);
  if (report.suggestion !== undefined) {
    const { configuration, why } = report.suggestion;
    page.block(`Take ${markdownCode(configuration)}: ${markdownProse(why)}`, '');
  }
  cautions(page, report);
  for (const configuration of report.configurations) profile(page, configuration);
  circumstances(page, report);
  return page.text();
}

function regressions(page: MarkdownWriter, { regressions }: BenchReport): void {
  if (regressions.length === 0) return;
  const rows = regressions.map((each) => [
    VERDICT_SIGNS[each.verdict],
    `${markdownCode(each.configuration)} against ${each.kind === 'report' ? 'report ' : ''}${markdownCode(each.baseline)}`,
    each.ratio === undefined ? '–' : `**${ratioChange(each.ratio.value)}**`,
    ratioRange(each),
    markdownProse(regressionReason(each)),
  ]);
  const titles = [
    { title: '' },
    { title: 'baseline' },
    { title: 'latency', right: true },
    { title: '95 % interval' },
    { title: 'why' },
  ];
  page.table(titles, rows);
}

function configurations(page: MarkdownWriter, { configurations }: BenchReport): void {
  const [only] = configurations;
  if (configurations.length === 1 && only?.latency !== undefined) {
    quantiles(page, only);
    return;
  }
  if (configurations.length === 0) {
    page.block('Nothing was measured.', '');
    return;
  }
  const rows = configurations.map((each) => {
    const name = `${markdownCode(each.label)}${each.pareto ? ' ◆' : ''}`;
    const error =
      each.error === undefined ? '' : `<br>❌ ${markdownCode(each.error.code)} ${markdownProse(each.error.message)}`;
    return [
      name + error,
      quantileText(each, 0.5),
      quantileText(each, 0.99),
      each.throughput === undefined ? '–' : formatRate(each.throughput.value, throughputUnit(each)),
      each.memory === undefined ? '–' : formatBytes(each.memory.modelBytes),
      each.coldStart === undefined ? '–' : formatLatency(each.coldStart.median.totalMs),
    ];
  });
  const numbers = ['p50', 'p99', 'throughput', 'memory', 'cold start'].map((title) => ({ title, right: true }));
  page.table([{ title: 'configuration' }, ...numbers], rows);
  if (configurations.some(({ pareto }) => pareto)) {
    page.block(`◆ ${frontSentence(configurations)}`, '');
  }
}

/** One configuration: its quantiles with intervals, and the rest in a line. */
function quantiles(page: MarkdownWriter, configuration: ConfigurationReport): void {
  const { label, latency, error, throughput, memory, coldStart } = configuration;
  const facts: string[] = [];
  if (throughput !== undefined) {
    facts.push(`**${formatRate(throughput.value, throughputUnit(configuration))}**`);
  }
  if (memory !== undefined) facts.push(`**${formatBytes(memory.modelBytes)}** over the bare runtime`);
  if (coldStart !== undefined) {
    const { median } = coldStart;
    facts.push(`cold start **${formatLatency(median.totalMs)}** (${coldStartSplit(median)})`);
  }
  page.block(`${[markdownCode(label), ...facts].join(' · ')}`, '');
  if (error !== undefined) page.block(`❌ ${markdownCode(error.code)} ${markdownProse(error.message)}`, '');
  const rows = (latency?.quantiles ?? []).map((quantile) => [
    percentileName(quantile.probability),
    quantile.ms === undefined ? '–' : `**${formatLatency(quantile.ms)}**`,
    quantile.ms === undefined ? markdownProse(quantile.why ?? 'unknown') : quantileRange(quantile),
  ]);
  page.table([{ title: 'latency' }, { title: '', right: true }, { title: '95 % interval' }], rows);
}

function quantileText({ latency }: ConfigurationReport, probability: number): string {
  const ms = quantileOf(latency?.quantiles, probability)?.ms;
  return ms === undefined ? '–' : formatLatency(ms);
}

function cautions(page: MarkdownWriter, { configurations, warnings, notes }: BenchReport): void {
  const found = [
    ...warnings.map((text) => `- ⚠️ ${markdownProse(text)}`),
    ...configurations.flatMap((each) =>
      noiseFindings(each).map((text) =>
        configurations.length === 1 ? `- ⚠️ ${text}` : `- ⚠️ ${markdownCode(each.label)}: ${text}`,
      ),
    ),
    ...notes.map((text) => `- note: ${markdownProse(text)}`),
  ];
  if (found.length === 0) return;
  const shown = found.slice(0, TOP_FINDINGS);
  const more = found.length > shown.length ? [`- and ${formatInteger(found.length - shown.length)} more`] : [];
  page.block(...shown, ...more, '');
}

function profile(page: MarkdownWriter, { label, profile }: ConfigurationReport): void {
  if (profile === undefined) return;
  if (!page.block(`<details><summary>Operators by time</summary>`, '', markdownCode(label), '')) return;
  const rows = profile.operators
    .slice(0, TOP_OPERATORS)
    .map(({ opType, provider, nodes, msPerRun, share }) => [
      markdownCode(opType),
      markdownCode(provider),
      formatInteger(nodes),
      formatLatency(msPerRun),
      formatPercent(share),
    ]);
  const numbers = ['nodes', 'a run', 'share'].map((title) => ({ title, right: true }));
  page.table([{ title: 'operator' }, { title: 'on' }, ...numbers], rows);
  page.close('</details>', '');
}

/** How it was measured, folded away. */
function circumstances(page: MarkdownWriter, report: BenchReport): void {
  const { environment, configurations, server } = report;
  const runs = configurations.reduce((sum, { latency }) => sum + (latency?.runs ?? 0), 0);
  const lines = [
    `- ${scenarioSentence(report)}`,
    `- ${formatInteger(runs)} runs; inputs ${report.source === 'synthetic' ? `synthetic, seed ${report.seed}` : `from ${markdownCode(report.source)}`}`,
    ...(server === undefined ? [] : [`- server ${markdownCode(server.protocol)} at ${markdownCode(server.url)}`]),
    `- ${markdownCode(environment.cpuModel)}, ${formatInteger(environment.availableParallelism)} of ${formatInteger(environment.logicalCores)} cores to use, ${markdownCode(environment.os)} ${markdownCode(environment.architecture)}`,
    ...(environment.gpus ?? []).map(
      ({ name, driver }) => `- GPU ${markdownCode(name)}, driver ${markdownCode(driver)}`,
    ),
    `- serve-opt ${markdownCode(report.version)}${report.onnxRuntimeVersion === undefined ? '' : `, ONNX Runtime ${markdownCode(report.onnxRuntimeVersion)}`}, Node ${markdownCode(environment.nodeVersion)}`,
  ];
  page.block('<details><summary>How it was measured</summary>', '', ...lines, '', '</details>', '');
}
