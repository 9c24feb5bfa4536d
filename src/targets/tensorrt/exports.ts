/** Reads the JSON files that trtexec exports. Their values are not trusted: they are checked one by one. */
import { isJsonObject } from '../../json-object.js';
import type { EngineLayer } from '../../report/tensorrt-types.js';

/** The queries of a run, in order. */
export interface QueryTimes {
  /** Start of each query, in ms from the first. */
  readonly startMs: Float64Array;
  readonly latencyMs: Float64Array;
  /** From the start of the first query to the end of the last one. */
  readonly wallMs: number;
}

/** Most queries that are read: 3 s of a model of 10 µs are 300,000. */
const MOST_QUERIES = 4_000_000;

/**
 * `--exportTimes`, piece by piece: flat objects, one for each query. TensorRT 7 and earlier name the fields differently.
 * Entries without a latency are left out. @throws SyntaxError for what is not JSON
 */
export class QueryTimesReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: false });
  readonly #starts: number[] = [];
  readonly #latencies: number[] = [];
  #rest = '';
  #end = 0;

  push(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    let start = 0;
    for (let at = this.#rest.indexOf('}'); at >= 0; at = this.#rest.indexOf('}', start)) {
      const open = this.#rest.indexOf('{', start);
      if (open >= 0 && open < at) this.#add(JSON.parse(numbersOnly(this.#rest.slice(open, at + 1))));
      start = at + 1;
    }
    this.#rest = this.#rest.slice(start);
    // An entry has some 300 bytes.
    if (this.#rest.length > 65_536) throw new SyntaxError('an entry does not end');
  }

  end(): QueryTimes {
    const first = this.#starts.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
    return {
      startMs: Float64Array.from(this.#starts, (each) => each - first),
      latencyMs: Float64Array.from(this.#latencies),
      wallMs: this.#starts.length === 0 ? 0 : this.#end - first,
    };
  }

  #add(entry: unknown): void {
    if (!isJsonObject(entry) || this.#starts.length >= MOST_QUERIES) return;
    const latency = numberOf(entry.latencyMs) ?? sumOf(entry.inMs, entry.computeMs, entry.outMs);
    const start = numberOf(entry.startH2dMs) ?? numberOf(entry.startInMs) ?? numberOf(entry.startComputeMs);
    if (latency === undefined || start === undefined || latency < 0) return;
    this.#starts.push(start);
    this.#latencies.push(latency);
    this.#end = Math.max(this.#end, numberOf(entry.endD2hMs) ?? numberOf(entry.endOutMs) ?? start + latency);
  }
}

/** A layer of `--exportProfile`. */
export interface LayerTime {
  readonly name: string;
  readonly averageMs: number;
  readonly medianMs?: number;
  /** 0 to 1. */
  readonly share: number;
}

export interface LayerProfile {
  /** Profiled runs. */
  readonly runs: number;
  readonly layers: readonly LayerTime[];
}

/** Line of a layer as trtexec writes it: names are not escaped, and may hold quotes. */
const PROFILE_LINE =
  /^\s*,?\s*\{\s*"name" : "(.*)", "timeMs" : (\S+), "averageMs" : (\S+?)(?:, "medianMs" : (\S+?))?, "percentage" : (\S+) \}\s*$/;

/** `--exportProfile`. @throws SyntaxError for what is not such a file */
export function parseLayerProfile(text: string): LayerProfile {
  const entries = profileEntries(text);
  const [head, ...rest] = entries;
  const runs = isJsonObject(head) ? numberOf(head.count) : undefined;
  if (runs === undefined) throw new SyntaxError('the number of profiled runs is missing');
  const layers = rest.flatMap((entry) => {
    if (!isJsonObject(entry) || typeof entry.name !== 'string') return [];
    const timeMs = numberOf(entry.timeMs) ?? 0;
    const averageMs = numberOf(entry.averageMs) ?? (runs > 0 ? timeMs / runs : 0);
    return [{ name: entry.name, timeMs, averageMs, medianMs: numberOf(entry.medianMs) }];
  });
  const total = layers.reduce((sum, { timeMs }) => sum + timeMs, 0);
  return {
    runs,
    layers: layers.map(({ name, timeMs, averageMs, medianMs }) => ({
      name,
      averageMs,
      ...(medianMs === undefined ? {} : { medianMs }),
      // Its own percentage is not a number where all times are 0.
      share: total > 0 ? timeMs / total : 0,
    })),
  };
}

function profileEntries(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(numbersOnly(text));
    if (Array.isArray(value)) return value;
  } catch {
    // A name with a quote in it: line by line, as it was written.
    const lines = text.split('\n');
    const count = /\{ "count" : (\d+) \}/.exec(lines.slice(0, 5).join('\n'))?.[1];
    if (count !== undefined) {
      return [
        { count: Number(count) },
        ...lines.flatMap((line) => {
          const [, name, timeMs, averageMs, medianMs] = PROFILE_LINE.exec(line) ?? [];
          if (name === undefined) return [];
          return [{ name, timeMs: Number(timeMs), averageMs: Number(averageMs), medianMs: Number(medianMs) }];
        }),
      ];
    }
  }
  throw new SyntaxError('it is not a list of layers');
}

/** `--exportLayerInfo`: names at the default verbosity, objects with types at the detailed one. */
export interface LayerInfo {
  readonly layers: readonly Pick<EngineLayer, 'name' | 'type' | 'fused' | 'precision'>[];
}

/** @throws SyntaxError for what is not such a file */
export function parseLayerInfo(text: string): LayerInfo {
  const value: unknown = JSON.parse(text);
  const list = isJsonObject(value) ? value.Layers : undefined;
  if (!isJsonObject(value) || !Array.isArray(list)) throw new SyntaxError('it has no "Layers"');
  return { layers: list.flatMap((each) => layerOf(each) ?? []) };
}

function layerOf(value: unknown): LayerInfo['layers'][number] | undefined {
  const name = nameOf(value);
  if (name === undefined) return undefined;
  if (!isJsonObject(value)) return { name, fused: fusedNodes(name) };
  const type = typeof value.LayerType === 'string' ? value.LayerType : undefined;
  const outputs = Array.isArray(value.Outputs) ? value.Outputs : [];
  const precision = [...new Set(outputs.flatMap((output) => precisionOf(output) ?? []))].join(', ');
  return {
    name,
    ...(type === undefined ? {} : { type }),
    fused: fusedNodes(name, metadataNodes(value.Metadata)),
    ...(precision === '' ? {} : { precision }),
  };
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isJsonObject(value) && typeof value.Name === 'string' ? value.Name : undefined;
}

/** Words for types in descriptions such as `Channel major FP16 format where channel % 8 == 0`. */
const TYPE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:FP32|Float|kFLOAT)\b/i, 'FP32'],
  [/\b(?:FP16|Half|kHALF)\b/i, 'FP16'],
  [/\b(?:BF16|BFloat16)\b/i, 'BF16'],
  [/\b(?:INT8|Int8)\b/i, 'INT8'],
  [/\b(?:FP8|FP8E4M3)\b/i, 'FP8'],
  [/\b(?:FP4|FP4E2M1)\b/i, 'FP4'],
  [/\bINT4\b/i, 'INT4'],
  [/\bINT64\b/i, 'INT64'],
  [/\bINT32\b/i, 'INT32'],
  [/\bUINT8\b/i, 'UINT8'],
  [/\bBOOL\b/i, 'BOOL'],
];

