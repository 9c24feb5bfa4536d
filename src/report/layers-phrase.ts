import { formatBytes, plural } from './format.js';
import type { LayerReport } from './types.js';

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

/** Code point order: the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
