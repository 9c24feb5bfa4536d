import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { LatencyComparison } from '../../../bench/results.js';
import { parseBoundedJson } from '../../../codec/bounded-json.js';
import { readSmallFile } from '../../../codec/small-file.js';
import { asJsonObject } from '../../../json-object.js';
import { formatBytes } from '../../../report/format.js';
import { latencyChange, latencyPhrase } from '../../../report/latency-words.js';
import { reportPath } from '../../produce/report-path.js';
import { FileHashes } from '../../report-files.js';

/** Bytes of a report that is read. */
const MOST_REPORT_BYTES = 16 * 1024 * 1024;
/** Model files above this are not hashed for it. */
const MOST_HASHED_BYTES = 256 * 1024 * 1024;

/** A row of the README: what was measured, and the figure. */
export type MeasuredRow = readonly [what: string, figure: string];

/**
 * What the report beside a model says of it, if it is about this very file: a command that makes a model writes one. A report of
 * something else, or one that cannot be read, says nothing.
 */
export async function measuredBefore(modelPath: string): Promise<MeasuredRow[]> {
  const report = readReport(reportPath(modelPath));
  const output = objectAt(report, 'output');
  if (report === undefined || output === undefined) return [];
  const { size } = statSync(modelPath);
  if (output.sizeBytes !== size || size > MOST_HASHED_BYTES || typeof output.sha256 !== 'string') return [];
  const hashes = new FileHashes();
  try {
    if ((await hashes.file(modelPath)).sha256 !== output.sha256) return [];
  } finally {
    await hashes.close();
  }
  const source = `serve-opt ${String(report.command)}, \`${basename(reportPath(modelPath))}\``;
  const rows: MeasuredRow[] = [['source', source]];
  const input = objectAt(report, 'input');
  if (typeof input?.sizeBytes === 'number')
    rows.push(['size', `${formatBytes(input.sizeBytes)} → ${formatBytes(size)}`]);
  const latency = objectAt(report, 'latency');
  if (isLatency(latency))
    rows.push(['latency', `${latencyChange(latency)}, ${latencyPhrase(latency)}, batch ${latency.batchSize}`]);
  return rows;
}

function readReport(path: string): Readonly<Record<string, unknown>> | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    return asJsonObject(parseBoundedJson(readSmallFile(path, MOST_REPORT_BYTES)));
  } catch {
    return undefined; // It is not needed, and no part of what is packaged.
  }
}

function objectAt(
  value: Readonly<Record<string, unknown>> | undefined,
  key: string,
): Readonly<Record<string, unknown>> | undefined {
  return asJsonObject(value?.[key]);
}

function isLatency(value: unknown): value is LatencyComparison {
  const latency = asJsonObject(value);
  return (
    latency !== undefined &&
    ['p50MsA', 'p50MsB', 'ratio', 'runs', 'batchSize'].every((key) => typeof latency[key] === 'number')
  );
}
