import { formatLatency } from '../../report/bench-format.js';
import type { BenchReport } from '../../report/bench-types.js';
import { mainConfiguration, quantileOf, throughputUnit, verdictReasons } from '../../report/bench-words.js';
import { formatBytes, formatInteger, formatRate } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { configurationText } from './bench-configuration.js';
import { regressionsText, verdictText } from './bench-gates.js';
import { type BenchTextOptions, caution, fact } from './bench-layout.js';
import { configurationsTable } from './bench-table.js';
import { budgetsText } from './budgets-text.js';
import { wrapLine } from './wrap.js';

/** The answer of `serve-opt bench` for people: what was measured, how far it can be trusted, and the verdict last. */
export async function renderBench(report: BenchReport, options: BenchTextOptions): Promise<string> {
  const { configurations, suggestion, budgets, regressions } = report;
  const line = (text: string): string => wrapLine(text, options.columns);
  const parts: string[] = [];
  if (report.interrupted) parts.push(caution('interrupted: these are partial results', options), '');
  const [only] = configurations;
  if (configurations.length === 1 && only !== undefined) parts.push(await configurationText(only, report, options));
  else if (configurations.length > 1) {
    parts.push(await configurationsTable(report, options));
    if (options.verbosity > 0) {
      for (const each of configurations) parts.push('', await configurationText(each, report, options));
    }
  } else parts.push('Nothing was measured.');
  if (suggestion !== undefined) {
    const { style } = options;
    parts.push(
      '',
      line(
        `${style.cyan('→')} take ${style.bold(safeText(suggestion.configuration, 100))}: ${safeText(suggestion.why)}`,
      ),
    );
  }
  if (budgets.length > 0) parts.push('', await budgetsText(budgets, configurations.length > 1, options));
  if (regressions.length > 0) parts.push('', await regressionsText(report, options));
  if (options.verbosity > 0) parts.push('', environmentText(report, options));
  if (report.notes.length > 0) parts.push('', ...report.notes.map((note) => line(`note: ${safeText(note)}`)));
  if (report.verdict !== undefined) parts.push('', verdictText(report, options));
  return parts.join('\n');
}

/** `model.onnx · p50 4.20 ms · p99 6.10 ms · 238/s · 48.0 MB · pass`. */
export function benchSummary(report: BenchReport): string {
  const main = mainConfiguration(report);
  const parts: string[] = [];
  if (report.interrupted) parts.push('interrupted');
  if (report.configurations.length > 1) parts.push(`${report.configurations.length} configurations`);
  if (main !== undefined) {
    parts.push(main.label);
    for (const probability of [0.5, 0.99]) {
      const ms = quantileOf(main.latency?.quantiles, probability)?.ms;
      if (ms !== undefined) parts.push(`p${probability * 100} ${formatLatency(ms)}`);
    }
    if (main.throughput !== undefined) parts.push(formatRate(main.throughput.value, throughputUnit(main)));
    if (main.memory !== undefined) parts.push(formatBytes(main.memory.modelBytes));
    if (main.error !== undefined) parts.push(main.error.message);
  }
  if (report.verdict !== undefined) parts.push(`${report.verdict}: ${verdictReasons(report)}`);
  return parts.length === 0 ? 'nothing was measured' : parts.join(' · ');
}

/** The machine, for whoever compares two reports. */
function environmentText({ environment, version, onnxRuntimeVersion }: BenchReport, options: BenchTextOptions): string {
  const { logicalCores, availableParallelism, cpuQuota, governor, loadAverage, gpus = [] } = environment;
  const cpu = [
    safeText(environment.cpuModel, 100),
    `${formatInteger(logicalCores)} logical cores, ${formatInteger(availableParallelism)} to use`,
    ...(cpuQuota === undefined ? [] : [`quota of ${cpuQuota}`]),
    ...(governor === undefined ? [] : [`governor ${safeText(governor, 40)}`]),
    `load ${loadAverage.toFixed(2)}`,
  ];
  const software = [
    safeText(environment.os, 100),
    safeText(environment.architecture, 40),
    `Node ${safeText(environment.nodeVersion, 40)}`,
    ...(onnxRuntimeVersion === undefined ? [] : [`ONNX Runtime ${safeText(onnxRuntimeVersion, 40)}`]),
    `serve-opt ${safeText(version, 40)}`,
  ];
  const lines = [
    fact('Machine', `${cpu.join(' · ')} · ${formatBytes(environment.memoryBytes)}`, options),
    ...gpus.map(({ name, driver, memoryBytes }) =>
      fact(
        'GPU',
        `${safeText(name, 100)} · driver ${safeText(driver, 40)}${memoryBytes === undefined ? '' : ` · ${formatBytes(memoryBytes)}`}`,
        options,
      ),
    ),
    fact('Software', software.join(' · '), options),
    fact('Clock', `reading it costs ${formatLatency(environment.timerUs / 1000)}`, options),
  ];
  return lines.join('\n');
}
