import type { Model } from '../../../ir/model.js';
import { walkGraphs } from '../../../ir/walk.js';
import type { NodeFilter } from '../../../passes/node-filter.js';
import { assignSchemes } from '../../../passes/quantize/assign-schemes.js';
import { layerSelector } from '../../../passes/quantize/static-plan.js';
import { TensorSchemes } from '../../../quantize/assigned-schemes.js';
import { planStatic, type StaticPlan } from '../../../quantize/plan.js';
import type { QuantizationScheme } from '../../../quantize/scheme.js';
import type { QuantizeOptions } from '../../options.js';
import { schemesOf } from './schemes-of.js';

/** What static quantization with given options looks at. */
export interface PlannedStatic {
  readonly plan: StaticPlan;
  /** Scheme that the range of a tensor is chosen for: that with the fewest bits among its writer and readers. */
  readonly scheme: (tensor: string) => QuantizationScheme;
}

/**
 * Plans static quantization of a prepared model with the schemes of options, before anything is known of ranges.
 * @param layers which nodes may be quantized
 */
export function staticPlanOf(model: Model, layers: NodeFilter, options: QuantizeOptions): PlannedStatic {
  const wanted = schemesOf(options);
  const { schemes, float } = assignSchemes(model, wanted, wanted.overrides);
  const selected = layerSelector(model, layers);
  const plan = planStatic(model, {
    select: (node) => selected(node) && !float.has(node),
    dropsClamp: (node) => !schemes.activations(node).symmetric,
  });
  const types = new TensorSchemes(plan, schemes);
  const byName = new Map<string, QuantizationScheme>();
  for (const { values } of walkGraphs(model.graph))
    for (const value of values.values()) {
      const scheme = plan.tensors.has(value) ? types.narrowest(value) : undefined;
      if (scheme && !byName.has(value.name)) byName.set(value.name, scheme);
    }
  return { plan, scheme: (tensor) => byName.get(tensor) ?? wanted.activations };
}
