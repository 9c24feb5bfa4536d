import { formatBytes, formatDuration, plural } from '../../report/format.js';
import type { KubernetesPackageReport } from '../../report/kubernetes-types.js';
import { safeText } from '../../report/safe-text.js';
import { shellWord } from '../../targets/shell-word.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

type TextFile = { readonly path: string; readonly text: string };

/** What was written, what a pod asks for and why, and what is left to do. */
export function renderKubernetes(
  report: KubernetesPackageReport,
  files: readonly TextFile[],
  { style, columns, verbosity }: TextOptions,
): string {
  const { resources, replicas, startup, measurements } = report;
  const pods =
    replicas.minimum === replicas.maximum ? `${replicas.minimum}` : `${replicas.minimum} to ${replicas.maximum}`;
  const lines = [
    style.bold(`${safeText(report.output.replace(/\/$/, ''))}/`),
    ...files.map(({ path }) => `  ${safeText(path)}`),
    ...report.removed.map((path) =>
      style.dim(`  ${safeText(path)} (${report.written ? 'removed' : 'would be removed'})`),
    ),
    '',
    `${style.bold('Pods')}    ${pods}: CPU ${resources.cpuCores}, memory ${mebibytes(resources.memoryRequestBytes)}, limit ${mebibytes(resources.memoryLimitBytes)}${resources.gpus > 0 ? `, ${plural(resources.gpus, 'GPU')}` : ''}`,
    `${style.bold('Start')}   expected in ${startup.expectedSeconds} s, allowed ${startup.allowedSeconds} s more`,
    ...measurements.models.map(
      (model) =>
        `${style.bold('Model')}   ${safeText(model.name, 40)}: loads in ${formatDuration(model.sessionMs)}, takes ${formatBytes(model.modelBytes)}, p50 ${formatDuration(model.p50Ms)}`,
    ),
    style.dim(`        ${measurements.kind}: ${safeText(measurements.source)}`),
    '',
    style.bold('Before you apply it'),
    ...report.todo.flatMap((each) => bullet(plainText(each), columns)),
    ...report.notes.flatMap((each) => ['', wrapLine(safeText(each), columns)]),
  ];
  if (verbosity > 0) lines.push('', manifestStream(files).trimEnd());
  return lines.join('\n');
}

/** All objects as one stream of YAML documents, for `kubectl apply -f -`. */
export function manifestStream(files: readonly TextFile[]): string {
  return files
    .filter(({ path }) => path.endsWith('.yaml') && path !== 'kustomization.yaml')
    .map(({ text }) => text.trimEnd())
    .join('\n---\n');
}

/** The line after the answer. */
export function kubernetesSummary({ files, output, written, name, server }: KubernetesPackageReport): string {
  const what = `${plural(files.length, 'file')} for ${name} on ${server}`;
  if (output === '-') return what;
  return written ? `${what} in ${output}` : `${what}: nothing written (dry run)`;
}

export function nextCommand({ output }: KubernetesPackageReport): string {
  return `kubectl apply -k ${shellWord(output)}`;
}

/** Points of the README are Markdown; a terminal has the words. */
function plainText(markdown: string): string {
  return safeText(
    markdown
      .replace(/\*\*/g, '')
      .replace(/`+ ?([^`]+?) ?`+/g, '$1')
      .replace(/\\([\\*_[\]<>#|])/g, '$1'),
  );
}

function bullet(text: string, columns: number | undefined): string[] {
  return [wrapLine(`- ${text}`, columns)];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
