import { basename } from 'node:path';
import { JsonRefusal, parseBoundedJson } from '../../../codec/bounded-json.js';
import { readSmallFile } from '../../../codec/small-file.js';
import { ServeOptError } from '../../../errors.js';
import { isJsonObject } from '../../../json-object.js';
import { plural } from '../../../report/format.js';
import { percentileName } from '../../../report/percentile-name.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import {
  estimateCost,
  type MeasuredParts,
  type Measurements,
  type ModelMeasurement,
  measurementFrom,
} from '../../../targets/kubernetes/measurements.js';
import type { KubernetesFacts } from '../../../targets/kubernetes/options.js';
import type { MeasurableModel } from './kubernetes-source.js';

/** Larger than any report of ours: a report keeps some thousand points of each configuration. */
const MOST_BYTES = 64 * 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

/** A configuration of a report, as far as it was looked at. */
interface Measured {
  readonly sha256: string;
  readonly name: string;
  readonly label: string;
  readonly threads: number | undefined;
  readonly parts: MeasuredParts;
}

/**
 * Measurements from a report that `bench --report x.json` or `bench --json` wrote. A model is recognized by the hash of its file.
 * @param threads of the configuration to take; without them the one that the report suggests, or its first
 * @throws SO2001, SO2002 when it cannot be read, SO3511 when it is no such report, is of another model, or has no such configuration
 */
export function readMeasurements(
  path: string,
  facts: KubernetesFacts,
  measurable: readonly MeasurableModel[],
  threads: number | undefined,
): Measurements {
  const refuse = (why: string, hint?: string): ServeOptError =>
    new ServeOptError('SO3511', `The report "${path}" cannot be used`, {
      why,
      hint: hint ?? `serve-opt bench ${shortPath(measurable)} --report ${path}`,
      location: { file: path },
    });
  const report = reportObject(path, refuse);
  const configurations = (report.configurations as unknown[]).flatMap((each) =>
    isJsonObject(each) ? [measured(each)] : [],
  );
  const environment = isJsonObject(report.environment) ? report.environment : {};
  const suggested = isJsonObject(report.suggestion) ? report.suggestion.configuration : undefined;
  const found = new Map<string, { readonly measurement: ModelMeasurement; readonly threads: number | undefined }>();
  for (const model of measurable) {
    const own = configurations.filter(({ sha256 }) => sha256 === model.report.sha256);
    if (own.length === 0) throw refuse(whyAnother(model, configurations));
    const fitting = threads === undefined ? own : own.filter((each) => each.threads === threads);
    const chosen = fitting.find(({ label }) => label === suggested) ?? fitting[0];
    if (chosen === undefined) {
      const had = [...new Set(own.map((each) => each.threads ?? 'default'))].join(', ');
      throw refuse(`it has no configuration with ${plural(threads ?? 0, 'thread')}; it has ${had}`);
    }
    const measurement = measurementFrom(model.name, chosen.parts);
    if (measurement === undefined) throw refuse(`"${chosen.label}" has no cold start, memory or latency in it`);
    found.set(model.name, { measurement, threads: chosen.threads });
  }
  const parallelism = positive(environment.availableParallelism);
  const [first] = found.values();
  return {
    kind: 'measured',
    source: `report ${basename(path)}`,
    models: facts.models.map((model) => found.get(model.name)?.measurement ?? estimateCost(model)),
    threads: threads ?? first?.threads ?? parallelism ?? 1,
    ...(typeof environment.cpuModel === 'string' ? { cpu: environment.cpuModel } : {}),
    ...(typeof report.onnxRuntimeVersion === 'string' ? { onnxRuntimeVersion: report.onnxRuntimeVersion } : {}),
  };
}

function shortPath(measurable: readonly MeasurableModel[]): string {
  return measurable.map(({ path }) => path).join(' ');
}

function whyAnother({ name, report }: MeasurableModel, configurations: readonly Measured[]): string {
  const others = [
    ...new Set(configurations.map((each) => `"${each.name}" (${each.sha256.slice(0, 12) || 'no hash'})`)),
  ];
  return `it is of ${others.slice(0, 3).join(', ') || 'no model'}, and "${name}" has the hash ${report.sha256?.slice(0, 12)}`;
}

function reportObject(path: string, refuse: (why: string, hint?: string) => ServeOptError): Json {
  const bytes = readSmallFile(path, MOST_BYTES);
  let value: unknown;
  try {
    value = parseBoundedJson(bytes);
  } catch (cause) {
    if (!(cause instanceof JsonRefusal)) throw cause;
    throw refuse(`it is not JSON: ${cause.message}`);
  }
  const report = isJsonObject(value) && isJsonObject(value.result) ? value.result : value;
  if (!isJsonObject(report) || report.command !== 'bench' || report.subject === 'server')
    throw refuse('it is not a report of models by `serve-opt bench`');
  if (report.schemaVersion !== REPORT_SCHEMA_VERSION)
    throw refuse(
      `its schema is version ${JSON.stringify(report.schemaVersion)?.slice(0, 20)}; this version reads ${REPORT_SCHEMA_VERSION}`,
    );
  if (!Array.isArray(report.configurations)) throw refuse('it has no configurations');
  return report;
}

/** What is read of a configuration is looked at field by field: the file may be of anyone. */
function measured(value: Json): Measured {
  const model = isJsonObject(value.model) ? value.model : {};
  const threads = positive(value.threads);
  return {
    sha256: typeof model.sha256 === 'string' ? model.sha256 : '',
    name: typeof model.name === 'string' ? model.name : 'unnamed',
    label: typeof value.label === 'string' ? value.label : '',
    threads: threads !== undefined && Number.isInteger(threads) ? threads : undefined,
    parts: partsOf(value),
  };
}

function partsOf(value: Json): MeasuredParts {
  const coldStart = isJsonObject(value.coldStart) ? value.coldStart : {};
  const memory = isJsonObject(value.memory) ? value.memory : {};
  const latency = isJsonObject(value.latency) ? value.latency : {};
  const { modelBytes } = memory;
  return {
    inputs: objects(value.inputs).map(({ type }) => String(type).slice(0, 200)),
    starts: objects(coldStart.starts).flatMap(({ sessionMs, firstRunMs }) => {
      const [session, first] = [positive(sessionMs), positive(firstRunMs)];
      return session === undefined || first === undefined ? [] : [{ sessionMs: session, firstRunMs: first }];
    }),
    // A small model may cost nothing that can be seen.
    ...(modelBytes === 0 || positive(modelBytes) !== undefined ? { modelBytes: Number(modelBytes) } : {}),
    quantiles: objects(latency.quantiles).flatMap((each) => {
      const [probability, ms] = [positive(each.probability), positive(each.ms)];
      return probability === undefined || ms === undefined
        ? []
        : [{ probability, name: percentileName(probability), ms }];
    }),
  };
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
