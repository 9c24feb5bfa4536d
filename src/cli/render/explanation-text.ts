import { plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { OptimizeReport } from '../../report/types.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Nodes named for one reason without `-v`. */
const SHORT_LIST = 5;
/** Rewrites of a pass shown without `-v` when all passes are explained. */
const SHORT_REWRITES = 20;
const NAME_LENGTH = 120;

/** Each rewrite and each near miss with the condition that failed, pass by pass. `pass` is one of them, or '' for all. */
export function explanationText(report: OptimizeReport, pass: string, options: TextOptions): string {
  const rewrites = groupBy(report.rewrites ?? [], (each) => each.pass);
  const nearMisses = groupBy(report.nearMisses ?? [], (each) => each.pass);
  const names = pass === '' ? [...new Set([...rewrites.keys(), ...nearMisses.keys()])] : [pass];
  if (names.length === 0) return 'No pass found anything to change, nor a near miss.';
  const line = (text: string): string => wrapLine(`  ${text}`, options.columns, 4);
  const parts = names.map((name) => {
    const made = rewrites.get(name) ?? [];
    const missed = nearMisses.get(name) ?? [];
    const lines = [`${options.style.bold(name)}: ${plural(made.length, 'rewrite')}`];
    const listed = options.verbosity > 0 || pass !== '' ? made : made.slice(0, SHORT_REWRITES);
    for (const rewrite of listed) lines.push(line(rewriteText(rewrite)));
    if (listed.length < made.length) lines.push(line(`and ${made.length - listed.length} more: add -v`));
    for (const [reason, misses] of groupBy(missed, (each) => each.reason)) {
      const shown = options.verbosity > 0 ? misses : misses.slice(0, SHORT_LIST);
      const nodes = shown.map(({ opType, node }) => `${opType} ${safeText(node, NAME_LENGTH)}`).join(', ');
      const more = misses.length > shown.length ? ` and ${misses.length - shown.length} more` : '';
      lines.push(line(`${options.style.yellow('not')} ${nodes}${more}: ${safeText(reason)}`));
    }
    if (made.length + missed.length === 0) lines.push(line('nothing is similar to its pattern'));
    return lines.join('\n');
  });
  return parts.join('\n');
}

/** `Conv a + Relu b → FusedConv a (2 consumers moved)`. */
function rewriteText({ nodes, into, detail }: NonNullable<OptimizeReport['rewrites']>[number]): string {
  const name = ({ opType, label }: { readonly opType: string; readonly label: string }): string =>
    `${opType} ${safeText(label, NAME_LENGTH)}`;
  const arrow = into === undefined ? '' : ` → ${name(into)}`;
  return `${nodes.map(name).join(' + ')}${arrow}${detail === undefined ? '' : ` (${safeText(detail)})`}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
