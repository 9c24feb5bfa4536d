/** Scales what products read by the activations of samples (AWQ), where a layer before can take the factors in. */
import type { Model } from '../../../ir/model.js';
import type { Value } from '../../../ir/value.js';
import { scaleGroup } from '../../../passes/quantize/repair/scale-channels.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import { type ScaleGroup, scaleGroups } from '../../../quantize/repair/scale-groups.js';
import type { ScaledGroupReport } from '../../../report/weight-only-types.js';
import type { SampleSource } from '../../../samples/types.js';
import { layerGrams, layerMagnitudes, whyNotMeasured } from './layer-grams.js';
import { type ProductChoice, scaleProducts } from './scale-products.js';
import type { WeightTools } from './weight-tools.js';

/** Most elements of second moments that are kept for one group. */
const MOST_ELEMENTS = 2 ** 25;

/** Samples that factors are made from, and those that decide. */
export interface AwareSamples {
  readonly fitted: SampleSource;
  readonly heldOut: SampleSource;
}

/** What scaling came to. */
export interface AwareScaling {
  /** What is best for each unit that samples tell something of, by key. */
  readonly choices: ReadonlyMap<string, ProductChoice>;
  readonly groups: readonly ScaledGroupReport[];
}

/** Products that share factors: those of a group, or those that read one value that nothing can scale. */
interface Sharing {
  readonly units: readonly WeightUnit[];
  readonly group: ScaleGroup | undefined;
}

/**
 * Chooses factors for the inputs of products and folds them into what makes these inputs, in place. Factors are the magnitudes of inputs on
 * the samples to fit to, to the power that loses least of the outputs on the others; a group whose outputs lose no less stays as it was.
 * Rounding is chosen for each product by the same error.
 */
export async function scaleForActivations(
  model: Model,
  units: readonly WeightUnit[],
  { fitted, heldOut }: AwareSamples,
  tools: WeightTools,
): Promise<AwareScaling> {
  const shared = sharings(model, units);
  const firsts = shared.map(({ units: own }) => distinctInputs(own));
  const magnitudes = await layerMagnitudes(model, firsts.flat(), tools, fitted);
  const choices = new Map<string, ProductChoice>();
  const reports: ScaledGroupReport[] = [];
  const folded: (() => void)[] = [];
  const decide = (sharing: Sharing, grams: ReadonlyMap<Value | undefined, Float64Array>): void => {
    const wanted = sharing.group && groupMagnitudes(sharing, magnitudes);
    const scaled = scaleProducts(sharing.units, (unit) => grams.get(inputOf(unit)), wanted);
    for (const [unit, choice] of scaled.choices) choices.set(unit.key, choice);
    const { group } = sharing;
    if (!group || !scaled.scales) return;
    const { alpha, errorRatio, factors } = scaled.scales;
    const products = sharing.units.map(({ value }) => value.name);
    reports.push({ name: group.name, products, alpha, ...(errorRatio === undefined ? {} : { errorRatio }) });
    if (alpha > 0) folded.push(() => scaleGroup(group, factors));
  };
  let at = 0;
  let grams = new Map<Value | undefined, Float64Array>();
  let seen = 0;
  await layerGrams(model, firsts.flat(), tools, heldOut, async (unit, gram) => {
    if (typeof gram !== 'string') grams.set(inputOf(unit), gram);
    seen++;
    const sharing = shared[at];
    if (!sharing || seen < (firsts[at] as readonly WeightUnit[]).length) return;
    decide(sharing, grams);
    [at, seen, grams] = [at + 1, 0, new Map()];
    tools.stages.advance(at, shared.length);
    tools.options.signal?.throwIfAborted();
  });
  for (const fold of folded) fold();
  return { choices, groups: reports };
}

/** Products by what they share, each once. */
function sharings(model: Model, units: readonly WeightUnit[]): Sharing[] {
  const measured = units.filter((unit) => whyNotMeasured(model, unit) === undefined);
  const byNode = new Map(measured.flatMap((unit) => unit.uses.map(({ node }) => [node, unit] as const)));
  const found: Sharing[] = [];
  const done = new Set<WeightUnit>();
  for (const group of scaleGroups(model)) {
    const own = [...new Set(group.readers.flatMap(({ node }) => byNode.get(node) ?? []))];
    const elements = distinctInputs(own).length * group.channels ** 2;
    if (own.length === 0 || own.some((unit) => done.has(unit)) || elements > MOST_ELEMENTS) continue;
    for (const unit of own) done.add(unit);
    found.push({ units: own, group });
  }
  const rest = new Map<Value | undefined, WeightUnit[]>();
  for (const unit of measured) if (!done.has(unit)) rest.set(inputOf(unit), [...(rest.get(inputOf(unit)) ?? []), unit]);
  for (const own of rest.values()) found.push({ units: own, group: undefined });
  return found;
}

/** A unit for each value that units read. */
function distinctInputs(units: readonly WeightUnit[]): WeightUnit[] {
  return [...new Map([...units].reverse().map((unit) => [inputOf(unit), unit])).values()].reverse();
}

function inputOf({ uses }: WeightUnit): Value | undefined {
  return uses.find(({ kind }) => kind === 'product')?.node.input(0);
}

/** Mean magnitudes of the channels of a group, over the values that its products read. */
function groupMagnitudes(
  { units }: Sharing,
  magnitudes: ReadonlyMap<WeightUnit, Float64Array>,
): Float64Array | undefined {
  const known = units.flatMap((unit) => magnitudes.get(unit) ?? []);
  const [first] = known;
  return first?.map((_, k) => known.reduce((sum, each) => sum + (each[k] as number), 0) / known.length);
}
