import { DataType } from '../../tensor/dtype.js';
import { isTotalScalar } from '../decoder-inputs.js';
import type { ValueSpec } from '../types.js';
import type { DecoderConfig } from './decoder-config.js';
import type { TokenRole } from './token-role.js';

/** The inputs of a text model. */
export interface TokenInputs {
  /** Token numbers [batch, sequence]. */
  readonly ids: ValueSpec;
  readonly roles: ReadonlyMap<string, TokenRole>;
  /** Whether it takes keys and values of positions before, so that it is a decoder. */
  readonly isDecoder: boolean;
}

const IDS_NAME = /^(input_?)?(ids|tokens?)$|^input$/i;
const INTEGERS: ReadonlySet<number | undefined> = new Set([DataType.INT64, DataType.INT32]);
const MASKS: ReadonlySet<number | undefined> = new Set([...INTEGERS, DataType.BOOL, DataType.FLOAT, DataType.FLOAT16]);

/**
 * Which input is which, by the configuration of a decoder or by names that exporters use; undefined where one is neither token numbers
 * nor follows from them.
 */
export function tokenInputs(inputs: readonly ValueSpec[], config?: DecoderConfig): TokenInputs | undefined {
  const roles = new Map<string, TokenRole>();
  let ids: ValueSpec | undefined;
  for (const input of inputs) {
    const role = config && Object.hasOwn(config.roles, input.name) ? config.roles[input.name] : roleOf(input);
    if (role === undefined) return undefined;
    if (role === 'ids') {
      if (ids) return undefined;
      ids = input;
    }
    roles.set(input.name, role);
  }
  if (!ids) return undefined;
  return { ids, roles, isDecoder: [...roles.values()].includes('cache') };
}

function roleOf(input: ValueSpec): TokenRole | undefined {
  const { name, dataType, shape, cacheAxis } = input;
  if (cacheAxis !== undefined) return 'cache';
  if (isTotalScalar(input)) return 'total';
  if (dataType === DataType.BOOL && /^use_cache(_branch)?$/i.test(name)) return 'cacheFlag';
  if (INTEGERS.has(dataType) && shape?.length === 1 && /^seq(uence)?_?len(gth)?s(_k)?$/i.test(name)) return 'lengths';
  if (shape?.length !== 2) return undefined;
  if (MASKS.has(dataType) && /mask/i.test(name)) return 'mask';
  if (!INTEGERS.has(dataType)) return undefined;
  if (/token_?type|segment|^type_ids$/i.test(name)) return 'types';
  if (/position/i.test(name)) return 'positions';
  return IDS_NAME.test(name) ? 'ids' : undefined;
}
