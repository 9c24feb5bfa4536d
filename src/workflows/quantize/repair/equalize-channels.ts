import type { Model } from '../../../ir/model.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { scaleBefore, scaleGroup } from '../../../passes/quantize/repair/scale-channels.js';
import {
  type ChannelFactors,
  type ChannelFigures,
  chooseFactors,
  readerWeights,
} from '../../../quantize/repair/channel-factors.js';
import { readerOf, type ScaledReader, scaleGroups } from '../../../quantize/repair/scale-groups.js';
import { plural } from '../../../report/format.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { channelFigures } from './channel-figures.js';
import type { RepairProposal, RepairState, RepairStep, RepairTools } from './repair-state.js';

/** Expected noise below which factors are worth it, over that without. */
const WORTHWHILE = 0.95;
/** The same where a product has to be inserted, which takes time. */
const WORTHWHILE_PRODUCT = 0.5;

/** Moves differences between channels from activations into weights, between layers that other operators only hand scales through. */
export const equalizeLayers: RepairStep = {
  name: 'cross-layer equalization',
  efforts: ['medium', 'high'],
  propose: (state, tools) => scaleGroupsOf(state, tools, 'layers'),
};

/** The same behind normalizations; in front of products whose operand nothing else can scale, a product takes the factors out. */
export const smoothQuant: RepairStep = {
  name: 'SmoothQuant',
  efforts: ['medium', 'high'],
  async propose(state, tools) {
    const groups = await scaleGroupsOf(state, tools, 'normalization');
    const model = typeof groups === 'string' ? state.model.clone() : groups.model;
    const inserted = await smoothProducts(model, state.quantized, tools);
    if (inserted.length === 0) return groups;
    const before = `${plural(inserted.length, 'product')} inserted (${alphas(inserted)})`;
    const what = typeof groups === 'string' ? before : `${groups.what}; ${before}`;
    return { model, equivalent: true, what };
  },
};

async function scaleGroupsOf(
  { model: before }: RepairState,
  tools: RepairTools,
  writers: 'layers' | 'normalization',
): Promise<RepairProposal> {
  const model = before.clone();
  const groups = scaleGroups(model).filter((group) => group.writers === writers);
  if (groups.length === 0) return 'no channels between layers can be scaled';
  const wanted = new Map<string, number>();
  for (const { readers } of groups) for (const { value, channelAxis } of readers) wanted.set(value.name, channelAxis);
  const figures = await channelFigures(
    model,
    [...wanted].map(([name, axis]) => ({ name, axis })),
    tools,
  );
  const chosen: ChannelFactors[] = [];
  for (const group of groups) {
    const factors = factorsOf(group.readers, figures);
    if (!factors || factors.noise > WORTHWHILE) continue;
    scaleGroup(group, factors.factors);
    chosen.push(factors);
  }
  if (chosen.length === 0) return `${plural(groups.length, 'group')} of channels looked at: scaling would gain nothing`;
  const what = `channels of ${chosen.length} of ${plural(groups.length, 'group')} scaled (${alphas(chosen)})`;
  return { model, equivalent: true, what };
}

/** Inserts products in front of the quantized matrix products of `model` where one scale loses much. */
async function smoothProducts(model: Model, quantized: Model, tools: RepairTools): Promise<ChannelFactors[]> {
  const candidates = new Map<Value, ScaledReader[]>();
  const integer = readersOfIntegers(quantized);
  for (const node of model.graph.nodes) {
    const value = node.input(0);
    if (!value || constantTensor(value) || (!node.is('MatMul') && !node.is('Gemm'))) continue;
    const reader = readerOf(value, node, 0);
    if (!reader || !integer.has(constantName(node.input(1)))) continue;
    candidates.set(value, [...(candidates.get(value) ?? []), reader]);
  }
  const wanted = [...candidates].map(([{ name }, [reader]]) => ({ name, axis: reader?.channelAxis ?? 0 }));
  const figures = await channelFigures(model, wanted, tools);
  const chosen: ChannelFactors[] = [];
  for (const [value, readers] of candidates) {
    const factors = factorsOf(readers, figures);
    if (!factors || factors.noise > WORTHWHILE_PRODUCT) continue;
    scaleBefore(value, readers, factors.factors);
    chosen.push(factors);
  }
  return chosen;
}

/** Names of the weights that a quantized model has as integers. */
function readersOfIntegers(quantized: Model): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of quantized.graph.nodes)
    if (node.is('DequantizeLinear')) names.add(node.output().name.replace(/_DequantizeLinear_Output$/, ''));
  return names;
}

const constantName = (value: Value | undefined): string => value?.name ?? '';

function factorsOf(
  readers: readonly ScaledReader[],
  figures: ReadonlyMap<string, ChannelFigures>,
): ChannelFactors | undefined {
  const known = readers.flatMap(({ node, slot, axis, value }) => {
    const channels = figures.get(value.name);
    const tensor = constantTensor(node.input(slot)) as Tensor;
    const separate = node.is('Conv') && axis === 0;
    return channels ? [{ channels, weights: readerWeights(tensor, axis, separate) }] : [];
  });
  return known.length === readers.length ? chooseFactors(known) : undefined;
}

function alphas(chosen: readonly ChannelFactors[]): string {
  const all = chosen.map(({ alpha }) => alpha).sort((a, b) => a - b);
  const [least, most] = [all[0], all.at(-1)];
  return least === most ? `α ${least}` : `α ${least} to ${most}`;
}
