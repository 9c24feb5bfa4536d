import { isFailure, type ServerResponse } from './client.js';
import { HttpConnection, type Transport } from './http-connection.js';
import { jsonObject, parseJson } from './json-tensor.js';
import { MAX_MODELS, MAX_TENSORS } from './limits.js';
import { refused } from './refusal.js';
import { malformed, serverText } from './server-error.js';
import { isShape } from './v2-metadata.js';

/** A version of a model in the repository of a Triton server. */
export interface RepositoryEntry {
  readonly name: string;
  /** Absent where the server read no configuration. */
  readonly version: string | undefined;
  /** `READY`, `UNAVAILABLE`, `LOADING` …; absent where it was never loaded. */
  readonly state: string | undefined;
  readonly reason: string | undefined;
}

/** An input or output of a configuration; -1 for an open dimension, without the batch. */
export interface ConfiguredTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** The shape that the model itself has, where it is another. */
  readonly reshape: readonly number[] | undefined;
}

/** One step of an ensemble. Maps go from the tensor of the step's model to the tensor of the ensemble. */
export interface EnsembleStep {
  readonly model: string;
  /** -1 for the latest. */
  readonly version: number;
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

/** What Triton made of a model's configuration, with what it completed. */
export interface TritonConfiguration {
  readonly platform: string;
  readonly backend: string;
  readonly maxBatchSize: number;
  readonly inputs: readonly ConfiguredTensor[];
  readonly outputs: readonly ConfiguredTensor[];
  readonly fileName: string;
  /** Empty where the model is no ensemble. */
  readonly steps: readonly EnsembleStep[];
  readonly isSequence: boolean;
  readonly isDecoupled: boolean;
}

/** Triton's extensions of the protocol that tell what is in its repository. All over HTTP. */
export class TritonRepository {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether the server answers; it does once it has tried to load every model. */
  async isUp(): Promise<boolean> {
    const connection = new HttpConnection(this.#transport);
    try {
      const response = await connection.exchange({ method: 'GET', path: '/v2/health/live', timeoutMs: 2000 });
      return !isFailure(response) && response.ok;
    } finally {
      connection.close();
    }
  }

  /** Name and version of the server. @throws SO5101 to SO5103 */
  async serverName(): Promise<string> {
    const fields = jsonObject(await this.#query({ method: 'GET', path: '/v2' }));
    return serverText(
      [fields?.get('name'), fields?.get('version')].filter((part) => typeof part === 'string').join(' '),
    );
  }

  /** Every model and version that the server knows of. @throws SO5101 to SO5103 */
  async index(): Promise<readonly RepositoryEntry[]> {
    const body = new TextEncoder().encode('{}');
    const headers = { 'content-type': 'application/json' };
    const value = await this.#query({ method: 'POST', path: '/v2/repository/index', headers, body });
    if (!Array.isArray(value)) throw malformed('The index of the repository is not a list');
    if (value.length > MAX_MODELS) throw malformed(`The index of the repository has more than ${MAX_MODELS} models`);
    return value.map((item) => {
      const fields = jsonObject(item);
      const name = fields?.get('name');
      if (typeof name !== 'string') throw malformed('The index of the repository has an entry without a name');
      return {
        name,
        version: text(fields?.get('version')),
        state: text(fields?.get('state')),
        reason: text(fields?.get('reason')),
      };
    });
  }

  /** @throws SO5101 to SO5103 */
  async configuration(model: string, version: string | undefined): Promise<TritonConfiguration> {
    const home = `/v2/models/${encodeURIComponent(model)}`;
    const path = `${home}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}/config`;
    const fields = jsonObject(await this.#query({ method: 'GET', path }));
    if (!fields) throw malformed('The configuration of the model is not an object');
    const scheduling = jsonObject(fields.get('ensemble_scheduling'));
    return {
      platform: text(fields.get('platform')) ?? '',
      backend: text(fields.get('backend')) ?? '',
      maxBatchSize: number(fields.get('max_batch_size')) ?? 0,
      inputs: tensors(fields.get('input'), 'inputs'),
      outputs: tensors(fields.get('output'), 'outputs'),
      fileName: text(fields.get('default_model_filename')) || 'model.onnx',
      steps: list(scheduling?.get('step')).map(step),
      isSequence: fields.has('sequence_batching'),
      isDecoupled: jsonObject(fields.get('model_transaction_policy'))?.get('decoupled') === true,
    };
  }

  async #query(request: Parameters<HttpConnection['query']>[0]): Promise<unknown> {
    const connection = new HttpConnection(this.#transport);
    try {
      const response = await connection.query(request);
      if (!response.ok) throw refused(this.#transport.url.address, response, errorText(response));
      return parseJson(response.body, 'The response');
    } finally {
      connection.close();
    }
  }
}

function errorText(response: ServerResponse): string {
  const fields = jsonObject(parseJson(response.body, 'The response'));
  return serverText(text(fields?.get('error')) ?? '');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** 64-bit numbers may come as texts. */
function number(value: unknown): number | undefined {
  const given = typeof value === 'string' ? Number(value) : value;
  return typeof given === 'number' && Number.isSafeInteger(given) ? given : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_TENSORS) : [];
}

function shape(value: unknown): readonly number[] | undefined {
  const numbers = Array.isArray(value) ? value.map(number) : undefined;
  return isShape(numbers) ? numbers : undefined;
}

function tensors(value: unknown, what: string): ConfiguredTensor[] {
  return list(value).map((item) => {
    const fields = jsonObject(item);
    const name = text(fields?.get('name'));
    const dims = shape(fields?.get('dims'));
    if (name === undefined || dims === undefined) {
      throw malformed(`The configuration has an entry of ${what} without name or dims`);
    }
    const reshape = jsonObject(fields?.get('reshape'));
    return { name, dims, reshape: reshape === undefined ? undefined : (shape(reshape.get('shape') ?? []) ?? []) };
  });
}

function step(value: unknown): EnsembleStep {
  const fields = jsonObject(value);
  const model = text(fields?.get('model_name'));
  if (model === undefined) throw malformed('The configuration has a step without a model');
  const map = (field: string): ReadonlyMap<string, string> =>
    new Map([...(jsonObject(fields?.get(field)) ?? [])].map(([key, name]) => [key, String(name)]));
  return {
    model,
    version: number(fields?.get('model_version')) ?? -1,
    inputs: map('input_map'),
    outputs: map('output_map'),
  };
}
