/** The schemes that options ask for. */
import { sumsIn16BitsHere } from '../../../machine/dot-products.js';
import { PLACES } from '../../../quantize/places.js';
import type { QuantizationScheme } from '../../../quantize/scheme.js';
import { S32_BIASES } from '../../../quantize/scheme.js';
import { chosenActivations, chosenWeights, type SchemeOverride } from '../../../quantize/scheme-choices.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';

/** How a model is quantized: what its place gives, with what the options choose. */
export interface WantedSchemes {
  readonly activations: QuantizationScheme;
  readonly weights: QuantizationScheme;
  readonly biases: QuantizationScheme | 'float';
  readonly overrides: readonly SchemeOverride[];
  /** Sums of two products have to fit 16 bits. */
  readonly saturates: boolean;
  readonly leastMaximum: number;
}

/** What goes before an option: the place, then a file of schemes, then options for all weights, then overrides. */
export function schemesOf(options: QuantizeOptions): WantedSchemes {
  const place = PLACES[options.for ?? QUANTIZE_DEFAULTS.for];
  const { schemes = {}, overrides = [], perTensor, reduceRange } = options;
  const weights = chosenWeights(chosenWeights(place.weights, schemes.weights), {
    ...(perTensor ? { granularity: 'per-tensor' } : {}),
    ...(reduceRange ? { reduceRange: true } : {}),
  });
  const { biases } = schemes;
  return {
    activations: chosenActivations(place.activations, schemes.activations),
    weights,
    biases: biases === undefined ? place.biases : biases === 'float' ? 'float' : S32_BIASES,
    overrides: [...(schemes.overrides ?? []), ...overrides],
    saturates: place.saturates === 'here' ? (sumsIn16BitsHere() ?? false) : place.saturates,
    leastMaximum: place.leastMaximum ?? 0,
  };
}

/** Whether some activations get 16 bits, which ONNX has pairs for from opset 21 on. */
export function usesSixteenBits({ activations, overrides }: WantedSchemes): boolean {
  return activations.bits === 16 || overrides.some((each) => /16$/.test(each.activations?.type ?? ''));
}
