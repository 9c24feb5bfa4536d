import { formatBytes, plural } from '../../report/format.js';
import type { DiffLine } from '../../report/line-diff.js';
import { safeText } from '../../report/safe-text.js';
import type { TritonReport } from '../../report/triton-types.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Lines of a configuration that are shown without `-v`. */
const SHORT_CONFIG = 60;
/** Unchanged lines around a change. */
const CONTEXT = 2;

/** The answer of `serve-opt package triton` for people. */
export function renderTriton(report: TritonReport, options: TextOptions): string {
  const { style, columns } = options;
  const parts = [
    `${style.bold(`${safeText(report.output, 200).replace(/\/$/, '')}/`)}${report.written ? '' : style.dim('  (nothing is written)')}`,
    ...tree(report, options),
    '',
  ];
  const isNew = report.changes.some(({ entry, change }) => entry === 'config.pbtxt' && change === 'new');
  if (report.configDiff !== undefined) {
    parts.push(style.bold('config.pbtxt, as it would change:'), ...diffText(report.configDiff, options), '');
  } else if (isNew) parts.push(style.bold('config.pbtxt:'), ...configText(report.config, options), '');
  else parts.push('config.pbtxt stays as it is.', '');
  for (const note of report.notes) parts.push(wrapLine(`note: ${safeText(note)}`, columns));
  if (report.notes.length > 0) parts.push('');
  parts.push(style.bold('Start a server:'));
  for (const line of report.serverCommand.split('\n')) parts.push(`  ${safeText(line)}`);
  return parts.join('\n');
}

interface Branch {
  readonly folders: Map<string, Branch>;
  readonly leaves: Map<string, string>;
}

function tree(report: TritonReport, { style }: TextOptions): string[] {
  const root: Branch = { folders: new Map(), leaves: new Map() };
  const add = (path: string, detail: string): void => {
    const parts = path.split('/');
    const last = parts.pop() ?? '';
    let at = root;
    for (const part of parts) {
      const next = at.folders.get(part) ?? { folders: new Map(), leaves: new Map() };
      at.folders.set(part, next);
      at = next;
    }
    at.leaves.set(last, detail);
  };
  for (const { path, sizeBytes, linked } of report.files)
    add(path, `${formatBytes(sizeBytes)}${linked ? ', linked' : ''}`);
  for (const { entry, change } of report.changes) {
    const path = `${report.name}/${entry}`;
    if (report.files.some((file) => file.path === path || file.path.startsWith(`${path}/`))) continue;
    // An ensemble has nothing in its version; what is refused has no files to list.
    if (report.files.length > 0 && entry === String(report.modelVersion)) add(`${path}/`, 'empty');
    else add(path, change);
  }
  for (const version of report.versions)
    if (version !== report.modelVersion) add(`${report.name}/${version}/`, 'as it was');
  return branchLines(root, '', style.dim);
}

function branchLines({ folders, leaves }: Branch, indent: string, dim: (text: string) => string): string[] {
  const entries: [name: string, detail: string | Branch][] = [...folders, ...leaves];
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return entries.flatMap(([name, detail], index) => {
    const isLast = index === entries.length - 1;
    const head = `${indent}${isLast ? '└─ ' : '├─ '}`;
    if (typeof detail === 'string')
      return [name === '' ? `${head}${dim(detail)}` : `${head}${safeText(name, 100)}  ${dim(detail)}`];
    const only = [...detail.leaves];
    // A folder of which only its state is told.
    if (detail.folders.size === 0 && only.length === 1 && only[0]?.[0] === '')
      return [`${head}${safeText(name, 100)}/  ${dim(only[0][1])}`];
    return [`${head}${safeText(name, 100)}/`, ...branchLines(detail, `${indent}${isLast ? '   ' : '│  '}`, dim)];
  });
}

function configText(config: string, { verbosity, style }: TextOptions): string[] {
  const lines = config.trimEnd().split('\n');
  const shown = verbosity > 0 ? lines : lines.slice(0, SHORT_CONFIG);
  const more = lines.length - shown.length;
  return [
    ...shown.map((line) => `  ${safeText(line)}`),
    ...(more > 0 ? [style.dim(`  and ${plural(more, 'line')} more: add -v`)] : []),
  ];
}

/** A comparison of texts with the lines around each change. */
export function diffText(lines: readonly DiffLine[], { style }: Pick<TextOptions, 'style'>): string[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== 'same'),
  );
  return lines.flatMap(({ kind, text }, at) => {
    if (!near[at]) return near[at - 1] ? [style.dim('  …')] : [];
    const line = safeText(text);
    if (kind === 'removed') return [style.red(`- ${line}`)];
    return kind === 'added' ? [style.green(`+ ${line}`)] : [`  ${line}`];
  });
}
