import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes, roundedUpBytes } from '../../src/tensor/byte-size.js';

describe('sizes in bytes', () => {
  it('are read with decimal and binary units, in any case', () => {
    expect(['512MB', '2gb', '1.5 GiB', '1024', '3k', '1TB'].map(parseBytes)).toEqual([
      512e6,
      2e9,
      1.5 * 2 ** 30,
      1024,
      3000,
      1e12,
    ]);
    expect(['', 'GB', '-1GB', '2 GBs', '1e9', '2G B', 'none', '5%'].map(parseBytes)).toEqual(
      new Array(8).fill(undefined),
    );
  });

  it('are written in the largest unit that leaves three digits, however large', () => {
    expect([0, 999, 999_600, 97.8e6, 8.59e9, 4.4e12, 2 ** 100].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 MB',
      '97.8 MB',
      '8.59 GB',
      '4.40 TB',
      '1.27e+12 EB',
    ]);
  });

  it('are rounded up to what an option takes, and never down', () => {
    for (const bytes of [1, 256e6, 1.01e9, 8.59e9, 23.4e9, 999.99e9, 4.4e12]) {
      const text = roundedUpBytes(bytes);
      expect(parseBytes(text), text).toBeGreaterThanOrEqual(bytes);
    }
    expect(roundedUpBytes(8.59e9)).toBe('8.6GB');
  });
});
