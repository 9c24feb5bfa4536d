import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import { nativeProvider } from './execution-providers.js';
import type { SessionOptions } from './types.js';

/** What a session is made with unless the caller says otherwise. */
export const SESSION_DEFAULTS = { executionProviders: ['cpu'], graphOptimization: 'all' } as const;

/** Whether idle threads of a session look for work, or sleep at once. */
const SPINNING = 'session.intra_op.allow_spinning';

/**
 * For sessions that are timed in turns: idle threads look for work for a millisecond and then sleep. While runs follow each
 * other that is as by default, where they look for tens of milliseconds and take the CPU from the other session.
 */
const TURNS = { 'session.intra_op.spin_duration_us': '1000' } as const;

/** Options for a session that is timed in turns with others. */
export function forTurns(options: SessionOptions = {}): SessionOptions {
  const { [SPINNING]: _, ...config } = options.config ?? {};
  return { ...options, config: { ...config, ...TURNS } };
}

/**
 * Options for sessions of which only outputs are wanted, and which run one after the other: threads of the one that waits would
 * spin on the cores that the other needs. For latencies sessions are made anew (`latencyJob`).
 */
export function withoutSpinning(options: SessionOptions = {}): SessionOptions {
  return { ...options, config: { ...options.config, [SPINNING]: '0' } };
}

/** Options of a session with more on top; of configuration entries both are kept. */
export function withOptions(options: SessionOptions, more: SessionOptions): SessionOptions {
  const config = { ...options.config, ...more.config };
  return { ...options, ...more, ...(Object.keys(config).length === 0 ? {} : { config }) };
}

/**
 * Kernels as they are, node by node. Prepared weights are off, since ONNX Runtime prepares constants only: what passes turn
 * into a constant would be multiplied in another order. No plan of all activations as one block, either (14 MB of a ResNet-50).
 */
const BARE: SessionOptions = {
  graphOptimization: 'disabled',
  memoryPattern: false,
  config: { 'session.disable_prepacking': '1' },
};

/** How models are run, by what for: the only list. Threads and execution providers of the caller come on top. */
export const SESSIONS = {
  /** As a server would run it, ready to be timed beside another. */
  timed: forTurns({ graphOptimization: 'all' }),
  /** Outputs that are compared, as ONNX Runtime optimizes the model. */
  compared: withoutSpinning({ graphOptimization: 'all' }),
  /** The same without ONNX Runtime's own optimizations, where these break a model. */
  unoptimized: withoutSpinning({ graphOptimization: 'disabled' }),
  /** Outputs that have to be equal but for what was changed in the graph. */
  bare: BARE,
  /**
   * Every tensor is seen and little is held: optimizations would fuse observed tensors away. Threads that wait sleep instead of
   * spinning: on a busy machine that makes a run a third shorter, on an idle one it changes nothing.
   */
  observed: withoutSpinning(BARE),
  /** Constants that are computed: one thread gives the same bits on a machine with more processors. */
  evaluated: { ...BARE, threads: 1 },
} as const satisfies Readonly<Record<string, SessionOptions>>;

/** Whether a session was made for being timed in turns. */
export function isForTurns({ config = {} }: SessionOptions): boolean {
  return config[SPINNING] === undefined && Object.entries(TURNS).every(([key, value]) => config[key] === value);
}

/** ONNX Runtime's severity 4: only fatal messages reach standard error. */
const LOG_FATAL = 4;

/**
 * serve-opt's session options in onnxruntime-node's terms. Configuration entries travel in `extra` under their dotted
 * names; its typing says web only, but the native side reads them (strings only).
 */
export function nativeSessionOptions(options: SessionOptions = {}): InferenceSession.SessionOptions {
  return {
    executionProviders: (options.executionProviders ?? SESSION_DEFAULTS.executionProviders).map(nativeProvider),
    graphOptimizationLevel: options.graphOptimization ?? SESSION_DEFAULTS.graphOptimization,
    intraOpNumThreads: options.threads ?? availableParallelism(),
    interOpNumThreads: 1,
    logSeverityLevel: LOG_FATAL,
    ...(options.memoryPattern === undefined ? {} : { enableMemPattern: options.memoryPattern }),
    // Neither does anything without the other.
    ...(options.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
    ...(options.config ? { extra: { ...options.config } } : {}),
  };
}
