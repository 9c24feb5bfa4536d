import { formatBytes, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { FloatLayerReport } from '../../report/types.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Lines shown without `-v`. */
const SHORT_LIST = 12;

/** What stays in float and why: by reason, or layer by layer with `-v`. Not a table: the reason must not be cut. */
export function floatLayersText(layers: readonly FloatLayerReport[], options: TextOptions): string {
  const lines =
    options.verbosity > 0
      ? layers.map(({ name, opType, weightBytes, reason }) => layerLine(`${name} (${opType})`, weightBytes, reason))
      : reasonLines(layers);
  return lines.map((line) => wrapLine(`  ${line}`, options.columns, 4)).join('\n');
}

function layerLine(what: string, weightBytes: number, reason: string): string {
  const size = weightBytes > 0 ? `, ${formatBytes(weightBytes)}` : '';
  return safeText(`${what}${size}: ${reason}`);
}

/** One line for each operator and reason, the heaviest first. Reasons that differ in a name only count as one. */
function reasonLines(layers: readonly FloatLayerReport[]): readonly string[] {
  const groups = new Map<string, { first: FloatLayerReport; count: number; weightBytes: number }>();
  for (const layer of layers) {
    const key = JSON.stringify([layer.opType, withoutNames(layer.reason)]);
    const group = groups.get(key) ?? { first: layer, count: 0, weightBytes: 0 };
    group.count++;
    group.weightBytes += layer.weightBytes;
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.weightBytes - a.weightBytes || b.count - a.count);
  const lines = sorted
    .slice(0, SHORT_LIST)
    .map(({ first, count, weightBytes }) =>
      count === 1
        ? layerLine(`${first.name} (${first.opType})`, weightBytes, first.reason)
        : layerLine(`${count} × ${first.opType}`, weightBytes, withoutNames(first.reason)),
    );
  const hidden = sorted.length - lines.length;
  if (hidden > 0) lines.push(`and ${plural(hidden, 'reason')} more: add -v`);
  return lines;
}

function withoutNames(reason: string): string {
  return reason.replace(/"[^"]*"/g, '"…"');
}
