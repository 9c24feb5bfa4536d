import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { float32ToFloat16 } from '../../tensor/float16.js';
import type { HostData } from '../types.js';
import type { ImagePlan } from './image-plan.js';
import type { Pixels } from './pixels.js';

/**
 * Elements of one sample from an image of the input's size, in its layout. Arithmetic is that of numpy in float32:
 * (p · scale − mean) / std, each step rounded.
 */
export function imageValues(image: Pixels, plan: ImagePlan, dataType: DataTypeCode): HostData {
  const { channels, data } = image;
  const area = plan.width * plan.height;
  const reversed = plan.color === 'bgr';
  // Where the value of pixel `at` and channel `c` lies.
  const [pixelStep, channelStep] = plan.layout === 'nchw' ? [1, area] : [channels, 1];
  if (dataType === DataType.UINT8) {
    const bytes = new Uint8Array(area * channels);
    for (let c = 0; c < channels; c++) {
      const from = reversed ? channels - 1 - c : c;
      for (let at = 0; at < area; at++) bytes[at * pixelStep + c * channelStep] = data[at * channels + from] as number;
    }
    return bytes;
  }
  const values = new Float32Array(area * channels);
  for (let c = 0; c < channels; c++) {
    const table = valueTable(plan, c);
    const from = reversed ? channels - 1 - c : c;
    for (let at = 0; at < area; at++)
      values[at * pixelStep + c * channelStep] = table[data[at * channels + from] as number] as number;
  }
  if (dataType === DataType.DOUBLE) return Float64Array.from(values);
  if (dataType !== DataType.FLOAT16) return values;
  const bits = new Uint16Array(values.length);
  float32ToFloat16(values, bits);
  return bits;
}

/** What each pixel of a channel becomes. */
function valueTable({ scale, mean, std }: ImagePlan, channel: number): Float32Array {
  const [factor, middle, spread] = [scale, mean[channel] ?? 0, std[channel] ?? 1].map(Math.fround) as [
    number,
    number,
    number,
  ];
  return Float32Array.from({ length: 256 }, (_, pixel) =>
    Math.fround(Math.fround(Math.fround(pixel * factor) - middle) / spread),
  );
}
