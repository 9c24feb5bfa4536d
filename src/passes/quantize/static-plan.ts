/** Which nodes static quantization takes, after those that cannot be quantized are known. */
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Use, Value } from '../../ir/value.js';
import { constantTensor, walkGraphs } from '../../ir/walk.js';
import { TensorSchemes, writerOf } from '../../quantize/assigned-schemes.js';
import { valuesForOutputs } from '../../quantize/leaving-values.js';
import { clampBounds } from '../../quantize/operator-classes.js';
import { planStatic, type StaticPlan } from '../../quantize/plan.js';
import {
  knownRange,
  losesProbabilities,
  lostChannel,
  lostOperand,
  plannedRange,
} from '../../quantize/planned-range.js';
import { quantizationParameters, U8_ACTIVATIONS } from '../../quantize/scheme.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { Tensor } from '../../tensor/tensor.js';
import { keptNodes } from '../kept-nodes.js';
import { matchNodes, type NodeFilter, nodeSelector } from '../node-filter.js';
import type { AssignedModel } from './assign-schemes.js';
import type { QuantizeStaticOptions } from './static-options.js';
import type { WeightScan } from './weight-scan.js';

type StaticPlanOptions = Pick<
  QuantizeStaticOptions,
  'ranges' | 'include' | 'exclude' | 'kept' | 'opTypes' | 'growthBytes'
>;

/** A plan that can be carried out as it is. */
export interface UsablePlan {
  readonly plan: StaticPlan;
  /** Schemes of its tensors. */
  readonly types: TensorSchemes;
  /** Why others are not in it. */
  readonly refused: ReadonlyMap<Node, string>;
}

/** A predicate for a filter of layers: the Relu or Clip behind one that was chosen goes with it, unless it is excluded. @throws SO1003 */
export function layerSelector(model: Model, filter: NodeFilter): (node: Node) => boolean {
  const selected = nodeSelector(model, filter);
  const excluded = matchNodes(model, filter.exclude ?? []);
  return (node) => {
    const layer = excluded.has(node) || clampBounds(node) === undefined ? undefined : node.input(0)?.producer;
    return selected(node) || (layer !== undefined && selected(layer));
  };
}

/** Plans again without the nodes that cannot be quantized, until every range and weight the plan needs is there. */
export function usablePlan(
  model: Model,
  options: StaticPlanOptions,
  { schemes, float }: AssignedModel,
  scan: WeightScan,
): UsablePlan {
  const selected = options.opTypes.length > 0 ? nodeSelector(model, options) : layerSelector(model, options);
  const refused = keptNodes(model, options.kept);
  for (const [node, match] of float) refused.set(node, `the override "${match}" keeps it in FP32`);
  const leaving = valuesForOutputs(walkGraphs(model.graph));
  for (;;) {
    const plan = planStatic(model, {
      select: (node) => selected(node) && !refused.has(node),
      opTypes: options.opTypes.length > 0 ? options.opTypes : undefined,
      dropsClamp: (node) => !schemes.activations(node).symmetric,
    });
    const types = new TensorSchemes(plan, schemes);
    const before = refused.size;
    for (const weighted of plan.weighted) {
      if (!scan.parameters(weighted)) refused.set(weighted.node, 'its weight has NaN or infinite values');
      else if (!holdsFinite(weighted.bias?.tensor)) refused.set(weighted.node, 'its bias has NaN or infinite values');
    }
    refuseWithoutRange(plan, types, options.ranges, refused);
    refuseLosingChannels(plan, types, options.ranges, refused);
    if (options.opTypes.length === 0) refuseLosingOperands(plan, types, options.ranges, leaving, refused);
    if (refused.size === before && options.opTypes.length === 0) refuseCopies(plan, options.growthBytes, refused);
    if (refused.size === before) return { plan, types, refused };
  }
}

const holdsFinite = (tensor: Tensor | undefined): boolean => !tensor || tensor.float32Array().every(Number.isFinite);

