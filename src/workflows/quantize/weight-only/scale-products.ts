import { nearestMatrix } from '../../../passes/quantize/weight-only/weight-form.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import {
  chooseScales,
  noiseShare,
  outputError,
  outputSignal,
  type ScaledProduct,
} from '../../../quantize/nbits/activation-scales.js';
import { sourceMatrix } from '../../../quantize/nbits/nbits-format.js';
import { quantizeBlocks } from '../../../quantize/nbits/quantize-blocks.js';
import { scaleSearch } from '../../../quantize/nbits/scale-search.js';

/** How weights are rounded beside factors of their inputs. */
export type AwareRounding = 'rtn' | 'kquant';

/** What is best for a product on held-out samples. */
export interface ProductChoice {
  readonly rounding: AwareRounding;
  /** Why its inputs have no factors; absent where they have. */
  readonly notScaled?: string;
  /** Error of its outputs over that of round-to-nearest without factors. */
  readonly errorRatio: number | undefined;
}

/** What is chosen for products that share their inputs. */
export interface ScaledProducts {
  readonly choices: ReadonlyMap<WeightUnit, ProductChoice>;
  /** Absent where no factors were tried. `alpha` is 0 where none are better. */
  readonly scales?: { readonly alpha: number; readonly factors: Float64Array; readonly errorRatio: number | undefined };
}

const NO_TAKER = 'no factors: nothing before it can take them alone';
const NO_GAIN = 'no factors: its outputs hardly lose less with them';

/** Noise with factors, over that without, below which they are worth it: of 21 exponents, one is a little better by chance. */
const WORTHWHILE = 0.97;

type JudgedProduct = Omit<ScaledProduct, 'quantize'>;

/** A product with what is known of its outputs. */
interface Judged {
  readonly unit: WeightUnit;
  readonly product: JudgedProduct;
  readonly signal: number;
  /** Error of its outputs with each rounding and no factors. */
  readonly plain: Readonly<Record<AwareRounding, number>>;
}

/**
 * Chooses factors and roundings for products that share their inputs.
 * @param gramOf Σ x·xᵀ of what a product reads, on samples that decide
 * @param magnitudes mean |x| of the inputs, to make factors from; undefined where nothing can take factors
 */
export function scaleProducts(
  units: readonly WeightUnit[],
  gramOf: (unit: WeightUnit) => Float64Array | undefined,
  magnitudes: Float64Array | undefined,
): ScaledProducts {
  const judged = units.flatMap((unit) => judgedUnit(unit, gramOf(unit)) ?? []);
  // Factors are for all products of a group, or for none.
  if (!magnitudes || judged.length === 0 || judged.length < units.length)
    return { choices: new Map(judged.map((each) => [each.unit, choiceOf(each, each.plain, NO_TAKER)])) };
  const searched = judged.map(({ unit, product }) => ({ ...product, quantize: QUANTIZERS.kquant(unit) }));
  const { alpha, factors } = chooseScales(searched, magnitudes);
  const scaled = judged.map(({ unit, product }) => errorsOf(unit, product, factors));
  const [before, after] = [judged.map(({ plain }) => plain), scaled].map((errors) =>
    errors.reduce((sum, each, at) => sum + noiseShare(least(each), (judged[at] as Judged).signal), 0),
  ) as [number, number];
  const isBetter = alpha > 0 && after < WORTHWHILE * before;
  return {
    choices: new Map(
      judged.map((each, at) => [
        each.unit,
        isBetter ? choiceOf(each, scaled[at] as Judged['plain']) : choiceOf(each, each.plain, NO_GAIN),
      ]),
    ),
    scales: { alpha: isBetter ? alpha : 0, factors, errorRatio: before > 0 ? after / before : undefined },
  };
}

function judgedUnit(unit: WeightUnit, gram: Float64Array | undefined): Judged | undefined {
  const [source] = unit.sources;
  if (!source || !gram) return undefined;
  const product = { weights: sourceMatrix(source), outputs: source.outputs, gram };
  const plain = errorsOf(unit, product, new Float64Array(source.inputs).fill(1));
  return Number.isFinite(plain.rtn) ? { unit, product, signal: outputSignal(product), plain } : undefined;
}

function errorsOf(unit: WeightUnit, product: JudgedProduct, factors: Float64Array): Judged['plain'] {
  const errorWith = (rounding: AwareRounding): number =>
    outputError({ ...product, quantize: QUANTIZERS[rounding](unit) }, factors);
  return { rtn: errorWith('rtn'), kquant: errorWith('kquant') };
}

const QUANTIZERS: Readonly<Record<AwareRounding, (unit: WeightUnit) => ScaledProduct['quantize']>> = {
  rtn: (unit) => (source) => nearestMatrix(unit, source),
  kquant:
    ({ format }) =>
    (source) =>
      quantizeBlocks(source, format, scaleSearch(format)),
};

function choiceOf({ plain }: Judged, errors: Judged['plain'], notScaled?: string): ProductChoice {
  return {
    rounding: errors.rtn <= errors.kquant ? 'rtn' : 'kquant',
    ...(notScaled === undefined ? {} : { notScaled }),
    errorRatio: plain.rtn > 0 ? least(errors) / plain.rtn : undefined,
  };
}

function least({ rtn, kquant }: Judged['plain']): number {
  return Math.min(rtn, kquant);
}
