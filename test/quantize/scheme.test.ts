import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { biasScales, quantizeBias, weightScalesForBias } from '../../src/quantize/bias.js';
import {
  QUANTIZED_TYPES,
  type QuantizedTypeName,
  quantizationParameters,
  quantizedTypeName,
  quantizeValue,
  S8_WEIGHTS,
  schemeOf,
  schemeRange,
  schemeText,
  typeRange,
  U8_ACTIVATIONS,
} from '../../src/quantize/scheme.js';

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });

describe('quantizationParameters', () => {
  it('widens a range to hold zero', () => {
    expect(quantizationParameters(1, 2.55, schemeOf('u8'))).toEqual({
      scale: Math.fround(Math.fround(2.55) / 255),
      zeroPoint: 0,
    });
    expect(quantizationParameters(-2.55, -1, schemeOf('u8')).zeroPoint).toBe(255);
  });

  it('centres symmetric ranges: zero point 0 for INT8, 128 for UINT8', () => {
    expect(quantizationParameters(-1, 127, schemeOf('s8', { symmetric: true }))).toEqual({ scale: 1, zeroPoint: 0 });
    expect(quantizationParameters(-1, 127, schemeOf('u8', { symmetric: true })).zeroPoint).toBe(128);
  });

  it('uses 7 bits when the range is reduced', () => {
    expect(quantizationParameters(-64, 64, schemeOf('s8', { symmetric: true, reduceRange: true }))).toEqual({
      scale: 1,
      zeroPoint: 0,
    });
    expect(quantizationParameters(0, 127, schemeOf('u8', { reduceRange: true })).scale).toBe(1);
  });

  it('falls back to scale 1 when the range is empty or too small for a float32 scale', () => {
    expect(quantizationParameters(0, 0, schemeOf('u8'))).toEqual({ scale: 1, zeroPoint: 0 });
    expect(quantizationParameters(-1e-40, 1e-40, schemeOf('s8', { symmetric: true }))).toEqual({
      scale: 1,
      zeroPoint: 0,
    });
  });

  it('represents zero exactly and every value of the range within one step', () => {
    fc.assert(
      fc.property(float32, float32, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, t) => {
        const [min, max] = [Math.min(a, b, 0), Math.max(a, b, 0)];
        fc.pre(max - min > 1e-30);
        const parameters = quantizationParameters(min, max, schemeOf('u8'));
        const value = Math.fround(min + (max - min) * t);
        const back = (quantizeValue(value, parameters, U8_ACTIVATIONS) - parameters.zeroPoint) * parameters.scale;
        expect(quantizeValue(0, parameters, U8_ACTIVATIONS)).toBe(parameters.zeroPoint);
        expect(Math.abs(back - value)).toBeLessThanOrEqual(parameters.scale * 1.001);
      }),
    );
  });
});

describe('schemes', () => {
  const names = Object.keys(QUANTIZED_TYPES) as QuantizedTypeName[];

  it('are found again by the type that holds them', () => {
    expect(names.map((name) => quantizedTypeName(schemeOf(name)))).toEqual(names);
  });

  it.each(names)('%s quantizes both ends of its range and zero without loss', (name) => {
    const scheme = schemeOf(name, { symmetric: true });
    const { min, max } = schemeRange(scheme);
    const largest = Math.max(-min, max);
    const parameters = quantizationParameters(-largest, largest, scheme);
    const limits = typeRange(scheme);
    for (const value of [-largest, 0, largest]) {
      const stored = quantizeValue(value, parameters, scheme);
      expect(stored).toBeGreaterThanOrEqual(limits.min);
      expect(stored).toBeLessThanOrEqual(limits.max);
      expect(Math.abs((stored - parameters.zeroPoint) * parameters.scale - value)).toBeLessThanOrEqual(
        parameters.scale,
      );
    }
    expect(quantizeValue(0, parameters, scheme)).toBe(parameters.zeroPoint);
  });

  it('leave out one value of a symmetric signed type of 8 and 16 bits, and none of 4', () => {
    const range = (name: QuantizedTypeName) => schemeRange(schemeOf(name, { symmetric: true }));
    expect([range('s8'), range('s16'), range('s4')]).toEqual([
      { min: -127, max: 127 },
      { min: -32767, max: 32767 },
      { min: -8, max: 7 },
    ]);
  });

  it('say what they are', () => {
    expect(schemeText(S8_WEIGHTS)).toBe('s8, symmetric, per channel');
    expect(schemeText(schemeOf('u4', { granularity: { kind: 'block', size: 32 } }))).toBe(
      'u4, asymmetric, blocks of 32',
    );
    expect(schemeText(schemeOf('s8', { symmetric: true, reduceRange: true }))).toBe(
      's8, symmetric, per tensor, 7 bits',
    );
  });
});

describe('biases', () => {
  it('are divided by input scale times weight scale', () => {
    const scales = biasScales(0.5, Float32Array.of(0.25, 1));
    expect([...scales]).toEqual([0.125, 0.5]);
    expect([...quantizeBias(Float32Array.of(1, 1.25), scales)]).toEqual([8, 2]);
  });

  it('raise the weight scale where they would not fit INT32', () => {
    const scales = Float32Array.of(1e-9, 1);
    const raised = weightScalesForBias(1e-3, scales, Float32Array.of(1, 1));
    expect(raised[0]).toBeGreaterThan(1e-9);
    expect(raised[1]).toBe(1);
    const quantized = quantizeBias(Float32Array.of(1, 1), biasScales(1e-3, raised));
    expect(quantized[0]).toBeLessThan(2 ** 31 - 1);
    expect(weightScalesForBias(1e-3, Float32Array.of(1), Float32Array.of(1))).toEqual(Float32Array.of(1));
  });
});
