/** Quantizes the weights of a plan by a method, one after the other: one is in memory at a time. */
import type { Model } from '../../../ir/model.js';
import { NOT_FINITE, nearestMatrices, weightForm } from '../../../passes/quantize/weight-only/weight-form.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { WeightForm } from '../../../passes/quantize/weight-only/weight-tensors.js';
import { changeError, gptq } from '../../../quantize/nbits/gptq.js';
import { halfQuadratic } from '../../../quantize/nbits/half-quadratic.js';
import { dequantizedMatrix, type PackedMatrix, sourceMatrix } from '../../../quantize/nbits/nbits-format.js';
import { quantizeBlocks } from '../../../quantize/nbits/quantize-blocks.js';
import { roundToNearest } from '../../../quantize/nbits/round-to-nearest.js';
import { scaleSearch } from '../../../quantize/nbits/scale-search.js';
import type { WeightMethod } from '../../weight-only-options.js';
import { layerGrams } from './layer-grams.js';
import type { ProductChoice } from './scale-products.js';
import type { WeightStore } from './weight-store.js';
import type { WeightTools } from './weight-tools.js';

/** What was made of the weights of a plan. */
export interface QuantizedUnits {
  readonly made: ReadonlyMap<string, WeightForm | string>;
  /** About units that were made otherwise than asked for, and errors beside round-to-nearest. */
  readonly notes: ReadonlyMap<string, UnitNote>;
}

/** What is said of a unit. */
export interface UnitNote {
  readonly reason?: string;
  readonly errorRatio?: number;
}

/** What is known of units before they are quantized. */
export interface KnownUnits {
  /** The same units by the scale search, which GPTQ falls back on. */
  readonly searched?: QuantizedUnits | undefined;
  /** What AWQ chose for units, by key. */
  readonly choices?: ReadonlyMap<string, ProductChoice> | undefined;
}

/**
 * Quantizes units by a method.
 * @param model that they are of, prepared
 */
export async function quantizeUnits(
  model: Model,
  units: readonly WeightUnit[],
  method: WeightMethod,
  store: WeightStore,
  tools: WeightTools,
  { searched, choices }: KnownUnits = {},
): Promise<QuantizedUnits> {
  const made = new Map<string, WeightForm | string>();
  const notes = new Map<string, UnitNote>();
  const size = units.reduce((sum, { tensor }) => sum + tensor.size, 0);
  let done = 0;
  const finish = async (unit: WeightUnit, matrices: PackedMatrix[] | string, note?: UnitNote): Promise<void> => {
    made.set(unit.key, typeof matrices === 'string' ? matrices : await store.keep(weightForm(unit, matrices)));
    if (note) notes.set(unit.key, note);
    done += unit.tensor.size;
    tools.stages.advance(done, size);
    tools.options.signal?.throwIfAborted();
  };
  if (method === 'awq') {
    for (const unit of units) {
      const choice = choices?.get(unit.key);
      await finish(unit, blockwise(unit, choice?.rounding ?? 'kquant'), awareNote(unit, choice));
    }
    return { made, notes };
  }
  if (method !== 'gptq' || !tools.fitted) {
    for (const unit of units) await finish(unit, blockwise(unit, method));
    return { made, notes };
  }
  await layerGrams(model, units, tools, tools.fitted, async (unit, gram) => {
    if (typeof gram === 'string') {
      const known = searched?.made.get(unit.key);
      if (known !== undefined) {
        made.set(unit.key, known);
        notes.set(unit.key, { reason: `scale search: ${gram}` });
        return;
      }
      await finish(unit, blockwise(unit, 'kquant'), { reason: `scale search: ${gram}` });
      return;
    }
    const { matrices, note } = bySamples(unit, gram);
    await finish(unit, matrices, note);
  });
  return { made, notes };
}

function awareNote({ uses }: WeightUnit, choice: ProductChoice | undefined): UnitNote {
  if (!choice) {
    const isLookup = uses.every(({ kind }) => kind === 'lookup');
    return {
      reason: isLookup ? 'scale search: lookups read no activations' : 'scale search: samples do not tell enough',
    };
  }
  const { errorRatio, notScaled } = choice;
  return {
    ...(notScaled === undefined ? {} : { reason: notScaled }),
    ...(errorRatio === undefined ? {} : { errorRatio }),
  };
}

/** A method that looks at one block at a time. */
function blockwise(unit: WeightUnit, method: WeightMethod): PackedMatrix[] | string {
  if (method === 'rtn') return nearestMatrices(unit);
  const quantizer = method === 'hqq' ? halfQuadratic(unit.format) : scaleSearch(unit.format);
  const matrices: PackedMatrix[] = [];
  for (const source of unit.sources) {
    const packed = quantizeBlocks(source, unit.format, quantizer);
    if (!packed) return NOT_FINITE;
    matrices.push(packed);
  }
  return matrices;
}

function bySamples(
  unit: WeightUnit,
  gram: Float64Array,
): { readonly matrices: PackedMatrix[] | string; readonly note?: UnitNote } {
  const [source] = unit.sources;
  const nearest = source && roundToNearest(source, unit.format);
  if (!source || !nearest) return { matrices: NOT_FINITE };
  const weights = sourceMatrix(source);
  const packed = gptq(weights, source.outputs, gram, unit.format);
  if (!packed)
    return { matrices: blockwise(unit, 'kquant'), note: { reason: 'scale search: its samples do not tell enough' } };
  const errorOf = (matrix: PackedMatrix): number =>
    changeError(
      dequantizedMatrix(matrix).map((value, at) => value - (weights[at] as number)),
      source.outputs,
      gram,
    );
  const before = errorOf(nearest);
  return { matrices: [packed], ...(before > 0 ? { note: { errorRatio: errorOf(packed) / before } } : {}) };
}
