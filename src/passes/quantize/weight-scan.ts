import type { Node } from '../../ir/node.js';
import { type QuantizationScheme, schemeText } from '../../quantize/scheme.js';
import type { WeightedNode } from '../../quantize/weighted.js';
import { type WeightParameters, weightParameters, weightRanges } from '../../quantize/weights.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Scales and zero points of weights, each weight read once for each axis and scheme. */
export class WeightScan {
  readonly #schemeOf: (node: Node) => QuantizationScheme;
  readonly #allowsChannels: boolean;
  readonly #known: Map<Tensor, Map<string, WeightParameters | undefined>> = new Map();
  /** Whether one scale per channel was wanted where it is not possible. */
  withoutChannels = false;

  /** @param allowsChannels false gives every weight one scale */
  constructor(schemeOf: (node: Node) => QuantizationScheme, allowsChannels: boolean) {
    this.#schemeOf = schemeOf;
    this.#allowsChannels = allowsChannels;
  }

  /** Undefined when the weight holds NaN or an infinity. */
  parameters({ node, weight, axis }: WeightedNode): WeightParameters | undefined {
    const wanted = this.#schemeOf(node);
    const perChannel = wanted.granularity.kind === 'channel' && this.#allowsChannels;
    if (wanted.granularity.kind === 'channel' && !perChannel) this.withoutChannels = true;
    const scheme: QuantizationScheme = {
      ...wanted,
      // Kernels take one zero point for all channels, so ranges per channel have to be symmetric.
      symmetric: wanted.symmetric || perChannel,
      granularity: perChannel ? { kind: 'channel', axis } : { kind: 'tensor' },
    };
    let known = this.#known.get(weight);
    if (!known) {
      known = new Map();
      this.#known.set(weight, known);
    }
    const key = `${perChannel ? axis : ''} ${schemeText(scheme)}`;
    if (!known.has(key)) {
      const ranges = weightRanges(weight, perChannel ? axis : undefined, scheme.symmetric);
      known.set(key, ranges && weightParameters(ranges, scheme));
    }
    return known.get(key);
  }
}
