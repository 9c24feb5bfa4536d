import { sumsIn16BitsHere } from '../../machine/dot-products.js';
import { PLACES } from '../../quantize/places.js';
import type { SessionOptions } from '../../runtime/types.js';
import type { ExecutionOptions } from '../options.js';
import { namedProviders } from '../preflight/providers.js';
import type { SchemeOptions } from '../scheme-options.js';

/** Makes the weights of INT8 kernels UINT8, whose products are summed in 32 bits, on x86 CPUs where those of INT8 are not. */
const WIDE_SUMS = { 'session.x64quantprecision': '1' } as const;

/**
 * Session options that an execution choice means. What will run where sums of products have 32 bits is run so here too, although this
 * machine's kernels would saturate. @throws SO1006 for an execution provider that is not known
 */
export function sessionOptions(options: ExecutionOptions & Pick<SchemeOptions, 'for'>): SessionOptions {
  const isElsewhere = options.for !== undefined && PLACES[options.for].saturates === false;
  return {
    ...(isElsewhere && sumsIn16BitsHere() ? { config: WIDE_SUMS } : {}),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.executionProviders === undefined
      ? {}
      : { executionProviders: namedProviders(options.executionProviders) }),
  };
}
