import { ServeOptError } from '../../errors.js';
import type { RequestOptions, RuntimeHost } from '../../runtime/host.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { withOptions } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { ExecutionOptions, WorkflowContext } from '../options.js';
import { sessionOptions } from './execution-session.js';
import { Failure, type LoadedSession } from './failure.js';

/** A request of a guarded process; it passes `watch` on with what may last: that ends what makes no progress any more. */
export type GuardedRequest<T> = (host: RuntimeHost, watch: RequestOptions) => Promise<T>;

/** The child process for models that it may die of, or that do not come to an end: that becomes a reason, and the next request goes on. */
export class GuardedRuntime {
  readonly runtime: LazyRuntime;
  readonly #options: ExecutionOptions & WorkflowContext;
  readonly #silenceMs: number;

  /** @param silenceMs what tells nothing for so long is ended, in ms */
  constructor(runtime: LazyRuntime, options: ExecutionOptions & WorkflowContext, silenceMs: number) {
    this.runtime = runtime;
    this.#options = options;
    this.#silenceMs = silenceMs;
  }

  /**
   * Asks something of the process, and makes a reason of what a model is to blame for: that it is refused, that the process ends,
   * or that it does not come to an end. A process that ended is replaced by the next request.
   * @throws what is no fault of a model: SO5004, SO5005, SO8130
   */
  async attempt<T>(doing: string, ask: GuardedRequest<T>): Promise<T | Failure> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.#silenceMs);
    try {
      return await ask(await this.runtime.host(), { signal: silence.signal, onProgress: () => timer.refresh() });
    } catch (error) {
      if (!(error instanceof ServeOptError) || this.#options.signal?.aborted) throw error;
      if (silence.signal.aborted) {
        await this.runtime.close();
        const seconds = Math.round(this.#silenceMs / 1000);
        return new Failure(`${doing} did not finish within ${seconds} s`, true, undefined, true);
      }
      const reason = error.why === undefined ? error.message : `${error.message}: ${error.why}`;
      if (error.code === 'SO5001' || error.code === 'SO5002' || error.code === 'SO5006') return new Failure(reason);
      if (error.code !== 'SO5003' && error.code !== 'SO2105') throw error;
      await this.runtime.close();
      if (error.code === 'SO2105') return new Failure(`${doing} needs too much memory: ${reason}`, true, error);
      return new Failure(`${doing} crashed the ONNX Runtime process: ${reason}`, true);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Loads a model; the session, or why not. @throws as `attempt` */
  async load(path: string, session: SessionOptions, what: string): Promise<LoadedSession | Failure> {
    const options = withOptions(session, sessionOptions(this.#options));
    const loaded = await this.attempt(`loading the ${what}`, (host, watch) =>
      host.request('load', { path, options }, watch),
    );
    return loaded instanceof Failure ? loaded : { id: loaded.session, generation: this.runtime.generation };
  }

  /** Frees a session, unless its process is gone. */
  async release(session: LoadedSession): Promise<void> {
    if (this.isLive(session))
      await this.attempt('freeing a session', (host) => host.request('release', { session: session.id }));
  }

  /** Whether the process of a session is still there. */
  isLive(session: LoadedSession): boolean {
    return session.generation === this.runtime.generation;
  }
}
