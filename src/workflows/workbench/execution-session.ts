import type { SessionOptions } from '../../runtime/types.js';
import type { ExecutionOptions } from '../options.js';
import { namedProviders } from '../preflight/providers.js';

/** Session options that an execution choice means. @throws SO1006 for an execution provider that is not known */
export function sessionOptions(options: ExecutionOptions): SessionOptions {
  return {
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.executionProviders === undefined
      ? {}
      : { executionProviders: namedProviders(options.executionProviders) }),
  };
}
