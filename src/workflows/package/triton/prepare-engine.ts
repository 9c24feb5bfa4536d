import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { parseBoundedJson } from '../../../codec/bounded-json.js';
import { readSmallFile } from '../../../codec/small-file.js';
import { sniffFormat } from '../../../codec/sniff.js';
import { fileError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';
import type { ValueSpec } from '../../../samples/types.js';
import { type Batchability, batchability } from '../../../targets/triton/batching.js';
import { buildConfig } from '../../../targets/triton/build-config.js';
import { TRITON_TYPES } from '../../../targets/triton/data-types.js';
import { type EngineTensorFacts, engineInterface, parseTensorFlag } from '../../../targets/triton/engine-interface.js';
import { LABELS_FILE } from '../../../targets/triton/labels.js';
import type { ServedInterface, ServedTensor } from '../../../targets/triton/serving-facts.js';
import { DataType } from '../../../tensor/dtype.js';
import { reportPath } from '../../produce/report-path.js';
import { labelFiles, readLabels, withWarmup } from './prepare-extras.js';
import type { PreparedModel } from './prepared-model.js';
import type { PackageTritonOptions } from './triton-package-options.js';

const MOST_REPORT_BYTES = 16 * 1024 * 1024;
const ENGINE_EXTENSIONS: ReadonlySet<string> = new Set(['.plan', '.engine', '.trt']);

/** What kind of file a path is, by its first bytes. */
export type FileKind = 'engine' | 'onnx' | 'other';

/**
 * Looks whether a file is a TensorRT engine. By its name where the first bytes say nothing: newer engines begin in other ways.
 * @throws SO2001, SO2002
 */
export function fileKind(path: string): FileKind {
  const head = new Uint8Array(4096);
  let count = 0;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw fileError(path, cause);
  }
  try {
    if (!fstatSync(fd).isFile()) return 'other';
    count = readSync(fd, head, 0, head.byteLength, 0);
  } catch (cause) {
    throw fileError(path, cause);
  } finally {
    closeSync(fd);
  }
  if (count === 0) return 'other';
  const format = sniffFormat(head.subarray(0, count))?.format;
  if (format === 'a TensorRT engine') return 'engine';
  if (ENGINE_EXTENSIONS.has(extname(path).toLowerCase())) return format === undefined ? 'engine' : 'other';
  return format === undefined ? 'onnx' : 'other';
}

interface EngineFacts {
  readonly inputs: readonly EngineTensorFacts[];
  readonly outputs: readonly EngineTensorFacts[];
  /** Rows that every profile of the engine allows. */
  readonly mostRows?: number;
  readonly notes: readonly string[];
}

/**
 * Prepares a TensorRT engine. Its interface is that of the report beside it, or what the caller says: an engine can only be read
 * by the version of TensorRT that built it.
 * @throws SO3508 where neither is there
 */
export async function prepareEngine(path: string, name: string, options: PackageTritonOptions): Promise<PreparedModel> {
  const facts = engineFacts(path, options);
  const served = engineInterface(facts.inputs, facts.outputs);
  const found = engineBatchability(served, facts);
  const maxBatch = options.maxBatch ?? (found.kind === 'yes' ? facts.mostRows : undefined);
  if (facts.mostRows !== undefined && maxBatch !== undefined && maxBatch > facts.mostRows) {
    throw new ServeOptError('SO3501', `The engine cannot be batched to ${maxBatch} rows (--max-batch)`, {
      why: `it was built for at most ${facts.mostRows}`,
      hint: `write --max-batch ${facts.mostRows}, or build the engine for larger batches`,
    });
  }
  const chosen = { ...options, ...(maxBatch === undefined ? {} : { maxBatch }) };
  const labels = readLabels(options, served, (maxBatch ?? 0) > 0);
  const built = buildConfig(
    {
      name,
      platform: 'tensorrt_plan',
      served,
      batchability: found,
      modelName: basename(path),
      ...(labels === undefined ? {} : { labels: new Map([[labels.output, LABELS_FILE]]) }),
    },
    chosen,
  );
  const { config, files } = await withWarmup(built.config, served, served.inputs.map(specOf), options);
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return {
    platform: 'tensorrt_plan',
    config,
    versionFiles: [{ path: 'model.plan', source: path }],
    modelFiles: [...labelFiles(labels), ...files],
    input: { name: basename(path), sizeBytes: Number(size) },
    inputs: served.inputs.map(({ name: tensor, typeText }) => ({ name: tensor, type: typeText })),
    outputs: served.outputs.map(({ name: tensor, typeText }) => ({ name: tensor, type: typeText })),
    notes: [
      ...built.notes,
      ...facts.notes,
      ...(labels?.notes ?? []),
      'An engine runs with the version of TensorRT and on the kind of GPU that it was built with: use the server image of that version.',
    ],
    warnings: [],
    measured: [],
    check: () => {
      const now = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (now?.size !== size || now.mtimeNs !== mtimeNs)
        throw new ServeOptError('SO2008', `"${basename(path)}" changed while it was read`, {
          location: { file: path },
        });
    },
  };
}

