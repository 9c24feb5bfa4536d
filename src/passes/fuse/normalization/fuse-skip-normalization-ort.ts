import { floatAttribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { whyNotOfContribType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { isUnused, releaseOutput, takeOver } from '../../nodes.js';
import { isRow } from '../../row-vector.js';
import { dataTypeOf, frontAxis, rankOf } from '../../types.js';
import { RMS_NORMALIZATION_OPSET, RMS_PATTERNS, rmsNormalizationParts } from './fuse-rms-normalization.js';
import { epsilonOf, type Parameter, parameterValue } from './normalization-pattern.js';
import { type Residual, residualOf } from './residual-sum.js';

export interface FuseSkipNormalizationOrtOptions {
  always: boolean;
}

const SIMPLIFIED = 'SkipSimplifiedLayerNormalization';

/** Normalizations of the last axis, and what ONNX Runtime calls them together with the sum before. */
const FUSED: ReadonlyMap<string, string> = new Map([
  ['LayerNormalization', 'SkipLayerNormalization'],
  ['RMSNormalization', SIMPLIFIED],
  ['SimplifiedLayerNormalization', SIMPLIFIED],
]);
/**
 * LayerNormalization(input + skip + bias) = com.microsoft.SkipLayerNormalization(input, skip, scale, shift, bias), and
 * RMSNormalization the same as SkipSimplifiedLayerNormalization. Before opset 23 has RMSNormalization, its parts are
 * merged with the sum as well.
 *
 * ONNX Runtime also does this when it loads a model, though its kernels for the CPU (1.30) take two to six times as
 * long as Add and the normalization. Fusions that it would not do are done with `always` only: where others read the
 * sum, which then becomes the fourth output, and for RMSNormalization.
 *
 * Fires for sums of two or three axes whose sizes are the same (one operand may lack the batch) and with a bias of one
 * axis or none, normalized over the last axis in FLOAT with a scale as long as that. Refuses means that are used
 * elsewhere, and other types than FLOAT and FLOAT16. Numerics: reassociates. Reference: ONNX Runtime
 * ContribOperators.md, SkipLayerNormalization.
 */
export const fuseSkipNormalizationOrt = defineRewrite<FuseSkipNormalizationOrtOptions>({
  name: 'fuse-skip-normalization-ort',
  summary: 'Fuses a residual sum and its normalization into com.microsoft.SkipLayerNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {
    always: {
      description: 'also where ONNX Runtime would not fuse: for a sum with other readers, and for RMSNormalization',
      default: false,
    },
  },
  ortOnly: true,
  roots: [...FUSED.keys(), 'Div', 'Mul'],
  rules: ({ always }) => ({ match: (node, context) => match(node, context, always) }),
});

/** A normalization of a sum. */
interface Site {
  readonly opType: string;
  readonly sum: Value;
  readonly scale: Parameter;
  readonly shift: Value | undefined;
  readonly epsilon: number;
  /** The nodes of the normalization, and the last of them. */
  readonly nodes: readonly Node[];
  readonly last: Node;
}

function match(node: Node, context: RewriteContext, always: boolean): Match {
  const site = FUSED.has(node.opType) ? normalizationSite(node) : spelledOutSite(node, context);
  return typeof site === 'object' ? fuse(site, context, always) : site;
}

function normalizationSite(node: Node): Site | string | undefined {
  const opType = FUSED.get(node.opType);
  const [sum, scale, shift] = node.inputs;
  const rank = rankOf(sum);
  if (!opType || !sum || !scale || rank === undefined || !residualOf(sum)) return undefined;
  if (node.outputs.slice(1).some((output) => output && !isUnused(output))) return 'its mean or deviation is used';
  if (frontAxis(node.int('axis', -1), rank) !== rank - 1) return 'it is not over the last axis';
  if (node.int('stash_type', DataType.FLOAT) !== DataType.FLOAT) return 'it is not computed in float';
  if (!isRow(scale, sum) || (shift && !isRow(shift, sum))) return 'its scale is not as long as the last axis';
  return {
    opType,
    sum,
    scale: { value: scale },
    shift,
    epsilon: node.float('epsilon', 1e-5),
    nodes: [node],
    last: node,
  };
}

/** A root mean square normalization before opset 23 has an operator for it. */
function spelledOutSite(node: Node, context: RewriteContext): Site | string | undefined {
  if (context.opset(node) >= RMS_NORMALIZATION_OPSET) return undefined;
  return firstPattern(RMS_PATTERNS, node, context, (found) => {
    const parts = rmsNormalizationParts(found, node);
    if (typeof parts === 'string') return parts;
    if (parts.count !== 1 || !residualOf(parts.x)) return undefined;
    const { x: sum, scale, nodes, last } = parts;
    return { opType: SIMPLIFIED, sum, scale, shift: undefined, epsilon: epsilonOf(found), nodes, last };
  });
}

function fuse(site: Site, context: RewriteContext, always: boolean): Rewrite | string | undefined {
  const { opType, sum, last } = site;
  const residual = sum.graph === last.graph ? residualOf(sum) : undefined;
  if (!residual) return undefined;
  const reason = whyNotOfContribType(opType, sum) ?? whyNotAvailable(context, last, opType);
  if (reason !== undefined) return reason;
  const parameters = [...('value' in site.scale ? [site.scale.value] : []), ...(site.shift ? [site.shift] : [])];
  if (parameters.some((value) => dataTypeOf(value) !== dataTypeOf(sum))) return 'its scale has another type';
  const readByOthers = sum.isGraphOutput || sum.pinned || [...sum.uses].some((use) => !site.nodes.includes(use.node));
  if (!always && (readByOthers || last.is('RMSNormalization')))
    return 'the kernel of ONNX Runtime is slower than the nodes that it would replace';
  // The sum must be there for its other readers, so the whole moves to its place.
  if (readByOthers && parameters.some((value) => value.producer?.graph === last.graph))
    return 'its sum is also used elsewhere, and its scale is computed after that';
  return {
    nodes: [...site.nodes, ...residual.nodes],
    apply() {
      requireOpset(context, last);
      const [add] = residual.nodes;
      return readByOthers && add ? fuseWithSum(site, residual, add) : takeOver(last, specOf(site, residual, last));
    },
  };
}

function specOf(site: Site, { input, skip, bias }: Residual, before: Node): Omit<NodeSpec, 'outputs'> {
  const scale = parameterValue(site.scale, before.graph, before);
  const inputs = site.opType === SIMPLIFIED ? [input, skip, scale, bias] : [input, skip, scale, site.shift, bias];
  while (inputs.at(-1) === undefined) inputs.pop();
  return { opType: site.opType, domain: MICROSOFT, inputs, attributes: [floatAttribute('epsilon', site.epsilon)] };
}

/** Puts the fused node in the place of the last Add, and lets it give out the sum too. */
function fuseWithSum(site: Site, residual: Residual, add: Node): Node {
  const { last, sum } = site;
  const spec = specOf(site, residual, add);
  const normalized = releaseOutput(last);
  const before = add.next;
  releaseOutput(add);
  const node = add.graph.addNode({ name: last.name, ...spec, outputs: [] }, before);
  for (const output of [normalized, undefined, undefined, sum]) node.addOutput(output);
  return node;
}
