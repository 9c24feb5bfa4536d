import { attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';

/**
 * act(Gemm(A, B, C)) as one com.microsoft.FusedGemm, for the activations that its kernel supports: the output is
 * written once.
 *
 * Fires on FLOAT where nothing else reads the output of the Gemm. Numerics: exact but for the rounding of the
 * activation's own approximation. Reference: ONNX Runtime FusedGemm-1, its kernel for the CPU.
 */
export const fuseGemmActivation = defineRewrite<object>({
  name: 'fuse-gemm-activation',
  summary: 'Fuses Gemm and an activation into FusedGemm of ONNX Runtime.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Elu', 'HardSigmoid', 'Softplus', 'Softsign', 'ThresholdedRelu'],
  rules: () => ({ match: matchActivation }),
});

/** Parameters by operator, with the defaults of its specification. */
const PARAMETERS: ReadonlyMap<string, readonly (readonly [string, number])[]> = new Map([
  ['LeakyRelu', [['alpha', 0.01]]],
  ['Elu', [['alpha', 1]]],
  ['ThresholdedRelu', [['alpha', 1]]],
  [
    'HardSigmoid',
    [
      ['alpha', 0.2],
      ['beta', 0.5],
    ],
  ],
]);

function matchActivation(node: Node, context: RewriteContext): Match {
  const value = node.input(0);
  const gemm = value?.producer;
  if (!value || !gemm?.is('Gemm') || !node.outputs[0] || hasReference(node)) return undefined;
  if ((dataTypeOf(gemm.input(0)) ?? dataTypeOf(value)) !== DataType.FLOAT) return undefined;
  if (onlyConsumer(value) !== node) return `"${value.name}" is also used elsewhere`;
  const reason = whyNotAvailable(context, node, 'FusedGemm');
  if (reason !== undefined) return reason;
  const parameters = (PARAMETERS.get(node.opType) ?? []).map(([name, absent]) =>
    floatAttribute(`activation_${name}`, node.float(name, absent)),
  );
  return {
    nodes: [node, gemm],
    apply() {
      requireOpset(context, node);
      const attributes = [...gemm.attributes.values(), attribute('activation', node.opType), ...parameters];
      return takeOver(node, {
        opType: 'FusedGemm',
        domain: MICROSOFT,
        ...nameOf(gemm),
        inputs: gemm.inputs,
        attributes,
      });
    },
  };
}
