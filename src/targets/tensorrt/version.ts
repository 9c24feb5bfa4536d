/** A version of TensorRT. */
export interface TensorRtVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * The version in a banner of trtexec: `[TensorRT v8601]` is 8.6.1 (one digit each), `[TensorRT v101600]` is 10.16.0 (two
 * digits each from TensorRT 10 on). TensorRT 7 prints none in this form.
 */
export function parseBannerVersion(digits: string): TensorRtVersion | undefined {
  if (!/^\d{4,6}$/.test(digits)) return undefined;
  const number = Number(digits);
  if (digits.length === 4) {
    return { major: Math.floor(number / 1000), minor: Math.floor(number / 100) % 10, patch: number % 100 };
  }
  return { major: Math.floor(number / 10_000), minor: Math.floor(number / 100) % 100, patch: number % 100 };
}

/** `10.16`, `10.16.0`, `v8.6.1`; undefined for anything else. */
export function parseVersion(text: string): TensorRtVersion | undefined {
  const [, major, minor = '0', patch = '0'] =
    /^v?(\d{1,3})(?:\.(\d{1,3})(?:\.(\d{1,3})(?:\.\d+)*)?)?$/.exec(text) ?? [];
  if (major === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** `10.16.0`. */
export function formatVersion({ major, minor, patch }: TensorRtVersion): string {
  return `${major}.${minor}.${patch}`;
}

/** Whether a version is at least a minor version such as `8.6`. */
export function isAtLeast(version: TensorRtVersion, minor: string): boolean {
  return compareMinor(version, minor) >= 0;
}

/** Below 0 where the version is older than a minor version such as `8.6`, 0 where it is of it. */
export function compareMinor({ major, minor }: TensorRtVersion, other: string): number {
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
