import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { ChildState } from '../child-state.js';
import type { ProcessMemoryResult } from '../protocol.js';

/** Peak memory of this process. For what ONNX Runtime costs by itself, ask after `probe` has run its tiny model. */
export function processMemoryJob(_state: ChildState): ProcessMemoryResult {
  return { peakBytes: linuxPeakBytes() ?? peakBytes() };
}

/** Node says KiB, but macOS counts in bytes and older versions of Node hand that on. */
function peakBytes(): number {
  const { maxRSS } = process.resourceUsage();
  return maxRSS > process.memoryUsage().rss / 8 ? maxRSS : maxRSS * 1024;
}

/**
 * The kernel's high-water mark of this program. Linux's ru_maxrss is no use: it is inherited across fork and exec, so a
 * small child of a large parent seems to be large.
 */
function linuxPeakBytes(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return match ? Number(match[1]) * 1024 : undefined;
  } catch {
    return undefined; // Without /proc.
  }
}