function precisionOf(tensor: unknown): string | undefined {
  if (!isJsonObject(tensor)) return undefined;
  // TensorRT 11 has the type apart from the format.
  const { DataType, Datatype, Format } = tensor;
  const text = [DataType, Datatype, tensor['Format/Datatype'], Format].find((each) => typeof each === 'string');
  return typeof text === 'string' ? TYPE_WORDS.find(([pattern]) => pattern.test(text))?.[1] : undefined;
}

/** `[ONNX Layer: Conv_0]` of TensorRT 8.6 and later, separated by U+001E. */
function metadataNodes(metadata: unknown): readonly string[] {
  if (typeof metadata !== 'string') return [];
  return [...metadata.matchAll(/\[ONNX Layer: ([^\]]*)\]/g)].flatMap(([, name]) => (name ? [name] : []));
}

/** Layers that TensorRT adds itself: they fuse nothing. */
const OWN_LAYER = /^(?:Reformatting CopyNode|reshape_(?:before|after)_|shuffle_)/;

/** `Conv_5 + Add_6 + Relu_7`, `PWN(PWN(/Sub), PWN(/Div))`, `{ForeignNode[a...b]}`: the nodes of the model in a layer. */
export function fusedNodes(name: string, known: readonly string[] = []): readonly string[] {
  if (known.length > 1) return [...new Set(known)];
  if (OWN_LAYER.test(name)) return [];
  const foreign = /^\{ForeignNode\[(.+?)\.\.\.(.+)\]\}$/.exec(name);
  if (foreign) return [foreign[1] ?? '', foreign[2] ?? ''];
  const parts = name
    .split(' + ')
    .flatMap((part) => (/^PWN\(/.test(part) ? part.replace(/PWN\(|\)/g, '').split(/, ?/) : [part]))
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.length > 1 ? parts : [];
}

/** Layers with their times, slowest first; those that the profile does not name come last, in their order. */
export function mergeLayers(info: LayerInfo | undefined, profile: LayerProfile | undefined): readonly EngineLayer[] {
  const times = new Map(profile?.layers.map((layer) => [layer.name, layer]) ?? []);
  const known = new Set(info?.layers.map(({ name }) => name));
  const timed = (name: string): Partial<EngineLayer> => {
    const { averageMs, medianMs, share } = times.get(name) ?? {};
    return {
      ...(averageMs === undefined ? {} : { averageMs }),
      ...(medianMs === undefined ? {} : { medianMs }),
      ...(share === undefined ? {} : { share }),
    };
  };
  const layers: EngineLayer[] = [
    ...(info?.layers ?? []).map((layer) => ({ ...layer, ...timed(layer.name) })),
    ...(profile?.layers ?? [])
      .filter(({ name }) => !known.has(name))
      .map(({ name }) => ({ name, fused: fusedNodes(name), ...timed(name) })),
  ];
  return layers.sort((a, b) => (b.share ?? -1) - (a.share ?? -1));
}

/** C++ writes `nan` and `inf`, which JSON does not have. */
function numbersOnly(text: string): string {
  return text.replace(/(:\s*)-?(?:nan|inf)(?=\s*[,}\]])/g, '$1null');
}

function sumOf(...values: readonly unknown[]): number | undefined {
  let sum = 0;
  for (const value of values) {
    const number = numberOf(value);
    if (number === undefined) return undefined;
    sum += number;
  }
  return sum;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
