/** One place in a graph where attention is written out, with what every fused form of it asks. */
import { type Attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { DataTypeCode } from '../../../tensor/dtype.js';
import { dyingNodes, leakOf } from '../../dying-nodes.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { type BiasLimits, type BiasPlan, planBias, type ScoreDims } from './attention-bias.js';
import { type AttentionCore, attentionCore } from './attention-core.js';
import { type HeadsView, headsViews, type OutputLayout, outputLayout } from './attention-heads.js';
import { replacedNodes } from './attention-output.js';

export interface AttentionSite {
  readonly core: AttentionCore;
  readonly dataType: DataTypeCode;
  /** Ways to see the operands as heads of a tensor of rank 3. */
  readonly queries: readonly HeadsView[];
  readonly keys: readonly HeadsView[];
  readonly values: readonly HeadsView[];
}

/** The attention around a Softmax, or that of an Attention node. */
export function attentionSite(softmax: Node, context: RewriteContext): AttentionSite | string | undefined {
  const core = attentionCore(softmax, context);
  if (typeof core !== 'object') return core;
  const dataType = dataTypeOf(core.query);
  if (dataType === undefined) return 'the data type of its query is unknown';
  return {
    core,
    dataType,
    queries: headsViews(core.query, 'query', context),
    keys: headsViews(core.key, core.keyAxes, context),
    values: headsViews(core.value, 'value', context),
  };
}

/** What has the query's sizes: its heads, and axes of a value as long as the batch and as there are queries. */
export interface QueryShape {
  readonly heads: number;
  readonly source: Value;
  readonly batchAxis: number;
  readonly sequenceAxis: number;
}

export function queryShape({ heads, repeats, source, batchFirst }: HeadsView): QueryShape {
  return { heads: heads * repeats, source, batchAxis: batchFirst ? 0 : 1, sequenceAxis: batchFirst ? 1 : 0 };
}

/** Sizes of the scores. */
export function scoreDims({ core }: AttentionSite, query: QueryShape): ScoreDims {
  const { scoreShape } = core;
  const batch = scoreShape.length === 4 ? scoreShape[0] : shapeOf(query.source)?.[query.batchAxis];
  return { batch, heads: query.heads, queries: scoreShape.at(-2), keys: scoreShape.at(-1) };
}

/** What a fused operator is told of the scale: nothing where it is 1/√size, which all of them take by themselves. */
export function scaleAttributes(scale: number, size: number): Attribute[] {
  const usual = 1 / Math.sqrt(size);
  return Math.abs(scale - usual) <= 1e-6 * usual ? [] : [floatAttribute('scale', scale)];
}

/** What is gained by the change: which nodes go, and how many more that is than come. */
export interface Gain {
  readonly nodes: readonly Node[];
  readonly dying: ReadonlySet<Node>;
  /** Why the nodes cannot go. */
  readonly problem?: string;
}

/** What goes when the core, `layout` and `others` are replaced by something that reads only `kept`. */
export function gainOf(
  site: AttentionSite,
  layout: OutputLayout,
  kept: readonly (Value | undefined)[],
  others: readonly Node[] = [],
): Gain {
  const inner = [...site.core.nodes, ...replacedNodes(layout)];
  const masks = site.core.steps.map((step) => (step.kind === 'add' ? step.value : step.condition));
  const dying = dyingNodes([...inner, ...others], [...kept, ...masks]);
  const leak = leakOf(
    inner.flatMap((node) => (node === layout.last ? [] : node.outputs)),
    layout.last,
    dying,
  );
  return {
    nodes: [...inner, ...others],
    dying,
    ...(leak ? { problem: `the shape of "${leak.name}" is also used elsewhere` } : {}),
  };
}

/** Where the output goes, for values of `size` features a head. */
export function siteOutput(
  site: AttentionSite,
  query: QueryShape,
  size: number,
  context: RewriteContext,
): OutputLayout {
  const { batch, heads, queries } = scoreDims(site, query);
  const product = site.core.nodes.at(-1) as Node;
  return outputLayout(product, { batch, heads, sequence: queries, size }, context);
}

/** What is added to the scores. */
export function siteBias(
  site: AttentionSite,
  query: QueryShape,
  context: RewriteContext,
  limits: BiasLimits = {},
): BiasPlan | string | undefined {
  const { source, sequenceAxis } = query;
  return planBias(site.core, scoreDims(site, query), site.dataType, source, sequenceAxis, limits, context);
}
