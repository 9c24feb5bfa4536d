import { formatBytes, formatCount, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { SparsityReport } from '../../report/sparsity-types.js';
import { patternPhrase, zeroShare } from '../../report/sparsity-words.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Rows without `-v`. */
const SHORT_LIST = 15;

/** Zeros, layer by layer, and the runtimes that can use them. */
export async function sparsityText(report: SparsityReport, options: TextOptions): Promise<string> {
  const { style } = options;
  const { elements, zeros, bytes, estimatedCompressedBytes, layers } = report;
  const size =
    estimatedCompressedBytes === undefined
      ? formatBytes(bytes)
      : `${formatBytes(bytes)}, about ${formatBytes(estimatedCompressedBytes)} with gzip`;
  const heading = `${style.bold('Zeros:')} ${zeroShare(zeros, elements)} of ${formatCount(elements)} weights of layers · ${size}`;
  const sparse = layers.filter(({ zeros: own }) => own > 0);
  if (sparse.length === 0) return wrapLine(heading, options.columns);
  const shown = options.verbosity > 0 ? layers : [...sparse].sort(byShare).slice(0, SHORT_LIST);
  const rows = shown.map((layer): readonly Cell[] => [
    safeText(layer.node),
    layer.opType,
    zeroShare(layer.zeros, layer.elements),
    patternPhrase(layer.pattern),
  ]);
  const titles = [
    { title: 'layer', flexible: true },
    { title: 'operator' },
    { title: 'zero', align: 'right' },
    { title: 'pattern', flexible: true },
  ] as const;
  const parts = [wrapLine(heading, options.columns), await renderTable(titles, rows, { ...options, indent: 2 })];
  const hidden = layers.length - shown.length;
  if (hidden > 0) parts.push(`  and ${plural(hidden, 'layer')} more: add -v`);
  parts.push(await runtimesText(report, options));
  return parts.join('\n');
}

/** Which runtimes skip zeros, in how many layers. */
export function runtimesText({ runtimes }: SparsityReport, options: TextOptions): Promise<string> {
  const rows = runtimes.map(({ name, layers, needs }): readonly Cell[] => [
    name,
    layers === 0 ? 'none' : plural(layers, 'layer'),
    needs,
  ]);
  const titles = [
    { title: 'runtime', flexible: true },
    { title: 'skips zeros of' },
    { title: 'needs', flexible: true },
  ] as const;
  return renderTable(titles, rows, { ...options, indent: 2 });
}

function byShare(a: { zeros: number; elements: number }, b: { zeros: number; elements: number }): number {
  return b.zeros / b.elements - a.zeros / a.elements;
}
