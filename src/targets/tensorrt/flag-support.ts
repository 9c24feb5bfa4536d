import { NEWEST_VERSION, OLDEST_VERSION, TRTEXEC_FLAGS, type TrtexecFlag } from './trtexec-flags.js';
import { compareMinor, formatVersion, isAtLeast, type TensorRtVersion } from './version.js';

/** What a version of trtexec makes of an option. */
export type FlagState = 'taken' | 'idle' | 'not-yet' | 'removed' | 'unknown';

/** Names of all options that some version takes. */
export const TRTEXEC_FLAG_NAMES: readonly string[] = Object.keys(TRTEXEC_FLAGS);

/** What a version makes of an option, `--fp16` for example. A version beyond the table is taken for the nearest in it. */
export function flagState(name: string, version: TensorRtVersion): FlagState {
  const row = flagRow(name);
  if (row === undefined) return 'unknown';
  if (row.since !== undefined && !isAtLeast(version, row.since)) return 'not-yet';
  if (row.last !== undefined && compareMinor(version, row.last) > 0) return 'removed';
  if (row.idleSince !== undefined && isAtLeast(version, row.idleSince)) return 'idle';
  return 'taken';
}

/** The row of an option; undefined where no version takes it. */
export function flagRow(name: string): TrtexecFlag | undefined {
  return Object.hasOwn(TRTEXEC_FLAGS, name)
    ? (TRTEXEC_FLAGS as Readonly<Record<string, TrtexecFlag>>)[name]
    : undefined;
}

/** Why the table may be wrong for a version; undefined within it. */
export function versionDoubt(version: TensorRtVersion): string | undefined {
  const shown = formatVersion(version);
  if (compareMinor(version, OLDEST_VERSION) < 0)
    return `TensorRT ${shown} is older than ${OLDEST_VERSION}, the first version that serve-opt knows the options of.`;
  if (compareMinor(version, NEWEST_VERSION) > 0)
    return `TensorRT ${shown} is newer than ${NEWEST_VERSION}, the last version that serve-opt knows the options of: they are rendered as for ${NEWEST_VERSION}.`;
  return undefined;
}
