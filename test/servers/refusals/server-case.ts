/** A repository that is put before a real tritonserver, and what the server is known to do with it. */

/**
 * refused: the model does not become ready. ignored: it loads, but part of what the configuration says has no effect or
 * breaks every request. loaded: it loads and means what it says. unavailable: it needs a backend, a device or files that
 * the recording server does not have; everything that is checked before that was accepted.
 */
export type Outcome = 'refused' | 'ignored' | 'loaded' | 'unavailable';

export interface ModelFolder {
  /** Contents of config.pbtxt. Without it the folder has none. */
  readonly config?: string | Uint8Array;
  /** Paths inside the folder to what stands there: the name of a shared file, or a text. */
  readonly files: Readonly<Record<string, SharedFile | string>>;
  /** Empty folders. */
  readonly folders?: readonly string[];
}

/** A file of `fixtures/triton/models`. */
export interface SharedFile {
  readonly shared: string;
}

export interface ServerCase {
  /** Unique, in lower case with dashes; names the folder of its configurations. */
  readonly name: string;
  /** What is wrong or special, in one sentence. */
  readonly summary: string;
  readonly outcome: Outcome;
  /** What has no effect, or what breaks; only where the outcome is `ignored`. */
  readonly ignored?: string;
  /** Where users met it. */
  readonly source?: string;
  /** What later versions of the server do instead. */
  readonly later?: Outcome;
  /** By name. The first one is loaded. */
  readonly models: Readonly<Record<string, ModelFolder>>;
  /** Paths into the configuration that the server gives back, to record what it made of them. */
  readonly shows?: readonly string[];
}

export function shared(name: string): SharedFile {
  return { shared: name };
}

/** A folder with one version of a shared ONNX model. */
export function onnx(model: string, config?: string | Uint8Array, version = '1'): ModelFolder {
  return { ...(config === undefined ? {} : { config }), files: { [`${version}/model.onnx`]: shared(`${model}.onnx`) } };
}

type Rest = Omit<ServerCase, 'name' | 'summary' | 'outcome' | 'models'>;

/** A repository with one model, named `model`. */
export function one(outcome: Outcome, name: string, summary: string, folder: ModelFolder, rest: Rest = {}): ServerCase {
  return { name, summary, outcome, models: { model: folder }, ...rest };
}

/** A repository with one model that loads, but with `ignored` in it. */
export function quiet(
  name: string,
  summary: string,
  ignored: string,
  folder: ModelFolder,
  ...shows: readonly string[]
): ServerCase {
  return one('ignored', name, summary, folder, { ignored, ...(shows.length === 0 ? {} : { shows }) });
}

/** What every case varies: a model with a batch, from X to Y of four floats each. */
export const HEAD = 'platform: "onnxruntime_onnx"\nmax_batch_size: 8\n';
export const INPUT = 'input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]\n';
export const OUTPUT = 'output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]\n';
export const PLAIN = `${HEAD}${INPUT}${OUTPUT}`;

/** `PLAIN` and more fields. */
export function plus(fields: string): ModelFolder {
  return onnx('batched', `${PLAIN}${fields}\n`);
}

/** `PLAIN` with one text replaced. */
export function instead(text: string, by: string): ModelFolder {
  if (!PLAIN.includes(text)) throw new Error(`the plain configuration has no ${text}`);
  return onnx('batched', PLAIN.replace(text, by));
}
