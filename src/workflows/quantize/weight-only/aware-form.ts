import type { WeightOnlyOptions } from '../../../passes/quantize/weight-only/weight-only-options.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { ScaledGroupReport } from '../../../report/weight-only-types.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import type { Conversion } from '../conversion.js';
import { type AwareSamples, scaleForActivations } from './activation-aware.js';
import type { ProductChoice } from './scale-products.js';
import type { WeightTools } from './weight-tools.js';
import { planUnits } from './weighted-form.js';

/** Samples that decide at most, and their share of those that calibrate. */
const MOST_HELD_OUT = 64;
const HELD_OUT_SHARE = 0.25;

/** A model with scaled inputs of products, before its weights are quantized. */
export interface AwareForm {
  readonly form: {
    readonly conversion: Conversion;
    readonly units: readonly WeightUnit[];
    readonly scaled: readonly ScaledGroupReport[];
  };
  readonly choices: ReadonlyMap<string, ProductChoice>;
}

/** A copy of a prepared model whose products have inputs scaled by what samples activate; undefined where there are no samples. */
export async function awareForm(
  prepared: Conversion,
  choices: WeightOnlyOptions,
  split: SampleSplit,
  tools: WeightTools,
): Promise<AwareForm | undefined> {
  const samples = awareSamples(split);
  if (!samples) return undefined;
  const conversion = prepared.copy();
  const { model } = conversion;
  const before = planUnits(conversion, choices);
  const scaling = await scaleForActivations(model, before, samples, tools);
  if (!scaling.groups.some(({ alpha }) => alpha > 0))
    conversion.warnings.push(
      scaling.groups.length === 0
        ? 'AWQ scaled nothing: no layer before a product can take factors, as normalizations and products with other readers cannot. Weights were only rounded; --method gptq needs no such layer.'
        : 'AWQ scaled nothing: factors gain nothing on held-out samples. Weights were only rounded.',
    );
  // Constants that took factors may have other names.
  const units = planUnits(conversion, choices);
  const keys = new Map(units.map(({ key, uses }) => [uses[0]?.node, key]));
  const known = before.flatMap(({ key, uses }): [string, ProductChoice][] => {
    const [now, choice] = [keys.get(uses[0]?.node), scaling.choices.get(key)];
    return now === undefined || !choice ? [] : [[now, choice]];
  });
  return { form: { conversion, units, scaled: scaling.groups }, choices: new Map(known) };
}

/** The last of the samples that calibrate decide, between runs of whole blocks; one sample does both. */
function awareSamples({ calibration, block = 1 }: SampleSplit): AwareSamples | undefined {
  if (!calibration) return undefined;
  const { path, first, count } = calibration;
  const source = (from: number, many: number) => ({ kind: 'data', path, first: from, count: many }) as const;
  const wanted = Math.min(MOST_HELD_OUT, Math.ceil(count * HELD_OUT_SHARE));
  const heldOut = Math.max(1, Math.floor(wanted / block)) * block;
  if (heldOut >= count) return { fitted: source(first, count), heldOut: source(first, count) };
  return { fitted: source(first, count - heldOut), heldOut: source(first + count - heldOut, heldOut) };
}
