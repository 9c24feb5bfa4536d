/** What a real tritonserver made of one case, as it is committed. */
import { messageOf } from '../../conformance/suite.js';
import type { Outcome, ServerCase } from './server-case.js';
import type { Reply, TritonControl } from './triton-control.js';

export interface RecordedAnswer {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly outcome: Outcome;
  readonly ignored?: string;
  readonly source?: string;
  readonly later?: Outcome;
  /** The model that was loaded. */
  readonly load: string;
  /** By model: whether it has a configuration, files as the name of a shared file or a text, and empty folders. */
  readonly models: Readonly<Record<string, RecordedFolder>>;
  /** HTTP status of the request to load. */
  readonly status: number;
  /** The error in the body of the response. */
  readonly error?: string;
  /** Errors and warnings in the log of the server, without times and paths. */
  readonly log: readonly string[];
  /** Fields of the configuration that the server gives back, by path. */
  readonly shows?: Readonly<Record<string, unknown>>;
  /** A request of zeros, where the model became ready. */
  readonly inference?: { readonly status: number; readonly error?: string };
}

export interface RecordedFolder {
  readonly config: boolean;
  readonly files: Readonly<Record<string, { readonly shared: string } | { readonly text: string }>>;
  readonly folders?: readonly string[];
}

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** A request that is not answered in this time will never be. */
const INFERENCE_LIMIT_MS = 15_000;

/** Loads the model of a case that is laid out in `repository`, and sends it a request of zeros if it becomes ready. */
export async function answerOf(
  control: TritonControl,
  one: ServerCase & { readonly group: string },
  repository: string,
): Promise<RecordedAnswer> {
  const model = Object.keys(one.models)[0] as string;
  const mark = control.logMark;
  const { status, body } = await loaded(control, model);
  const isReady = status === 200 && (await control.isReady(model));
  const masked = (text: string): string => text.replaceAll(repository, 'REPOSITORY');
  const error = errorOf(body);
  const shows = isReady && one.shows ? await shown(control, model, one.shows) : undefined;
  const inference = isReady ? await inferZeros(control, model) : undefined;
  return {
    name: one.name,
    group: one.group,
    summary: one.summary,
    outcome: outcomeOf(one, isReady),
    ...(one.ignored === undefined ? {} : { ignored: one.ignored }),
    ...(one.source === undefined ? {} : { source: one.source }),
    ...(one.later === undefined ? {} : { later: one.later }),
    load: model,
    models: Object.fromEntries(Object.entries(one.models).map(([name, folder]) => [name, recordedFolder(folder)])),
    status,
    ...(error === undefined ? {} : { error: withoutPlaces(masked(error)) }),
    log: problemsOf(masked(control.logSince(mark))),
    ...(shows === undefined ? {} : { shows }),
    ...(inference === undefined ? {} : { inference }),
  };
}

/** A server that ends while it loads is a refusal, too: status 0. */
async function loaded(control: TritonControl, model: string): Promise<Reply> {
  try {
    return await control.load(model);
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    if (!isTimeout && !(await control.hasEnded())) throw error;
    return { status: 0, body: JSON.stringify({ error: isTimeout ? 'the server never responds' : 'the server ended' }) };
  }
}

/** Whether a model became ready is the server's word; what a ready one means, and why one cannot, is the table's. */
function outcomeOf({ outcome }: ServerCase, isReady: boolean): Outcome {
  if (isReady) return outcome === 'ignored' ? 'ignored' : 'loaded';
  return outcome === 'unavailable' ? 'unavailable' : 'refused';
}

function recordedFolder({ config, files, folders }: ServerCase['models'][string]): RecordedFolder {
  return {
    config: config !== undefined,
    files: Object.fromEntries(
      Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? { text: content } : content]),
    ),
    ...(folders === undefined ? {} : { folders }),
  };
}

function errorOf(body: string): string | undefined {
  if (body.trim() === '') return undefined;
  const parsed = JSON.parse(body) as { error?: string };
  return parsed.error;
}

/** `E1130 21:00:00.123 99 file.cc:12] "text"`: errors and warnings without their times; an entry may have several lines. */
const ENTRY = /^([A-Z])\d{4} [\d:.]+ \d+ ([\w.]+):\d+\] /;
/** The reader of the text format writes its own, with line and column. */
const PROTOBUF = /^\[libprotobuf (ERROR|WARNING) \S+:\d+\] /;
/** Of every start or every model, whatever it is. */
const NOISE =
  /Cuda|CUDA|NVML|DCGM|GPU metrics|shared memory|--disable-auto-complete-config|PinnedMemory|pinned system memory/;

function problemsOf(log: string): string[] {
  const entries: string[] = [];
  for (const line of log.split('\n')) {
    const match = ENTRY.exec(line) ?? PROTOBUF.exec(line);
    if (match) entries.push(`${match[1]?.[0]}${line.slice(match[0].length)}`);
    else if (entries.length > 0 && line !== '') entries[entries.length - 1] += `\n${line}`;
  }
  const problems = entries.filter((entry) => /^[EW]/.test(entry)).map((entry) => withoutPlaces(entry.slice(1).trim()));
  return [...new Set(problems)].filter((text) => text !== '' && !NOISE.test(text)).slice(0, 4);
}

/** Tracebacks and process IDs differ from run to run. */
function withoutPlaces(text: string): string {
  return text
    .replace(/^"|"$/g, '')
    .replaceAll('\\n', '\n')
    .replaceAll("\\'", "'")
    .replaceAll('\\"', '"')
    .replace(/\n\nAt:\n( {2}.*\n?)*;?/g, '')
    .replace(/\n\s+(File|~|\S+\(\d+\)).*/g, '')
    .replace(/\n+/g, '\n')
    .trim()
    .slice(0, 600);
}

async function shown(
  control: TritonControl,
  model: string,
  paths: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const config: unknown = JSON.parse((await control.request(`/v2/models/${encodeURIComponent(model)}/config`)).body);
  const at = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
  return Object.fromEntries(paths.map((path) => [path, at(path) ?? null]));
}

async function inferZeros(control: TritonControl, model: string): Promise<RecordedAnswer['inference']> {
  const home = `/v2/models/${encodeURIComponent(model)}`;
  const described = await control.request(home);
  if (described.status !== 200) return { status: described.status, error: errorOf(described.body) ?? '' };
  const metadata = JSON.parse(described.body) as { inputs?: TensorMetadata[] };
  // JSON has no FP16.
  if (metadata.inputs === undefined || metadata.inputs.some(({ datatype }) => datatype === 'FP16')) return undefined;
  const inputs = metadata.inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (size < 0 ? 1 : size));
    const zero = datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : 0;
    return { name, datatype, shape: sizes, data: Array(sizes.reduce((a, b) => a * b, 1)).fill(zero) };
  });
  const sequence = { sequence_id: 1, sequence_start: true, sequence_end: true };
  const config = JSON.parse((await control.request(`${home}/config`)).body) as { sequence_batching?: object };
  const body = { inputs, ...(config.sequence_batching === undefined ? {} : { parameters: sequence }) };
  try {
    const reply = await control.request(`${home}/infer`, body, INFERENCE_LIMIT_MS);
    const error = reply.status === 200 ? undefined : errorOf(reply.body);
    return { status: reply.status, ...(error === undefined ? {} : { error: withoutPlaces(error) }) };
  } catch (error) {
    return { status: 0, error: messageOf(error).includes('timeout') ? 'no response' : messageOf(error) };
  }
}
