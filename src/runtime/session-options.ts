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
