import { setTimeout as sleep } from 'node:timers/promises';
import { ServeOptError } from '../errors.js';
import { isFailure } from './client.js';
import { HttpConnection, type Transport } from './http-connection.js';
import { jsonObject, parseJson } from './json-tensor.js';
import { openTransport } from './open-transport.js';
import { parseServerUrl } from './server-url.js';

/** The model of a TorchServe that has one. */
export interface TorchServeState {
  readonly name: string;
  readonly version: string;
  /** A worker takes requests. */
  readonly ready: boolean;
}

const TIMEOUT_MS = 10_000;
/** Between two looks at the workers. */
const LOOK_MS = 250;

/** TorchServe's management API, of a server without tokens. */
export class TorchServeModels {
  readonly #transport: Promise<Transport>;

  constructor(url: string, signal: AbortSignal | undefined) {
    this.#transport = openTransport(parseServerUrl(url), { timeoutMs: TIMEOUT_MS, signal });
  }

  async isUp(): Promise<boolean> {
    return (await this.#get('/models')) !== undefined;
  }

  /**
   * Waits until a worker of the only model is ready, or `hasFailed` says that none will be: TorchServe starts a worker that
   * ends again and again, and only its log tells. Undefined where no model was loaded.
   */
  async settled(
    hasFailed: () => boolean,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<TorchServeState | undefined> {
    const limit = Date.now() + limitMs;
    for (;;) {
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      const state = await this.#state();
      if (state === undefined || state.ready || hasFailed() || Date.now() > limit) return state;
      await sleep(LOOK_MS);
    }
  }

  close(): void {
    this.#transport.then(
      ({ connections }) => connections.close(),
      () => {}, // It never opened, which whoever needed it has been told.
    );
  }

  async #state(): Promise<TorchServeState | undefined> {
    const models = jsonObject(await this.#get('/models'))?.get('models');
    const name = jsonObject(Array.isArray(models) ? models[0] : undefined)?.get('modelName');
    if (typeof name !== 'string') return undefined;
    const described = await this.#get(`/models/${encodeURIComponent(name)}`);
    const fields = jsonObject(Array.isArray(described) ? described[0] : undefined);
    const workers = fields?.get('workers');
    const states = (Array.isArray(workers) ? workers : []).map((worker) => jsonObject(worker)?.get('status'));
    return {
      name,
      version: String(fields?.get('modelVersion') ?? '1.0'),
      ready: states.includes('READY'),
    };
  }

  /** Undefined where there is no response with a document. */
  async #get(path: string): Promise<unknown> {
    const connection = new HttpConnection(await this.#transport);
    try {
      const response = await connection.exchange({ method: 'GET', path });
      return !isFailure(response) && response.ok ? parseJson(response.body, 'The response') : undefined;
    } finally {
      connection.close();
    }
  }
}