function specOf({ name, type, shape, typeText }: ServedTensor): ValueSpec {
  const dataType = TRITON_TYPES.find(({ config }) => config === type)?.onnx ?? DataType.UNDEFINED;
  return { name, dataType, shape, typeText };
}

/** Without symbols, open first dimensions of an engine are one: profiles give them together. */
function engineBatchability(served: ServedInterface, { mostRows }: EngineFacts): Batchability {
  const found = batchability(served, new Set(served.outputs.map(({ name }) => name)));
  if (found.kind !== 'yes' || mostRows === undefined || mostRows > 1) return found;
  return { kind: 'no', why: 'the engine was built for one row' };
}

function engineFacts(path: string, { engineInputs, engineOutputs, platform }: PackageTritonOptions): EngineFacts {
  if (engineInputs !== undefined || engineOutputs !== undefined) {
    if (platform !== 'tensorrt_plan')
      throw noInterface(path, 'the file is an engine: say so with --platform tensorrt_plan');
    if (engineInputs === undefined || engineOutputs === undefined)
      throw noInterface(path, `--engine-${engineInputs === undefined ? 'input' : 'output'} is missing`);
    return {
      inputs: engineInputs.map((text) => parseTensorFlag('input', text)),
      outputs: engineOutputs.map((text) => parseTensorFlag('output', text)),
      notes: ['Names, types and shapes are as given: serve-opt cannot read them from an engine.'],
    };
  }
  return factsOfReport(path);
}

function noInterface(path: string, why: string): ServeOptError {
  return new ServeOptError('SO3508', `The inputs and outputs of the engine "${basename(path)}" are not known`, {
    why,
    hint: `serve-opt package triton ${basename(path)} --platform tensorrt_plan --engine-input x:float:-1,3,224,224 --engine-output y:float:-1,1000`,
  });
}

/** The interface from the report that `serve-opt tensorrt` writes beside an engine. */
function factsOfReport(path: string): EngineFacts {
  const beside = reportPath(path);
  const label = basename(beside);
  if (statSync(beside, { throwIfNoEntry: false }) === undefined)
    throw noInterface(path, `there is no ${label} of serve-opt tensorrt beside it`);
  let report: unknown;
  try {
    report = parseBoundedJson(readSmallFile(beside, MOST_REPORT_BYTES));
  } catch (cause) {
    throw noInterface(path, `${label} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const { command, inputs, outputs, profiles, engine, tensorRtVersion } = Object(report) as Record<string, unknown>;
  if (command !== 'tensorrt' || !isTensorList(inputs) || !isTensorList(outputs))
    throw noInterface(path, `${label} is no report of serve-opt tensorrt`);
  const { sizeBytes } = Object(engine) as Record<string, unknown>;
  if (sizeBytes !== statSync(path).size) throw noInterface(path, `${label} is about another file`);
  const mostRows = rowsOf(profiles, inputs);
  return {
    inputs,
    outputs,
    ...(mostRows === undefined ? {} : { mostRows }),
    notes: typeof tensorRtVersion === 'string' ? [`The engine was built with TensorRT ${tensorRtVersion}.`] : [],
  };
}

function isTensorList(value: unknown): value is EngineTensorFacts[] {
  return (
    Array.isArray(value) &&
    value.every((each: unknown) => {
      const { name, type, dims } = Object(each) as Record<string, unknown>;
      const isDims = dims === undefined || (Array.isArray(dims) && dims.every((dim) => Number.isInteger(dim)));
      return typeof name === 'string' && typeof type === 'string' && isDims;
    })
  );
}

/** Rows that all profiles allow for every input with an open first dimension. */
function rowsOf(profiles: unknown, inputs: readonly EngineTensorFacts[]): number | undefined {
  if (!Array.isArray(profiles)) return undefined;
  const open = new Set(inputs.filter(({ dims }) => dims?.[0] === -1).map(({ name }) => name));
  const rows: number[] = [];
  for (const profile of profiles as readonly unknown[]) {
    const { inputs: shapes } = Object(profile) as { readonly inputs?: unknown };
    if (!Array.isArray(shapes)) continue;
    for (const each of shapes as readonly unknown[]) {
      const { name, max } = Object(each) as { readonly name?: unknown; readonly max?: unknown };
      const first: unknown = Array.isArray(max) ? max[0] : undefined;
      if (typeof name === 'string' && open.has(name) && typeof first === 'number') rows.push(first);
    }
  }
  return rows.length === 0 ? undefined : Math.min(...rows);
}
