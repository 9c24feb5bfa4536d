import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
  formatPoints,
  plural,
} from '../../src/report/format.js';

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [25_123_456, '25.1 MB'],
    [97_800_000, '97.8 MB'],
    [999_499, '999 kB'],
    [999_600, '1.00 MB'],
    [2 ** 31, '2.15 GB'],
  ])('writes %d bytes as %s', (value, expected) => {
    expect(formatBytes(value)).toBe(expected);
  });

  it.each([
    [0.03712, '0.037 ms'],
    [0.3, '0.30 ms'],
    [0.4217, '0.42 ms'],
    [4.26, '4.3 ms'],
    [17.6, '17.6 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [3140, '3.1 s'],
    [125_000, '2 min 5 s'],
    [7_500_000, '2 h 5 min'],
  ])('writes %d milliseconds as %s', (value, expected) => {
    expect(formatDuration(value)).toBe(expected);
  });

  it.each([
    [97.8, 25.1, '−74 %'],
    [100, 103.1, '+3.1 %'],
    [100, 100, '±0 %'],
    [0, 5, 'new'],
  ])('writes the way from %d to %d as %s', (before, after, expected) => {
    expect(formatChange(before, after)).toBe(expected);
  });

  it('writes points with a true minus sign', () => {
    expect([formatPoints(-0.002), formatPoints(0.0123), formatPoints(0)]).toEqual(['−0.2 pt', '+1.2 pt', '±0 pt']);
  });

  it('writes percent, counts and plurals', () => {
    expect(formatPercent(0.98765)).toBe('98.8 %');
    expect([1, 0.99999, 0.9996, 0.94, 0.0123, 0].map(formatPercent)).toEqual([
      '100 %',
      '99.99 %',
      '99.96 %',
      '94.0 %',
      '1.2 %',
      '0 %',
    ]);
    expect(formatCount(9999)).toBe('9,999');
    expect(formatCount(25_557_032)).toBe('25.6 M');
    expect(formatInteger(-1234567)).toBe('−1,234,567');
    expect(plural(1, 'node')).toBe('1 node');
    expect(plural(0, 'node')).toBe('0 nodes');
  });

  it('writes any number, also the odd ones', () => {
    expect([0, 1.23456, -0.000012, 1e9, Number.NaN, -Infinity].map((value) => formatNumber(value))).toEqual([
      '0',
      '1.23',
      '−1.20e−5',
      '1.00e9',
      'NaN',
      '−∞',
    ]);
  });
});
