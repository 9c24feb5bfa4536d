/** What CPUs multiply 8-bit integers with. */
import { readFileSync } from 'node:fs';
import { arch } from 'node:os';

/** Flags of Linux for instructions that sum products of 8-bit integers in 32 bits. */
const WIDE = /\b(avx512_vnni|avx_vnni|avx_vnni_int8|amx_int8)\b/;

/**
 * Whether a CPU sums products of UINT8 and INT8 in 16 bits, which saturate: x86 without VNNI and AMX. Undefined where it cannot be told:
 * outside of Linux. @param cpuinfo text of /proc/cpuinfo
 */
export function sumsIn16Bits(architecture: string, cpuinfo: string | undefined): boolean | undefined {
  if (architecture !== 'x64') return architecture === 'arm64' ? false : undefined;
  const flags = cpuinfo?.match(/^flags\s*:(.*)$/m)?.[1];
  return flags === undefined ? undefined : !WIDE.test(flags);
}

/** The same of this machine. */
export function sumsIn16BitsHere(): boolean | undefined {
  return sumsIn16Bits(arch(), cpuInfo());
}

function cpuInfo(): string | undefined {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return undefined;
  }
}
