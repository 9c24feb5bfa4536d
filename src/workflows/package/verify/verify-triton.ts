import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { VerifiedModel, VerifiedWire } from '../../../report/package-verify-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { DataReading } from '../../../samples/data-reading.js';
import type { SampleSource } from '../../../samples/types.js';
import type { Protocol } from '../../../serving/protocols.js';
import type { RepositoryEntry, TritonConfiguration, TritonRepository } from '../../../serving/triton-repository.js';
import type { Stages } from '../../stages.js';
import { type PlannedRequest, planRequests } from './planned-requests.js';
import { EnsembleReference, ModelReference, type Reference } from './reference.js';
import { verifyWire, type WireOptions } from './verify-wire.js';

/** A Triton server that has loaded a repository, and where the files of that repository are. */
export interface TritonRun {
  readonly repository: TritonRepository;
  /** URL by protocol, without a model. */
  readonly urls: ReadonlyMap<Protocol, string>;
  /** Folder of the model repository. */
  readonly folder: string;
  readonly source: SampleSource;
  /** How its files are read. */
  readonly reading: DataReading | undefined;
  /** Its process is ended after each model: what one of them needs, or breaks, is not the next one's. */
  readonly runtime: LazyRuntime;
  readonly connection: Pick<WireOptions, 'headers' | 'timeoutMs' | 'signal'>;
  readonly stages: Stages;
  /** What the server wrote so far, where it was started for this run. */
  readonly log: () => string;
}

/** Verifies every model and version that the server loaded from the folder. @throws SO5101 to SO5103, SO8130 */
export async function verifyTriton(run: TritonRun, names: readonly string[]): Promise<VerifiedModel[]> {
  const index = await run.repository.index();
  const entries = names.flatMap((name): RepositoryEntry[] => {
    const versions = index.filter((entry) => entry.name === name);
    return versions.length > 0 ? versions : [{ name, version: undefined, state: undefined, reason: undefined }];
  });
  const verified: VerifiedModel[] = [];
  for (const [at, entry] of entries.entries()) {
    verified.push(await verifyEntry(run, entry));
    run.stages.advance(at + 1, entries.length);
  }
  return verified;
}

async function verifyEntry(run: TritonRun, entry: RepositoryEntry): Promise<VerifiedModel> {
  const { name, version } = entry;
  const named = { name, ...(version === undefined ? {} : { version }) };
  if (entry.state !== 'READY') {
    const why = reasonText(entry.reason) ?? logged(run.log(), name) ?? 'the server did not load it: see its log';
    return { ...named, reference: 'none', why, ready: false, wires: [], ok: false };
  }
  const configuration = await run.repository.configuration(name, version);
  const unsent = whyUnsent(configuration);
  if (unsent !== undefined) return { ...named, reference: 'none', why: unsent, ready: true, wires: [], ok: true };
  let planned: readonly PlannedRequest[];
  let reference: Reference;
  try {
    const found = await referenceOf(run, name, version, configuration);
    if (typeof found === 'string') {
      return { ...named, reference: 'none', why: found, ready: true, wires: [], ok: true };
    }
    reference = found;
    planned = await planRequests(reference, run.source, run.reading);
  } catch (error) {
    if (!(error instanceof ServeOptError) || !isOfModel(error)) throw error;
    const why = `${error.message}${error.why === undefined ? '' : `: ${error.why}`}`;
    return { ...named, reference: 'none', why, ready: true, wires: [], ok: false };
  } finally {
    await run.runtime.close();
  }
  const wires: VerifiedWire[] = [];
  for (const [protocol, url] of run.urls) {
    const options = { ...run.connection, protocol, url, model: name, ...(version === undefined ? {} : { version }) };
    wires.push(await verifyWire(options, planned, reference.tolerance));
  }
  const ok = wires.every(({ failure }) => failure === undefined);
  return { ...named, reference: 'ONNX Runtime', ready: true, wires, ok };
}

/** Triton reports a Python traceback with newlines as two characters. */
function reasonText(reason: string | undefined): string | undefined {
  return reason?.replace(/(\\n|\n)+At:[\s\S]*$/, '').trim();
}

/** The server tells in its log alone why it does not list a model, or why an ensemble does not fit together. */
function logged(log: string, name: string): string | undefined {
  const lines = log.split('\n');
  const isAbout = (line: string): boolean =>
    [`'${name}'`, `ensemble ${name},`, `ensemble ${name} `].some((part) => line.includes(part));
  const at = lines.findIndex((line) => /^E\d/.test(line) && isAbout(line));
  const line = lines[at];
  if (line === undefined) return undefined;
  // The reader of the text format says more, on the line before.
  const syntax = /Error parsing text-format \S+ (.*)$/.exec(lines[at - 1] ?? '')?.[1];
  const text = reasonText(line.replace(/^E\d+ [\d:.]+ \d+ \S+\] /, '').replace(/^"|"$/g, ''));
  return syntax === undefined ? text : `config.pbtxt:${syntax}`;
}

/** What is wrong with this model must not keep others from being verified; signals and missing data must. */
function isOfModel({ code }: ServeOptError): boolean {
  return /^SO(2|3|4002|500)/.test(code);
}

function whyUnsent({ isSequence, isDecoupled }: TritonConfiguration): string | undefined {
  if (isSequence) return 'requests of sequences need correlation IDs, which are not sent';
  if (isDecoupled) return 'decoupled models respond over gRPC streams only, which are not opened';
  return undefined;
}

/** @returns why there is nothing to compare with */
async function referenceOf(
  run: TritonRun,
  name: string,
  version: string | undefined,
  configuration: TritonConfiguration,
): Promise<Reference | string> {
  if (configuration.steps.length === 0) {
    const path = modelFile(join(run.folder, name, version ?? '1'), configuration.fileName);
    if (path === undefined || !path.endsWith('.onnx')) {
      return `ONNX Runtime cannot run a model of the backend "${configuration.backend}"`;
    }
    return ModelReference.open(await run.runtime.host(), path, configuration);
  }
  const steps = [];
  for (const step of configuration.steps) {
    const stepVersion = step.version > 0 ? String(step.version) : await latestReady(run, step.model);
    const stepConfiguration = await run.repository.configuration(step.model, stepVersion);
    const reference = await referenceOf(run, step.model, stepVersion, stepConfiguration);
    if (typeof reference === 'string') return `its step ${step.model}: ${reference}`;
    steps.push({ ...step, reference });
  }
  return new EnsembleReference(configuration, steps);
}

async function latestReady(run: TritonRun, model: string): Promise<string | undefined> {
  const versions = (await run.repository.index())
    .filter(({ name, state }) => name === model && state === 'READY')
    .flatMap(({ version }) => version ?? []);
  return versions.sort((a, b) => Number(a) - Number(b)).at(-1);
}

/** The file may be a folder with a model.onnx. */
function modelFile(folder: string, fileName: string): string | undefined {
  const path = join(folder, fileName);
  if (!existsSync(path)) return undefined;
  return statSync(path).isDirectory() ? join(path, 'model.onnx') : path;
}
