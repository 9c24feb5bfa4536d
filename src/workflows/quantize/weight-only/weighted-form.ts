/** A model whose weights are planned and quantized, and how it is written. */
import type { Model } from '../../../ir/model.js';
import type { TransformStepReport } from '../../../ir/transform.js';
import { nodeSelector } from '../../../passes/node-filter.js';
import type { WeightOnlyOptions } from '../../../passes/quantize/weight-only/weight-only-options.js';
import { planWeights, type WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { ScaledGroupReport } from '../../../report/weight-only-types.js';
import type { WeightMethod } from '../../weight-only-options.js';
import type { Conversion } from '../conversion.js';
import type { QuantizedUnits } from './quantize-units.js';

/** The weights of a model as a method makes them. */
export class WeightedForm {
  readonly method: WeightMethod;
  /** Prepared, with weights in FLOAT; the method may have scaled them. */
  readonly conversion: Conversion;
  readonly choices: WeightOnlyOptions;
  readonly units: readonly WeightUnit[];
  readonly made: QuantizedUnits;
  /** Products whose inputs may have been scaled. */
  readonly scaled: readonly ScaledGroupReport[] | undefined;
  readonly #quantize: (units: readonly WeightUnit[]) => Promise<QuantizedUnits>;

  private constructor(
    form: Pick<WeightedForm, 'method' | 'conversion' | 'choices' | 'units' | 'made' | 'scaled'>,
    quantize: (units: readonly WeightUnit[]) => Promise<QuantizedUnits>,
  ) {
    this.method = form.method;
    this.conversion = form.conversion;
    this.choices = form.choices;
    this.units = form.units;
    this.made = form.made;
    this.scaled = form.scaled;
    this.#quantize = quantize;
  }

  /** @param quantize makes units of the conversion by the method */
  static async of(
    form: Pick<WeightedForm, 'method' | 'conversion' | 'choices' | 'units' | 'scaled'>,
    quantize: (units: readonly WeightUnit[]) => Promise<QuantizedUnits>,
  ): Promise<WeightedForm> {
    return new WeightedForm({ ...form, made: await quantize(form.units) }, quantize);
  }

  /** The same with other bits for some weights: those alone are quantized again. */
  async with(other: Partial<Pick<WeightOnlyOptions, 'wider' | 'wideHead'>>): Promise<WeightedForm> {
    const choices = { ...this.choices, ...other };
    const units = planUnits(this.conversion, choices);
    const before = new Map(this.units.map(({ key, format }) => [key, format.bits]));
    const changed = await this.#quantize(units.filter(({ key, format }) => before.get(key) !== format.bits));
    const made = {
      made: new Map([...this.made.made, ...changed.made]),
      notes: new Map([...this.made.notes, ...changed.notes]),
    };
    const { method, conversion, scaled } = this;
    return new WeightedForm({ method, conversion, choices, units, made, scaled }, this.#quantize);
  }

  /** A copy of the model with the weights in place. */
  async model(other: Partial<Pick<WeightOnlyOptions, 'accuracyLevel' | 'kept'>> = {}): Promise<Model> {
    const copy = this.conversion.copy();
    await copy.toWeightOnly({ ...this.choices, made: this.made.made, ...other });
    return copy.model;
  }

  /** Puts the weights in place. */
  finish(accuracyLevel: number): Promise<TransformStepReport> {
    return this.conversion.toWeightOnly({ ...this.choices, made: this.made.made, accuracyLevel });
  }
}

/** Weights of a prepared model that are quantized. */
export function planUnits({ model }: Conversion, choices: WeightOnlyOptions): readonly WeightUnit[] {
  return planWeights(model, choices, nodeSelector(model, choices)).units;
}