/** Refuses the nodes that read or write a tensor without a usable range. */
function refuseWithoutRange(
  plan: StaticPlan,
  types: TensorSchemes,
  ranges: RangeMap,
  refused: Map<Node, string>,
): void {
  const planned = new Set<Node>();
  for (const { node, bias } of plan.weighted) planned.add(node).add(bias?.node ?? node);
  for (const { node } of plan.unweighted) planned.add(node);
  const owners = new Map<Node, Node>();
  for (const { node, bias } of plan.weighted) if (bias) owners.set(bias.node, node);
  for (const [value, root] of plan.tensors) {
    const reason = whyUnusable(root, plan, types, ranges);
    if (reason === undefined) continue;
    const source = plan.produced.has(value) ? writerOf(plan, value) : undefined;
    const touching = [...value.uses].map((use) => use.node);
    if (source) touching.push(source);
    for (const node of touching) if (planned.has(node)) refused.set(owners.get(node) ?? node, reason);
  }
}

function whyUnusable(root: Value, plan: StaticPlan, types: TensorSchemes, ranges: RangeMap): string | undefined {
  const range = knownRange(root, ranges, plan);
  if (!range) return `no range was observed for "${root.name}": no sample reached it`;
  const isUsable = Number.isFinite(range.min) && Number.isFinite(range.max) && range.min <= range.max;
  if (!isUsable) return `the range of "${root.name}" is not finite: [${range.min}, ${range.max}]`;
  if (range.min === 0 && range.max === 0) return `"${root.name}" was 0 in all samples: its range is unknown`;
  const { bits } = types.narrowest(root) ?? U8_ACTIVATIONS;
  if (!plan.pinsFixedRanges && losesProbabilities(root, range, 2 ** bits - 1))
    return `${bits} bits would round most of the probabilities in "${root.name}" to 0`;
  return undefined;
}

/** Refuses the convolutions that would lose a channel of what leaves the model. */
function refuseLosingChannels(
  plan: StaticPlan,
  types: TensorSchemes,
  ranges: RangeMap,
  refused: Map<Node, string>,
): void {
  for (const [node, value] of plan.heads) {
    const range = ranges.get(value.name);
    const scheme = types.narrowest(value);
    if (refused.has(node) || !range || !scheme) continue;
    const { min, max } = plannedRange(plan, value, ranges);
    const channel = lostChannel(range, quantizationParameters(min, max, scheme).scale);
    if (channel !== undefined)
      refused.set(
        node,
        `one scale for all channels of "${value.name}", an output of the model, would lose channel ${channel}`,
      );
  }
}

/** Refuses to join values of different sizes in one scale where they are outputs of the model, beside what layers read. */
function refuseLosingOperands(
  plan: StaticPlan,
  types: TensorSchemes,
  ranges: RangeMap,
  leaving: ReadonlySet<Value>,
  refused: Map<Node, string>,
): void {
  for (const { node } of plan.unweighted) {
    const output = node.output();
    const scheme = node.is('Concat') && leaving.has(output) ? types.narrowest(output) : undefined;
    if (!scheme || refused.has(node)) continue;
    const { min, max } = plannedRange(plan, output, ranges);
    const lost = lostOperand(node, ranges, quantizationParameters(min, max, scheme).scale);
    if (lost) refused.set(node, `one scale for "${output.name}", an output of the model, would lose "${lost.name}"`);
  }
}

/**
 * Refuses the layers whose weights something else reads in FP32: these stay in the file, and the INT8 copy makes it larger. Not where
 * what the others save is more than that.
 */
function refuseCopies({ weighted }: StaticPlan, growthBytes: number, refused: Map<Node, string>): void {
  const nodes = new Set(weighted.map(({ node }) => node));
  const copied = new Map<Value, Use>();
  let balance = 0;
  for (const value of new Set(weighted.map(({ node }) => node.input(1) as Value))) {
    const tensor = constantTensor(value) as Tensor;
    const other = [...value.uses].find(({ node, slot }) => slot !== 1 || !nodes.has(node));
    if (other) copied.set(value, other);
    balance += tensor.size - (other ? 0 : tensor.byteLength);
  }
  if (balance <= growthBytes) return;
  for (const { node } of weighted) {
    const value = node.input(1) as Value;
    const other = copied.get(value)?.node;
    if (!other) continue;
    const reader = `${other.opType} "${nodeLabel(other)}"`;
    refused.set(
      node,
      `"${value.name}" is also read in FP32 (by ${reader}), so INT8 weights would make the file larger`,
    );
  }
}
