import type { Model } from '../../ir/model.js';
import { walkGraphs } from '../../ir/walk.js';
import { defineRewrite, type SweepContext } from '../engine/rewrite.js';
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
 * Brings a model that ONNX Runtime will run to the opset at which the patterns it spells out are operators.
 *
 * Fires for models of opset 7 to 16 that hold what LayerNormalization (17) or HardSwish (14) is made of. Refuses, and
 * leaves the model as it is, where one node has no safe equivalent. Numerics: as upgrade-opset.
 */
export const raiseOpsetForRuntime = defineRewrite<object>({
  name: 'raise-opset-for-runtime',
  summary: 'Brings older models to the opset that has the operators they spell out.',
  group: 'rewrite',
  numerics: 'reassociates',
  scope: 'main-graph',
  opset: [7, LAYER_NORMALIZATION_OPSET - 1],
  options: {},
  ortOnly: true,
  roots: [],
  rules: () => ({ sweep: raise }),
});

function raise(context: SweepContext): void {
  const { model } = context;
  const from = model.opset();
  const to = wantedOpset(model);
  if (from < 7 || from >= to) return;
  const refusals = planUpgrade(model, to);
  const [first] = refusals;
  if (first) {
    const node = [...model.graph.nodes][0];
    if (node)
      context.refuse(
        node,
        `the model cannot be brought to opset ${to}: ${first.opType} "${first.node}" ${first.reason}`,
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

function wantedOpset(model: Model): number {
  const present = new Set<string>();
  for (const graph of walkGraphs(model.graph))
    for (const node of graph.nodes) if (node.domain === '') present.add(node.opType);
  const wanted = SPELT_OUT.filter(([operators]) => operators.every((name) => present.has(name)));
  return Math.max(0, ...wanted.map(([, opset]) => opset));
}
