import type { Model } from '../../../ir/model.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import type { RepairLayer } from '../../../prune/repair/repair-layers.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSums } from '../repair/input-sums.js';
import type { WeightTools } from './weight-tools.js';

/** Inputs of a layer beyond which Σ x·xᵀ takes too much memory: 800 MB. */
const MOST_INPUTS = 10_000;
/** Most elements of matrices that are summed in one pass over the samples. */
const MOST_ELEMENTS = 2 ** 24;

/**
 * Second moments Σ x·xᵀ of what the layers of units read in the model, over samples: computed as products of matrices in ONNX Runtime, some
 * layers in each pass. Calls `use` with each unit in turn, and with why there is none.
 */
export async function layerGrams(
  model: Model,
  units: readonly WeightUnit[],
  { runtime, options }: WeightTools,
  fitted: SampleSource,
  use: (unit: WeightUnit, gram: Float64Array | string) => Promise<void>,
): Promise<void> {
  if (!runtime) return;
  const measured: WeightUnit[] = [];
  for (const unit of units) {
    const why = whyNotMeasured(model, unit);
    if (why === undefined) measured.push(unit);
    else await use(unit, why);
  }
  for (const part of parts(measured)) {
    // Products that read one value share its moments.
    const readers = new Map(part.flatMap(layersOf).map((layer) => [layer.node.input(0), layer]));
    const layers = [...readers.values()].map((layer) => ({ layer, node: layer.node }));
    const tools = { runtime: await runtime.host(), options, fitted };
    const sums = await inputSums(model, layers, 'products', tools);
    const grams = new Map([...readers.keys()].map((value, at) => [value, sums[at]?.gram]));
    for (const unit of part) await use(unit, total(layersOf(unit).map(({ node }) => grams.get(node.input(0)))));
  }
}

/** Mean |x| of each input of what units read in the model, over samples; nothing for those that no sample reached. */
export async function layerMagnitudes(
  model: Model,
  units: readonly WeightUnit[],
  { runtime, options }: WeightTools,
  fitted: SampleSource,
): Promise<Map<WeightUnit, Float64Array>> {
  const found = new Map<WeightUnit, Float64Array>();
  if (!runtime) return found;
  const layers = units.flatMap((unit) =>
    layersOf(unit)
      .slice(0, 1)
      .map((layer) => ({ layer, node: layer.node, unit })),
  );
  const sums = await inputSums(model, layers, 'magnitudes', { runtime: await runtime.host(), options, fitted });
  for (const [at, { unit }] of layers.entries()) {
    const magnitude = sums[at]?.magnitude;
    if (magnitude) found.set(unit, magnitude);
  }
  return found;
}

/** Why there are no second moments of what a unit reads. */
export function whyNotMeasured(model: Model, { layout, sources, uses }: WeightUnit): string | undefined {
  const [source] = sources;
  if (layout === 'table' || uses.every(({ kind }) => kind === 'lookup')) return 'lookups have no sums of products';
  if (sources.length !== 1 || !source) return 'it is a stack of matrices';
  if (source.inputs > MOST_INPUTS) return `its ${source.inputs} inputs are too many`;
  if (uses.some(({ node }) => node.graph !== model.graph)) return 'it is inside a branch or loop';
  return undefined;
}

/** The products that read a unit, as layers whose inputs are summed. */
function layersOf({ uses, tensor, sources }: WeightUnit): RepairLayer[] {
  const { inputs = 0, outputs = 0 } = sources[0] ?? {};
  return uses
    .filter(({ kind }) => kind === 'product')
    .map(({ node }) => ({
      node,
      kind: 'matrix',
      data: 0,
      weight: 1,
      tensor,
      groups: 1,
      inputs,
      outputs,
      bias: undefined,
    }));
}

function total(grams: readonly (Float64Array | undefined)[]): Float64Array | string {
  const [first, ...others] = grams.filter((gram) => gram !== undefined);
  if (!first || others.length + 1 < grams.length) return 'no sample reached it, or its inputs are not finite';
  const sum = others.length === 0 ? first : Float64Array.from(first);
  for (const other of others) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (other[i] as number);
  return sum.every(Number.isFinite) ? sum : 'its inputs are too large to be squared';
}

/** Units by turns, so that the matrices of each turn fit into memory. */
function parts(units: readonly WeightUnit[]): WeightUnit[][] {
  const found: WeightUnit[][] = [];
  let [current, elements]: [WeightUnit[], number] = [[], 0];
  for (const unit of units) {
    const size = (unit.sources[0]?.inputs ?? 0) ** 2 * unit.uses.length;
    if (current.length > 0 && elements + size > MOST_ELEMENTS) {
      found.push(current);
      [current, elements] = [[], 0];
    }
    current.push(unit);
    elements += size;
  }
  return current.length > 0 ? [...found, current] : found;
}
