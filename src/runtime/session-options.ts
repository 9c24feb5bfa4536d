import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import { nativeProvider } from './execution-providers.js';
import type { SessionOptions } from './types.js';

/** What a session is made with unless the caller says otherwise. */
export const SESSION_DEFAULTS = { executionProviders: ['cpu'], graphOptimization: 'all' } as const;

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
