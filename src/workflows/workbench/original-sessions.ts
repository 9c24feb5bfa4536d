import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { saysInvalid } from '../../runtime/native-text.js';
import { SESSIONS } from '../../runtime/session-options.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { ExecutionOptions, WorkflowContext } from '../options.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import { Failure, type LoadedSession } from './failure.js';
import { GuardedRuntime } from './guarded-runtime.js';
import { OnceAProcess } from './once-a-process.js';

/**
 * What tells nothing for so long does not end, or not soon enough: a Loop whose condition is NaN, for one, and 50,000 nodes that
 * ONNX Runtime takes minutes to load. Large files may take longer.
 */
const SILENCE_MS = 30_000;
const SILENCE_MS_PER_MB = 50;

/** ONNX Runtime takes some four kilobytes a node. */
const LARGE_NODES = 20_000;

/** The original and models beside it, loaded in the child process: each once a process, and not again what it died of. */
export class OriginalSessions extends GuardedRuntime {
  /** Its sessions take hundreds of megabytes: no two of them are kept at once. */
  readonly isLarge: boolean;
  readonly #path: string;
  readonly #refused: string | undefined;
  readonly #known: OnceAProcess;
  /** Why the original is not used as ONNX Runtime optimizes it. */
  #optimizedFault: Failure | undefined;
  /** What took too long to load once does so again, whatever the options. */
  #tooSlow: Failure | undefined;

  constructor(
    runtime: LazyRuntime,
    original: Model,
    path: string,
    options: ExecutionOptions & WorkflowContext,
    silenceMs: number = SILENCE_MS + ((original.source?.sizeBytes ?? 0) / 1e6) * SILENCE_MS_PER_MB,
  ) {
    super(runtime, options, silenceMs);
    this.#path = path;
    this.#refused = whyNotRunnable(original);
    this.#known = new OnceAProcess(runtime);
    this.isLarge = countModel(original).nodes > LARGE_NODES;
  }

  /** Session of the original as a server would run it; a failure where ONNX Runtime's optimizations break it. */
  async optimized(): Promise<LoadedSession | Failure> {
    return (
      this.#optimizedFault ?? this.#known.remember('optimized', () => this.load(this.#path, SESSIONS.timed, 'original'))
    );
  }

  /** Session of the original as it stands, node by node. */
  bare(): Promise<LoadedSession | Failure> {
    return this.#known.remember('bare', () => this.load(this.#path, SESSIONS.bare, 'original'));
  }

  /** Why the original is compared without ONNX Runtime's optimizations only; undefined where it is not so. */
  get optimizedFault(): Failure | undefined {
    return this.#optimizedFault;
  }

  /** From now on the original is not used as ONNX Runtime optimizes it. */
  giveUpOptimized(fault: Failure): void {
    this.#optimizedFault = fault;
  }

  /** Frees a session of the original where there is one; it is loaded again when it is asked for. */
  async free(which: 'optimized' | 'bare'): Promise<void> {
    const known = this.#known.peek(which);
    if (known === undefined || known instanceof Failure) return;
    this.#known.forget(which);
    await this.release(known as LoadedSession);
  }

  /** Loads a model; the session, or why not. @throws as `attempt` */
  override async load(path: string, session: SessionOptions, what: string): Promise<LoadedSession | Failure> {
    if (this.#refused !== undefined) return new Failure(this.#refused);
    if (this.#tooSlow && path === this.#path) return this.#tooSlow;
    const loaded = await super.load(path, session, what);
    if (loaded instanceof Failure && loaded.timedOut && path === this.#path) this.#tooSlow = loaded;
    return loaded;
  }

  /**
   * What is wrong with the original according to ONNX Runtime, which refuses it however it is loaded; undefined where it
   * loads, or is refused for what is not its fault: an operator or a type that this build does not have, its size.
   */
  async whyInvalid(): Promise<string | undefined> {
    const optimized = await this.optimized();
    if (!(optimized instanceof Failure) || optimized.died || !saysInvalid(optimized.reason)) return undefined;
    const bare = await this.bare();
    return bare instanceof Failure && !bare.died ? bare.reason : undefined;
  }

  /** Whether a result loads in a way in which the original does, and what is wrong where it does not although the original does. */
  async whyNotLoaded(path: string): Promise<{ readonly loads: boolean; readonly wrong?: Failure }> {
    let loads = false;
    for (const [own, options] of [
      [await this.optimized(), SESSIONS.timed],
      [await this.bare(), SESSIONS.bare],
    ] as const) {
      if (own instanceof Failure) continue;
      const session = await this.load(path, options, 'result');
      if (session instanceof Failure) return { loads: false, wrong: session };
      await this.release(session);
      loads = true;
    }
    return { loads };
  }
}
