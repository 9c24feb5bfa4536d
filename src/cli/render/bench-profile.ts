import { formatLatency } from '../../report/bench-format.js';
import { shortProvider } from '../../report/bench-words.js';
import { formatInteger, formatPercent, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { NodeTime, OperatorTime, ProfileReport, ProviderUse } from '../../runtime/profile.js';
import type { BenchTextOptions } from './bench-layout.js';
import { shareBar } from './sparkline.js';
import { type Cell, renderTable } from './table.js';

/** Rows of operators, and of nodes with `-v`. */
const TOP = 10;
const BAR_CELLS = 16;

/** `CUDA 120 nodes · CPU 3 nodes`: names as ONNX Runtime has them, without what all share. */
export function providersText(used: readonly ProviderUse[], asked: readonly string[]): string {
  const words = used.map(({ provider, nodes }) => `${providerName(provider)} ${plural(nodes, 'node')}`);
  const onCpuOnly = used.every(({ provider, nodes }) => nodes === 0 || provider === 'CPUExecutionProvider');
  const inVain =
    onCpuOnly && asked.length > 0 && !asked.includes('cpu') ? ': nothing ran on the requested provider' : '';
  return words.join(' · ') + inVain;
}

function providerName(provider: string): string {
  return safeText(shortProvider(provider), 40);
}

/** Operators by time; with `-v` the slowest nodes too. */
export async function profileText(profile: ProfileReport, options: BenchTextOptions): Promise<string> {
  const { style, verbosity } = options;
  const several = profile.providers.length > 1;
  const parts = [
    `${style.bold('Profile')} of ${plural(profile.runs, 'run')}, operators by time`,
    await timesTable(
      profile.operators,
      'operator',
      ({ opType, nodes }: OperatorTime) => [opType, formatInteger(nodes)],
      several,
      options,
    ),
  ];
  const hidden = profile.operators.length - TOP;
  if (hidden > 0) parts.push(`  and ${formatInteger(hidden)} more`);
  if (verbosity > 0 && profile.nodes.length > 0) {
    parts.push('', `${style.bold('Slowest nodes')}`);
    parts.push(
      await timesTable(profile.nodes, 'node', ({ name, opType }: NodeTime) => [name, opType], several, options),
    );
  }
  return parts.join('\n');
}

async function timesTable<T extends OperatorTime | NodeTime>(
  times: readonly T[],
  what: 'operator' | 'node',
  names: (time: T) => readonly [string, string],
  withProvider: boolean,
  options: BenchTextOptions,
): Promise<string> {
  const rows = times
    .slice(0, TOP)
    .map((time): readonly Cell[] => [
      ...names(time),
      ...(withProvider ? [providerName(time.provider)] : []),
      formatLatency(time.msPerRun),
      formatPercent(time.share),
      { text: shareBar(time.share, BAR_CELLS, options.ascii), style: 'cyan' },
    ]);
  const titles = [
    { title: what, flexible: true },
    what === 'operator' ? ({ title: 'nodes', align: 'right' } as const) : { title: 'operator', flexible: true },
    ...(withProvider ? [{ title: 'on' }] : []),
    { title: 'a run', align: 'right' } as const,
    { title: 'share', align: 'right' } as const,
    { title: '' },
  ];
  return renderTable(titles, rows, { ...options, indent: 2 });
}
