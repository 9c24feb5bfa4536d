import type { Node } from '../../ir/node.js';
import { walkGraphs } from '../../ir/walk.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { findPattern } from '../engine/find-pattern.js';
import type { SweepContext } from '../engine/rewrite.js';
import { NORMALIZED as LAYER_NORMALIZATIONS } from '../fuse/normalization/fuse-layer-normalization.js';
import {
  RMS_NORMALIZATION_OPSET,
  RMS_PATTERNS,
  rmsNormalizationParts,
} from '../fuse/normalization/fuse-rms-normalization.js';
import { planUpgrade, upgradeModel } from './upgrade-opset.js';

/** The opset of LayerNormalization: what older models spell out, ONNX Runtime has one kernel for. */
const LAYER_NORMALIZATION_OPSET = 17;
/** The opset of HardSwish. */
const HARD_SWISH_OPSET = 14;

/** Operators that only stand together where something is normalized, or gated as hard swish does. */
const SPELT_OUT: readonly (readonly [operators: readonly string[], opset: number])[] = [
  [['ReduceMean', 'Sqrt'], LAYER_NORMALIZATION_OPSET],
  [['Clip', 'Mul'], HARD_SWISH_OPSET],
  [['HardSigmoid', 'Mul'], HARD_SWISH_OPSET],
];

/**
 * Upgrades a model for ONNX Runtime to the opset in which the patterns it is built from are operators.
 *
 * Fires for models of opset 7 or newer that have the parts of RMSNormalization (23), LayerNormalization (17) or
 * HardSwish (14) is built from, and upgrades to the newest of these that is possible. Refuses, and keeps the model
 * unchanged, where one node has no safe equivalent. Numerics: as upgrade-opset.
 */
export const raiseOpsetForRuntime = defineRewrite<object>({
  name: 'raise-opset-for-runtime',
  summary: 'Upgrades older models to the opset that has the operators they build from others.',
  group: 'rewrite',
  numerics: 'reassociates',
  scope: 'main-graph',
  opset: [7, RMS_NORMALIZATION_OPSET - 1],
  options: {},
  ortOnly: true,
  roots: [],
  rules: () => ({ sweep: raise }),
});

function raise(context: SweepContext): void {
  const { model } = context;
  const from = model.opset();
  const wanted = wantedOpsets(context).filter((to) => to > from);
  if (from < 7 || wanted.length === 0) return;
  const to = wanted.find((opset) => planUpgrade(model, opset).length === 0);
  if (to === undefined) {
    const least = wanted.at(-1) ?? 0;
    const [refusal] = planUpgrade(model, least);
    const [node] = model.graph.nodes;
    if (node && refusal)
      context.refuse(
        node,
        `the model cannot be upgraded to opset ${least}: ${refusal.opType} "${refusal.node}": ${refusal.reason}`,
      );
    return;
  }
  context.perform({
    nodes: [],
    detail: `opset ${from} to ${to}`,
    apply() {
      upgradeModel(model, to);
      return undefined;
    },
  });
}

/** The opsets that would help, newest first. */
function wantedOpsets(context: SweepContext): number[] {
  const present = new Set<string>();
  let hasRootMeanSquare = false;
  for (const graph of walkGraphs(context.model.graph)) {
    for (const node of graph.nodes) {
      if (node.domain === '') present.add(node.opType);
      hasRootMeanSquare ||= isRootMeanSquare(node, context);
    }
  }
  const wanted = SPELT_OUT.filter(([operators]) => operators.every((name) => present.has(name)));
  const opsets = new Set(wanted.map(([, opset]) => opset));
  if (hasRootMeanSquare) opsets.add(RMS_NORMALIZATION_OPSET);
  return [...opsets].sort((a, b) => b - a);
}

/** A layer normalization is one too, of what its mean is taken off of. */
function isRootMeanSquare(node: Node, context: SweepContext): boolean {
  if (!node.is('Div') && !node.is('Mul')) return false;
  if (LAYER_NORMALIZATIONS.some((pattern) => typeof findPattern(pattern, node, context) === 'object')) return false;
  return RMS_PATTERNS.some((pattern) => {
    const found = findPattern(pattern, node, context);
    return typeof found === 'object' && typeof rmsNormalizationParts(found, node) === 'object';
  });
}
