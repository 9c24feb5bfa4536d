import { basename } from 'node:path';
import { JsonRefusal, parseBoundedJson } from '../../codec/bounded-json.js';
import { readSmallFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';

/** Larger than any report of ours: a report keeps some thousand points of each configuration. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What is needed of a configuration of an earlier report. */
export interface EarlierConfiguration {
  readonly label: string;
  readonly executionProviders: readonly string[];
  readonly threads: number | undefined;
  readonly batchSize: number;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly processes: readonly { readonly runs: number; readonly p50Ms: number }[];
  /** CPU time over wall time while it was measured; tells whether the machine was its own. */
  readonly cpuPerWall: number | undefined;
}

/** An earlier report of `bench`, as far as it can be compared with. */
export interface EarlierReport {
  readonly name: string;
  readonly cpuModel: string;
  readonly availableParallelism: number;
  readonly onnxRuntimeVersion: string;
  readonly scenario: string;
  readonly configurations: readonly EarlierConfiguration[];
}

type Json = Readonly<Record<string, unknown>>;

/** Whether a path names a report rather than a model. */
export function isReportPath(path: string): boolean {
  return /\.json$/i.test(path);
}

/**
 * Reads what `--json` or `--report x.json` wrote. @throws SO2001, SO2002 when it cannot be read, SO4007 when it is not a report
 * of `bench` or of another schema
 */
export function readEarlierReport(path: string): EarlierReport {
  const name = basename(path);
  const report = unwrap(parse(path), path);
  const wrong = (what: string): ServeOptError => notUsable(path, what);
  if (report.command !== 'bench') throw wrong('it is not a report of `serve-opt bench`');
  if (report.schemaVersion !== REPORT_SCHEMA_VERSION) {
    throw wrong(`its schema is version ${shown(report.schemaVersion)}; this version reads ${REPORT_SCHEMA_VERSION}`);
  }
  const { environment, scenario, configurations } = report;
  if (!isJsonObject(environment) || !isJsonObject(scenario) || !Array.isArray(configurations))
    throw wrong('parts of it are missing');
  return {
    name,
    cpuModel: text(environment.cpuModel, wrong),
    availableParallelism: positive(environment.availableParallelism, wrong),
    onnxRuntimeVersion: typeof report.onnxRuntimeVersion === 'string' ? report.onnxRuntimeVersion : '',
    scenario: scenarioKey(scenario),
    configurations: configurations.flatMap((each: unknown) => (isJsonObject(each) ? [configuration(each, wrong)] : [])),
  };
}

/** What must be alike for latencies to be comparable. */
export function scenarioKey(scenario: object): string {
  return JSON.stringify(Object.entries(scenario).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function configuration(value: Json, wrong: (what: string) => ServeOptError): EarlierConfiguration {
  const latency = isJsonObject(value.latency) ? value.latency : {};
  const processes = Array.isArray(latency.processes) ? latency.processes.filter(isJsonObject) : [];
  const noise = isJsonObject(value.noise) ? value.noise : {};
  const inputs = Array.isArray(value.inputs) ? value.inputs.filter(isJsonObject) : [];
  return {
    label: text(value.label, wrong),
    executionProviders: Array.isArray(value.executionProviders) ? value.executionProviders.map(String) : [],
    threads: value.threads === undefined ? undefined : positive(value.threads, wrong),
    batchSize: positive(value.batchSize, wrong),
    inputs: inputs.map((input) => ({ name: text(input.name, wrong), type: text(input.type, wrong) })),
    cpuPerWall: typeof noise.cpuPerWall === 'number' ? noise.cpuPerWall : undefined,
    processes: processes.map(({ runs, p50Ms }) => ({ runs: positive(runs, wrong), p50Ms: positive(p50Ms, wrong) })),
  };
}

function parse(path: string): unknown {
  const bytes = readSmallFile(path, MOST_BYTES);
  try {
    return parseBoundedJson(bytes);
  } catch (cause) {
    if (!(cause instanceof JsonRefusal)) throw cause;
    throw notUsable(path, `it is not JSON: ${cause.message}`);
  }
}

/** `--json` wraps a report in a document; a file of `--report` holds it alone. */
function unwrap(value: unknown, path: string): Json {
  if (!isJsonObject(value)) throw notUsable(path, 'it is not a report of `serve-opt bench`');
  if (value.ok === false && value.result === undefined) throw notUsable(path, 'that run failed: it contains an error');
  return isJsonObject(value.result) ? value.result : value;
}

function text(value: unknown, wrong: (what: string) => ServeOptError): string {
  if (typeof value === 'string') return value;
  throw wrong(`it has ${shown(value)} instead of a name`);
}

function positive(value: unknown, wrong: (what: string) => ServeOptError): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw wrong(`it has ${shown(value)} instead of a number`);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 40) ?? 'nothing';
}

function notUsable(path: string, why: string): ServeOptError {
  return new ServeOptError('SO4007', `The baseline "${path}" cannot be used`, { why, location: { file: path } });
}
