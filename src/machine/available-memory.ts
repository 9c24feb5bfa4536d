import { freemem } from 'node:os';
import { formatBytes, roundedUpBytes } from '../tensor/byte-size.js';
import { memoryLeft, readTextFile, type TextReader } from './cgroup.js';

/**
 * Bytes of memory that could be taken now without swapping: what the system has available and what control groups leave,
 * whichever is less.
 */
export function availableMemory(read: TextReader = readTextFile): number {
  // Free memory alone would leave out what the system would give back at once.
  const [, kilobytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(read('/proc/meminfo') ?? '') ?? [];
  const system = kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  return Math.min(system, memoryLeft(read) ?? system);
}

/** Beside what tensors need. */
const OVERHEAD_BYTES = 2 ** 28;

/** What to do about a need of so much: how to allow it, where this machine has it. */
export function howToAllow(neededBytes: number): string {
  const wanted = 1.1 * neededBytes + OVERHEAD_BYTES;
  const available = availableMemory();
  return wanted < available
    ? `allow more: --mem ${roundedUpBytes(wanted)}`
    : `allow more with --mem on a machine with more memory (${formatBytes(available)} is available here), or make sizes smaller`;
}
