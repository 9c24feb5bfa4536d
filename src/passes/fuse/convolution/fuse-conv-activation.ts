import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference } from '../../engine/operands.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf, sameShape, shapeOf } from '../../types.js';
import { singleNumber } from './padding.js';

/**
 * act(Conv(x, W, b) + z) as one com.microsoft.FusedConv, with or without the residual z, for Relu, Sigmoid, Tanh,
 * LeakyRelu, Clip, HardSigmoid and HardSwish: the output is written once.
 *
 * Fires on FLOAT where nothing else reads the value in between; z must be known to have the shape of the output.
 * Refuses z that would broadcast, and Clip with computed bounds. Numerics: terms may be added in another order.
 * Reference: ONNX Runtime FusedConv-1, its kernel for the CPU.
 */
export const fuseConvActivation = defineRewrite<object>({
  name: 'fuse-conv-activation',
  summary: 'Fuses Conv, Add and an activation into FusedConv of ONNX Runtime.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['Add', 'Relu', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Clip', 'HardSigmoid', 'HardSwish'],
  rules: () => ({
    match: (node, context) => (node.is('Add') ? matchAdd(node, context) : matchActivation(node, context)),
  }),
});

const ACTIVATION = 'activation';
const PARAMETERS = 'activation_params';

function matchActivation(node: Node, context: RewriteContext): Match {
  const value = node.input(0);
  const conv = convolutionOf(value);
  if (!conv || !value || hasReference(node) || conv.attributes.has(ACTIVATION)) return undefined;
  if (onlyConsumer(value) !== node) return `"${value.name}" is also used elsewhere`;
  const parameters = parametersOf(node, context);
  if (!parameters) return 'its bounds are not constant';
  const added = [attribute(ACTIVATION, node.opType)];
  if (parameters.length > 0) added.push({ name: PARAMETERS, value: { kind: 'floats', value: parameters } });
  return fused([node, conv], node, conv, conv.inputs, added, context);
}

/** What the kernel wants to know of an activation; undefined where it is computed. */
function parametersOf(node: Node, context: RewriteContext): number[] | undefined {
  switch (node.opType) {
    case 'LeakyRelu':
      return [node.float('alpha', Math.fround(0.01))];
    case 'HardSigmoid':
      return [node.float('alpha', Math.fround(0.2)), node.float('beta', 0.5)];
    case 'Clip':
      return clipBounds(node, context);
    default:
      return [];
  }
}

const GREATEST = 2 ** 127 * (2 - 2 ** -23);

function clipBounds(node: Node, context: RewriteContext): number[] | undefined {
  const bound = (name: string, slot: number, absent: number): number | undefined => {
    if (context.opset(node) < 11) return node.float(name, absent);
    return node.input(slot) ? singleNumber(context.constant(node.input(slot))) : absent;
  };
  const least = bound('min', 1, -GREATEST);
  const most = bound('max', 2, GREATEST);
  return least !== undefined && most !== undefined && least <= most ? [least, most] : undefined;
}

function matchAdd(node: Node, context: RewriteContext): Match {
  let nearMiss: string | undefined;
  for (const slot of [0, 1]) {
    const value = node.input(slot);
    const other = node.input(1 - slot);
    const conv = convolutionOf(value);
    if (!conv || !value || !other || other === value || conv.attributes.has(ACTIVATION) || conv.input(3)) continue;
    if (onlyConsumer(value) !== node) nearMiss ??= `"${value.name}" is also used elsewhere`;
    else if (!sameShape(shapeOf(value), shapeOf(other)))
      nearMiss ??= `"${other.name}" may not have the shape of Conv "${nodeLabel(conv)}"`;
    else return fused([node, conv], node, conv, [conv.input(0), conv.input(1), conv.input(2), other], [], context);
  }
  return nearMiss;
}

/** The Conv or FusedConv on FLOAT that computes a value. */
function convolutionOf(value: Value | undefined): Node | undefined {
  const node = value?.producer;
  const isConv = node?.is('Conv') || (node?.opType === 'FusedConv' && node.domain === MICROSOFT);
  const dataType = dataTypeOf(node?.input(0)) ?? dataTypeOf(node?.input(1)) ?? dataTypeOf(value);
  return isConv && dataType === DataType.FLOAT ? node : undefined;
}

function fused(
  nodes: readonly Node[],
  last: Node,
  conv: Node,
  inputs: readonly (Value | undefined)[],
  added: readonly Attribute[],
  context: RewriteContext,
): Match {
  const reason = whyNotAvailable(context, last, 'FusedConv');
  if (reason !== undefined) return reason;
  return {
    nodes,
    apply() {
      requireOpset(context, last);
      const attributes = [...conv.attributes.values(), ...added];
      return takeOver(last, { opType: 'FusedConv', domain: MICROSOFT, ...nameOf(conv), inputs, attributes });
    },
  };
}
