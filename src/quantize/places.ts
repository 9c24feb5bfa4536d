/** How models are quantized for each place where they may run. Sources are with the names. */
import type { PlaceName } from './place-names.js';
import { type QuantizationScheme, S8_WEIGHTS, S32_BIASES, schemeOf, U8_ACTIVATIONS } from './scheme.js';
import { TENSORRT_SCHEMES } from './tensorrt-schemes.js';

export interface QuantizationPlace {
  readonly activations: QuantizationScheme;
  readonly weights: QuantizationScheme;
  readonly biases: QuantizationScheme | 'float';
  /** Whether sums of two products are kept in 16 bits; `here` where it depends on this machine. */
  readonly saturates: boolean | 'here';
  /** Every range reaches at least so far above 0. */
  readonly leastMaximum?: number;
  /** ONNX Runtime on the CPUs of machines such as this one runs it as it will run, so that its speed can be judged here. */
  readonly runsHere: boolean;
}

const ORT_CPU = { activations: U8_ACTIVATIONS, weights: S8_WEIGHTS, biases: S32_BIASES, runsHere: true } as const;

export const PLACES: Readonly<Record<PlaceName, QuantizationPlace>> = {
  'ort-cpu': { ...ORT_CPU, saturates: 'here' },
  'ort-cpu:avx2': { ...ORT_CPU, saturates: true },
  'ort-cpu:vnni': { ...ORT_CPU, saturates: false },
  'ort-cuda': {
    activations: schemeOf('s8', { symmetric: true }),
    weights: S8_WEIGHTS,
    biases: 'float',
    saturates: false,
    runsHere: false,
  },
  tensorrt: { ...TENSORRT_SCHEMES.int8, biases: 'float', saturates: false, runsHere: false },
  openvino: {
    activations: U8_ACTIVATIONS,
    weights: S8_WEIGHTS,
    biases: 'float',
    saturates: false,
    runsHere: false,
  },
  qnn: {
    activations: U8_ACTIVATIONS,
    weights: schemeOf('u8'),
    biases: S32_BIASES,
    saturates: false,
    leastMaximum: 1e-4,
    runsHere: false,
  },
};
