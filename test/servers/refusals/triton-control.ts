/** A tritonserver in explicit mode: models are loaded and unloaded by name. */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type RunningServer, responds, startServer } from '../server-process.js';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** What a request waits for at most, in ms; a busy machine takes tens of seconds to load a model. */
const LOAD_LIMIT_MS = 60_000;
const UNLOAD_LIMIT_MS = 30_000;

export class TritonControl {
  readonly url: string;
  private readonly server: RunningServer;

  private constructor(url: string, server: RunningServer) {
    this.url = url;
    this.server = server;
  }

  static async start(binary: string, repository: string, scratch: string): Promise<TritonControl> {
    mkdirSync(repository, { recursive: true });
    const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
    const addresses = ['http', 'grpc', 'metrics'].map((part) => `--${part}-address=127.0.0.1`);
    const ports = [`--http-port=${http}`, `--grpc-port=${grpc}`, `--metrics-port=${metrics}`];
    const mode = [`--model-repository=${repository}`, '--model-control-mode=explicit'];
    const url = `http://127.0.0.1:${http}`;
    const server = await startServer(binary, [...mode, ...addresses, ...ports], { cwd: scratch, env: {} }, () =>
      responds(`${url}/v2/health/live`),
    );
    return new TritonControl(url, server);
  }

  /** What the server wrote since `mark`. */
  logSince(mark: number): string {
    return this.server.log().slice(Math.max(0, mark - this.server.dropped()));
  }

  get logMark(): number {
    return this.server.dropped() + this.server.log().length;
  }

  async request(path: string, body?: unknown, limitMs = LOAD_LIMIT_MS): Promise<Reply> {
    const post = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.url}${path}`, {
      ...(body === undefined ? {} : post),
      signal: AbortSignal.timeout(limitMs),
    });
    return { status: response.status, body: await response.text() };
  }

  load(model: string): Promise<Reply> {
    return this.request(`/v2/repository/models/${encodeURIComponent(model)}/load`, {});
  }

  /** Whether the process is gone, which a request alone does not tell at once. */
  async hasEnded(): Promise<boolean> {
    await sleep(500);
    return this.server.hasEnded();
  }

  async isReady(model: string): Promise<boolean> {
    return (await this.request(`/v2/models/${encodeURIComponent(model)}/ready`)).status === 200;
  }

  /** Unloads models and waits until none is left. @throws where one stays */
  async unload(models: readonly string[]): Promise<void> {
    for (const model of models) await this.request(`/v2/repository/models/${encodeURIComponent(model)}/unload`, {});
    const limit = Date.now() + UNLOAD_LIMIT_MS;
    for (;;) {
      const index = JSON.parse((await this.request('/v2/repository/index', {})).body) as { state?: string }[];
      if (index.every(({ state }) => state === undefined || state === 'UNAVAILABLE')) return;
      if (Date.now() > limit) throw new Error(`models stay loaded: ${JSON.stringify(index)}`);
      await sleep(100);
    }
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
