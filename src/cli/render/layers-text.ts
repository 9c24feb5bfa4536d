import type { FloatLayerReport, LayerReport } from '../../report/types.js';
import { formatBytes, plural } from './format.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';

/** Rows shown without `-v`. */
const SHORT_LIST = 12;

/** `10 layers (Conv 6, MatMul 4) with 4.2 MB of weights`. */
export function layersPhrase(layers: readonly LayerReport[]): string {
  if (layers.length === 0) return 'nothing';
  const counts = new Map<string, number>();
  for (const layer of layers) counts.set(layer.opType, (counts.get(layer.opType) ?? 0) + 1);
  const parts = [...counts]
    .sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]))
    .map(([type, count]) => `${type} ${count}`);
  const bytes = layers.reduce((sum, layer) => sum + layer.weightBytes, 0);
  return `${plural(layers.length, 'layer')} (${parts.join(', ')}) with ${formatBytes(bytes)} of weights`;
}

/** A table of what stays in float and why: by reason, or layer by layer with `-v`. */
export async function floatLayersTable(layers: readonly FloatLayerReport[], options: TextOptions): Promise<string> {
  const rows = options.verbosity > 0 ? layers.map(layerRow) : reasonRows(layers);
  const first = options.verbosity > 0 ? 'layer' : 'layers';
  const titles = [
    { title: first, flexible: true },
    { title: 'operator' },
    { title: 'weights', align: 'right' },
    { title: 'why', flexible: true },
  ] as const;
  return renderTable(titles, rows, { ...options, indent: 2 });
}

function layerRow(layer: FloatLayerReport): readonly Cell[] {
  return [layer.name, layer.opType, formatBytes(layer.weightBytes), layer.reason];
}

/** One row for each operator and reason, the heaviest first. */
function reasonRows(layers: readonly FloatLayerReport[]): readonly (readonly Cell[])[] {
  const groups = new Map<string, { opType: string; reason: string; names: string[]; weightBytes: number }>();
  for (const { name, opType, reason, weightBytes } of layers) {
    const key = JSON.stringify([opType, reason]);
    const group = groups.get(key) ?? { opType, reason, names: [], weightBytes: 0 };
    group.names.push(name);
    group.weightBytes += weightBytes;
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.weightBytes - a.weightBytes || b.names.length - a.names.length);
  const rows: (readonly Cell[])[] = sorted
    .slice(0, SHORT_LIST)
    .map((group): readonly Cell[] => [
      group.names.length === 1 ? (group.names[0] ?? '') : String(group.names.length),
      group.opType,
      formatBytes(group.weightBytes),
      group.reason,
    ]);
  const hidden = sorted.length - rows.length;
  if (hidden > 0) rows.push([`and ${plural(hidden, 'reason')} more: add -v`, '', '', '']);
  return rows;
}

/** Code point order: the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
