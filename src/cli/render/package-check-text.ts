import { formatInteger } from '../../report/format.js';
import type { PackageCheckReport, PackageFinding } from '../../report/package-check-types.js';
import { checkedPhrase, countsPhrase, findingPlace } from '../../report/package-check-words.js';
import { safeText } from '../../report/safe-text.js';
import type { Style } from './style.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Findings that are shown; `--json` has all. */
const MOST_SHOWN = 200;

/** The answer of `serve-opt package check` for people: a place, what, why and what to do, by model. */
export function renderPackageCheck(report: PackageCheckReport, { style, columns }: TextOptions): string {
  const lines: string[] = [];
  let model: string | undefined;
  for (const finding of report.findings.slice(0, MOST_SHOWN)) {
    const owner = finding.path.split('/')[0] ?? '';
    if (model !== undefined && owner !== model && report.kind === 'triton repository') lines.push('');
    model = owner;
    const place = style.bold(findingPlace(report.checked, finding));
    lines.push(wrapLine(`${place}: ${severityWord(finding, style)}: ${safeText(finding.what)}`, columns));
    lines.push(wrapLine(`    ${safeText(finding.why)}`, columns, 4));
    lines.push(wrapLine(`    fix: ${safeText(finding.fix)}`, columns, 4));
  }
  const more = report.findings.length - MOST_SHOWN;
  if (more > 0) lines.push('', `… and ${formatInteger(more)} more: serve-opt package check --json lists all`);
  if (lines.length > 0) lines.push('');
  const sign = report.errors > 0 ? style.failed : report.warnings > 0 ? style.warning : style.ok;
  const notes = report.notes === 0 ? '' : `, ${report.notes} ${report.notes === 1 ? 'note' : 'notes'}`;
  lines.push(`${sign} ${checkedPhrase(report)}: ${countsPhrase(report)}${notes}`);
  return lines.join('\n');
}

function severityWord({ severity }: PackageFinding, style: Style): string {
  return severity === 'error'
    ? style.red(severity)
    : severity === 'warning'
      ? style.yellow(severity)
      : style.cyan(severity);
}
