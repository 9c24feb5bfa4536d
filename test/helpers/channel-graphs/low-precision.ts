/** Layers with numbers of fewer bits. */
import { type ImageLayer, WIDTHS } from './image.js';

/** A weight in 8 bits with a scale for each channel. */
export const quantizedWeight: ImageLayer = (b, x) => {
  if (b.opset < 13) return undefined;
  const channels = b.choose(WIDTHS);
  const w = b.integers('int8', [channels, x.channels, 1, 1], () => b.random.integer(200) - 100);
  const scale = b.floats([channels], () => 0.002 + 0.01 * b.random.float());
  const weight = b.node('DequantizeLinear', [w, scale, b.integers('int8', [channels], () => 0)], 'axis = 0');
  const scalar = [b.scalar(0.05), b.scalar(128, 'uint8')];
  const quantized = b.chance(0.5);
  const data = quantized
    ? b.node('DequantizeLinear', [b.node('QuantizeLinear', [x.name, ...scalar]), ...scalar])
    : x.name;
  return { ...x, name: b.node('Conv', [data, weight]), channels };
};

export const quantizedConv: ImageLayer = (b, x) => {
  if (b.opset < 10) return undefined;
  const channels = b.choose(WIDTHS);
  const w = b.integers('int8', [channels, x.channels, 1, 1], () => b.random.integer(200) - 100);
  const isEach = b.chance(0.5);
  const scale = isEach ? b.floats([channels], () => 0.002 + 0.01 * b.random.float()) : b.scalar(0.008);
  const zero = isEach ? b.integers('int8', [channels], () => 0) : b.scalar(0, 'int8');
  const scalar = [b.scalar(0.05), b.scalar(128, 'uint8')];
  const bias = b.chance(0.5) ? [b.integers('int32', [channels], () => b.random.integer(100))] : [];
  const data = b.node('QuantizeLinear', [x.name, ...scalar]);
  const y = b.node('QLinearConv', [data, ...scalar, w, scale, zero, ...scalar, ...bias]);
  return { ...x, name: b.node('DequantizeLinear', [y, ...scalar]), channels };
};

export const halfPrecision: ImageLayer = (b, x) => {
  const half = b.node('Cast', [x.name], 'to = 10');
  const scaled = b.node('Mul', [half, b.floats([1, x.channels, 1, 1], () => b.random.float(), 'float16')]);
  return { ...x, name: b.node('Cast', [scaled], 'to = 1') };
};
